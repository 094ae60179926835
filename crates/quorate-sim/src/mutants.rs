//! Mistakes planted on purpose: which there are, what each is hunted in, and how soon it is caught.
//!
//! A mistake stands where one would make it, in the code of the product, behind the feature `mutations`,
//! which only this crate asks for; without it the mistake is not compiled.

mod class;
mod hunt;
mod rule;
mod stories;
mod terrain;

pub use class::{Absence, BugClass};
pub use hunt::{Catch, Hunt, hunt};
pub use rule::BrokenRule;

//! Bytes that nobody wrote, for every decoder of the product and for the node's protocol machine.
//!
//! ```text
//!  corpus/TARGET/* --\                            /--> signature: new behaviour? keep the input
//!                     Mutator --> input --> Target
//!  kept inputs ------/       (seeded)             \--> panic, too much memory, too much time: Finding
//! ```
//!
//! - A [`Target`] is a plain function over bytes: it hands them to a production entry point, and panics where
//!   that breaks a promise. [`TARGETS`] lists them all.
//! - A [`Trial`] gives one input to a target. Whatever panics meanwhile, on any thread, is a finding; so is what
//!   takes too much memory or time.
//! - [`Fuzzer`] invents inputs for a target. The same seed and corpus give the same inputs in the same order,
//!   on any machine.
//! - A [`Finding`] is an input that a target does not survive, cut down, in a file, with the command that
//!   replays it.
//!
//! The driver runs on the stable compiler, so it sees no coverage. What it sees instead is a target's
//! [`Signature`]: how far the decoder came and what it said. Decoders of this product have an error for each
//! thing that can be wrong, which makes that a fair guide.
#![forbid(unsafe_code)]

mod corpus;
mod finding;
mod fuzzer;
mod input;
mod mend;
mod mutator;
mod signature;
mod target;
mod targets;
mod trial;
mod watchdog;

pub use corpus::Corpus;
pub use finding::{Finding, FindingError};
pub use fuzzer::{Fuzzer, Statistics};
pub use signature::Signature;
pub use target::{Seed, Target};
pub use targets::TARGETS;
pub use trial::{Limits, Trial, Verdict, hush_panics};
pub use watchdog::Watchdog;

//! The event loop of one node and the handle that an application holds.
#![forbid(unsafe_code)]

mod applier;
mod commit_waiters;
mod read_waiters;
mod slot;

pub use applier::{Applied, Applier};
pub use commit_waiters::{CommitOutcome, CommitWaiters, Resolved};
pub use read_waiters::{ReadOutcome, ReadWaiters, ResolvedReads};

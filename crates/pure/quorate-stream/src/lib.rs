//! Feeding a log to replicas: syncup, windows, cumulative acknowledgements and the commit rule.
//!
//! A replica begins a *stream* by sending its term table ([`StreamMessage::Syncup`]); the master's [`Feeder`] answers with the
//! [`matchpoint`] and sends what follows, at most a window ahead of the acknowledgements. [`ReplicaStream`] is the receiving half.
//! [`CommitRule`] says how far the acknowledgements commit. Positions only pass through here; frames are bytes that nobody looks into.
#![no_std]
#![forbid(unsafe_code)]
extern crate alloc;

mod commit;
mod feeder;
mod message;
mod replica_stream;
mod syncup;

pub use commit::{CommitRule, Holds};
pub use feeder::{Feeder, Feeding};
pub use message::{StreamId, StreamMessage, SyncupAnswer};
pub use replica_stream::{Arrival, ReplicaStream};
pub use syncup::{matchpoint, syncup_answer};

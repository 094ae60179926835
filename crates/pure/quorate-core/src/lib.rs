//! The words of Quorate: positions, terms, members, watermarks, and the traits at its boundaries.
//!
//! This crate holds vocabulary only. It has no protocol, no clock, no file and no socket; every other crate of the
//! workspace speaks in its types.
#![no_std]
#![forbid(unsafe_code)]
extern crate alloc;
#[cfg(feature = "conformance")]
extern crate std;

mod batch;
mod engine;
mod entry;
mod group;
mod hard_state;
mod log_store;
mod random;
mod term;
mod term_table;
mod time;
mod transport;
mod vlsn;
mod watermarks;
mod wire;

#[cfg(feature = "conformance")]
pub mod conformance;

pub use batch::{Batch, Run};
pub use engine::{
    Checkpoint, Committed, Engine, EngineError, KvOperation, KvRow, KvScan, KvSnapshot, KvStore,
};
pub use entry::{EntryId, EntryKind, Requirement};
pub use group::{
    Fnv, GroupUuid, Incarnation, Member, MemberList, MemberListError, NodeId, NodeSet, NodeState, NodeType,
    QuorumPolicy, QuorumSystem, Roster, RosterMember,
};
pub use hard_state::{BootId, HardState, StateStore, StateStoreError};
pub use log_store::{DamagedRange, LogError, LogReader, LogStore, LogSummary, Truncated};
pub use random::Random;
pub use term::Term;
pub use term_table::TermTable;
pub use time::Time;
pub use transport::{
    Admission, DownReason, Hello, HelloRefusal, Inbox, Packet, PeerEvent, SendError, Service, Transport,
};
pub use vlsn::{Lsn, Vlsn};
pub use watermarks::Watermarks;
pub use wire::{Compression, Traffic};

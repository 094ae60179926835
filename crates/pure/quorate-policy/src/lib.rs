//! Verdicts on durability, acknowledgements, quorums and consistency.
//!
//! Policies are values; what they mean in a given situation is said by pure functions:
//!
//! - [`CommitDurability`] says what a commit asks for, [`acks_possible`] whether it can be had at present,
//!   and [`ack_verdict`] whether the caller may be released.
//! - [`Quorums`] decides which sets of nodes elect a master and commit entries, [`quorum_position`] how far a
//!   write quorum has come.
//! - [`ConsistencyPolicy`] says what a read asks for, and [`token_verdict`] whether a node has the commit
//!   that a [`CommitToken`] names.
//!
//! "Not yet" is never taken for "no": verdicts tell the two apart.
//!
//! # Alone
//!
//! The crate needs no other part of Quorate: any replicated log can ask it whether a write is acknowledged and
//! whether a read may be served. The words that it judges by come along.
//!
//! ```
//! use quorate_policy::{CommitDurability, ReplicaAckPolicy};
//!
//! let asked: CommitDurability = "sync,write-no-sync,all".parse()?;
//! assert_eq!(asked.acks, ReplicaAckPolicy::All);
//! assert!(asked.requirement().local_sync && !asked.requirement().replica_sync);
//! # Ok::<(), quorate_policy::CommitDurabilityError>(())
//! ```
//!
//! `examples/judge.rs` follows one write and three reads through their verdicts.
#![no_std]
#![forbid(unsafe_code)]
extern crate alloc;

mod acks;
mod consistency;
mod durability;
mod quorums;
mod token;
mod verdict;

pub use acks::{Shortfall, ack_verdict, acks_possible};
pub use consistency::{ConsistencyPolicy, TokenVerdict, token_verdict};
pub use durability::{CommitDurability, CommitDurabilityError, ReplicaAckPolicy, SyncPolicy};
pub use quorate_core::{
    EntryId, GroupUuid, Member, MemberList, NodeId, NodeSet, NodeType, QuorumPolicy, QuorumSystem, Term,
    TermTable, Vlsn,
};
pub use quorums::{QuorumError, Quorums, quorum_position};
pub use token::{CommitToken, CommitTokenError};
pub use verdict::Verdict;

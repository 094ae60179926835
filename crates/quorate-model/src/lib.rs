//! Elections and commits of a small group, as a model whose every state is visited.
//!
//! What is decided is decided by production code: [`choose`](quorate_election::choose) and
//! [`is_certificate`](quorate_election::is_certificate) say whom promises elect,
//! [`matchpoint`](quorate_stream::matchpoint) where a log is cut, [`CommitRule`](quorate_stream::CommitRule) with
//! [`quorum_position`](quorate_policy::quorum_position) what commits, and [`Quorums`](quorate_policy::Quorums) which
//! nodes suffice. What the model states itself, in [`State`], is when a node may do something: the conditions under
//! which it promises, takes a nomination and accepts entries.
//!
//! Messages are never taken out of the network: any of them may come late, twice, or never. An append is any prefix
//! of what the master of its term has written. Every entry is fsynced as it is written, so that a crash takes away what
//! a process knows and no entry; every node may crash a given number of times.
//!
//! Not in the model: time, leases, canvasses and refusals (they change when ballots happen, and a model tries every
//! order), relaxed durability, damage, trimming, and changes of the members.
#![forbid(unsafe_code)]

mod group;
mod rules;
mod state;
mod step;

pub use group::{Bounds, Group};
pub use rules::Rule;
pub use state::{Entry, NodeState, State, Vow};
pub use step::Step;

use crate::MasterAddress;
use quorate_core::{EntryId, GroupUuid, Member, NodeState, Term, Vlsn, Watermarks};
use std::time::Duration;

/// A node and its group, as the node sees them at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupStatus {
    /// The group's name.
    pub group: String,
    /// The group's identity, once this node has stored that it belongs to it.
    pub uuid: Option<GroupUuid>,
    /// This node's name.
    pub node: String,
    /// This node's state.
    pub state: NodeState,
    /// The term led or followed; else the term promised.
    pub term: Term,
    /// The master, if one is known.
    pub master: Option<MasterAddress>,
    /// How far this node has come.
    pub watermarks: Watermarks,
    /// Bytes of recent log entries in memory, from where replicas and the engine are served.
    pub tail_bytes: usize,
    /// How long a round trip takes to as many nodes as the master needs for a commit, where it is known: the patience of the nodes grows with it.
    pub round_trip: Option<Duration>,
    /// The node may have lost entries and counts in no quorum until its log is refilled.
    pub is_recovering: bool,
    /// Some entries of its log cannot be read; they are fetched from the other nodes.
    pub is_damaged: bool,
    /// The last entry that the master has trimmed, where this node lacks some up to there: it cannot be fed,
    /// takes in nothing more, and must be restored.
    pub restore_needed: Option<EntryId>,
    /// Why the node has stopped serving, if it has.
    pub halted: Option<String>,
    /// All members in name order.
    pub members: Vec<MemberStatus>,
}

/// A member, and on the master how far it has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberStatus {
    /// The member as declared.
    pub member: Member,
    /// On the master: what it knows of this replica.
    pub replica: Option<ReplicaStatus>,
}

/// How far a replica has come, as its master knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplicaStatus {
    /// The master feeds it.
    pub is_connected: bool,
    /// In its log.
    pub written: Option<Vlsn>,
    /// In its log, fsynced.
    pub durable: Option<Vlsn>,
    /// In its engine.
    pub applied: Option<Vlsn>,
    /// In its engine, durable.
    pub engine_durable: Option<Vlsn>,
    /// How many entries of the master's log it lacks.
    pub lag_entries: u64,
    /// Bytes sent to it and not acknowledged.
    pub in_flight_bytes: usize,
}

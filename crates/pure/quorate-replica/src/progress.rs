use quorate_core::{NodeId, NodeState, Term, Vlsn, Watermarks};
use quorate_stream::Holds;

/// How far a node has come, and in which state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The state, as applications see it.
    pub state: NodeState,
    /// The term led or followed; else the term promised.
    pub term: Term,
    /// The master, if one is known.
    pub master: Option<NodeId>,
    /// The watermarks.
    pub watermarks: Watermarks,
    /// On a master: what every electable node holds.
    pub held_by_all: Holds,
    /// The node counts in no quorum until its log is refilled.
    pub recovering: bool,
    /// Some entries of its log cannot be read.
    pub damaged: bool,
}

/// How far a replica has come, as its master knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerProgress {
    /// The replica.
    pub node: NodeId,
    /// It has a stream.
    pub connected: bool,
    /// What it has acknowledged.
    pub holds: Holds,
    /// In its engine.
    pub applied: Option<Vlsn>,
    /// Durable in its engine.
    pub engine_durable: Option<Vlsn>,
    /// Bytes sent and not acknowledged.
    pub in_flight_bytes: usize,
}

/// Figures that only grow while the node runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Canvasses begun.
    pub canvasses: u64,
    /// Ballots proposed.
    pub ballots: u64,
    /// Elections won.
    pub wins: u64,
    /// Times that this node ceased to lead.
    pub step_downs: u64,
    /// Heartbeats sent, one a receiver.
    pub heartbeats_sent: u64,
    /// Heartbeats accepted from a master.
    pub heartbeats_received: u64,
    /// Streams that this node has asked for.
    pub syncups: u64,
    /// Entries sent to replicas.
    pub entries_fed: u64,
    /// Bytes of frames sent to replicas.
    pub bytes_fed: u64,
    /// Entries received from masters.
    pub entries_received: u64,
    /// Bytes of frames received from masters.
    pub bytes_received: u64,
    /// Acknowledgements sent.
    pub acks_sent: u64,
    /// Acknowledgements that counted.
    pub acks_received: u64,
    /// Messages refused because of their term.
    pub refused_by_term: u64,
    /// Messages refused because their sender belongs to another group, or the node to none.
    pub refused_foreign: u64,
    /// Frames refused because they were damaged or out of place.
    pub refused_frames: u64,
    /// Entries rolled back.
    pub entries_rolled_back: u64,
    /// Entries proposed here.
    pub entries_proposed: u64,
    /// Reads of the log for replicas and the engine, below what is kept in memory.
    pub log_reads: u64,
}

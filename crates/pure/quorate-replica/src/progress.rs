use quorate_core::{EntryId, NodeId, NodeState, Term, Vlsn, Watermarks};
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
    /// The master's log begins behind this entry, and the node lacks it: the node must be restored.
    pub restore_needed: Option<EntryId>,
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

/// Declares the figures and what reads them all by name.
macro_rules! counters {
    ($($(#[doc = $text:literal])* $name:ident,)*) => {
        /// Figures that only grow while the node runs.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct Counters {
            $($(#[doc = $text])* pub $name: u64,)*
        }

        impl Counters {
            /// Every figure: its name and what it counts, in the order of [`figures`](Self::figures).
            pub const NAMES: &'static [(&'static str, &'static str)] =
                &[$((stringify!($name), concat!($($text),*))),*];

            /// Every figure.
            pub fn figures(&self) -> impl Iterator<Item = u64> + use<> {
                [$(self.$name),*].into_iter()
            }
        }
    };
}

counters! {
    /// Canvasses begun.
    canvasses,
    /// Ballots proposed.
    ballots,
    /// Elections won.
    wins,
    /// Times that this node ceased to lead.
    step_downs,
    /// Heartbeats sent, one a receiver.
    heartbeats_sent,
    /// Heartbeats accepted from a master.
    heartbeats_received,
    /// Streams that this node has asked for.
    syncups,
    /// Entries sent to replicas.
    entries_fed,
    /// Bytes of frames sent to replicas.
    bytes_fed,
    /// Entries received from masters.
    entries_received,
    /// Bytes of frames received from masters.
    bytes_received,
    /// Acknowledgements sent.
    acks_sent,
    /// Acknowledgements that counted.
    acks_received,
    /// Messages refused because of their term.
    refused_by_term,
    /// Messages refused because their sender belongs to another group, or the node to none.
    refused_foreign,
    /// Frames refused because they were damaged or out of place.
    refused_frames,
    /// Entries rolled back.
    entries_rolled_back,
    /// Entries proposed here.
    entries_proposed,
    /// Reads of the log for replicas and the engine, below what is kept in memory.
    log_reads,
}

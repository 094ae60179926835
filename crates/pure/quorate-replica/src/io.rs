use crate::messages::{ForwardedWrite, Message, RequestId};
use alloc::string::String;
use alloc::vec::Vec;
use bytes::Bytes;
use quorate_core::{
    Batch, BootId, DamagedRange, EntryId, HardState, LogError, LogSummary, NodeId, NodeState, Service, Term,
    Truncated, Vlsn,
};
use quorate_election::ElectionEvent;
use quorate_policy::CommitDurability;
use quorate_stream::StreamId;

/// What a node finds when it is opened. The hard state's open count has been raised and stored for this run.
#[derive(Clone, Debug)]
pub struct Opened {
    /// The hard state, as stored for this run.
    pub hard_state: HardState,
    /// The machine's present boot.
    pub boot: BootId,
    /// What the log holds.
    pub log: LogSummary,
    /// The last entry that the engine holds.
    pub engine_applied: Option<EntryId>,
}

/// What happened.
#[derive(Clone, Debug)]
pub enum Input {
    /// A message of the same group arrived.
    Receive {
        /// The sender.
        from: NodeId,
        /// The group that the sender belongs to, if it does.
        uuid: Option<quorate_core::GroupUuid>,
        /// The message.
        message: Message,
    },
    /// A link to a peer stands.
    PeerUp {
        /// The peer.
        node: NodeId,
        /// Which link.
        service: Service,
    },
    /// A link to a peer ended, or could not be opened.
    PeerDown {
        /// The peer.
        node: NodeId,
        /// Which link.
        service: Service,
        /// Nobody listens at the peer's address: its process is gone.
        refused: bool,
    },
    /// A message could not be sent.
    SendDropped {
        /// The receiver.
        to: NodeId,
        /// Which link.
        service: Service,
    },
    /// The log file holds entries up to `last`, appended in `epoch`.
    Written {
        /// The epoch of the append.
        epoch: u64,
        /// The last position.
        last: Vlsn,
    },
    /// Entries up to `last` are fsynced.
    Durable {
        /// The epoch of the newest append covered.
        epoch: u64,
        /// The last position.
        last: Vlsn,
    },
    /// A truncation is done, and what is left is fsynced.
    Truncated {
        /// The epoch that it began.
        epoch: u64,
        /// What was dropped.
        truncated: Truncated,
        /// What the log holds now.
        log: LogSummary,
    },
    /// A truncation could not be done: the entry to keep last is damaged, and what the checksums go on from is not known. Nothing was
    /// dropped, and all of it is fsynced.
    NotTruncated {
        /// The epoch that it began.
        epoch: u64,
        /// What the log holds still.
        log: LogSummary,
    },
    /// A read has found entries that cannot be read; told before the read itself is.
    Damaged {
        /// All that is damaged.
        damaged: Vec<DamagedRange>,
    },
    /// A repair is done.
    Repaired {
        /// What is still damaged.
        damaged: Vec<DamagedRange>,
    },
    /// The log was trimmed.
    Trimmed {
        /// The new base.
        base: Option<EntryId>,
        /// What is still damaged.
        damaged: Vec<DamagedRange>,
    },
    /// A read of the log ended.
    LogRead {
        /// For whom.
        reader: LogReadFor,
        /// The frames read.
        result: Result<Batch, LogError>,
    },
    /// The engine holds entries up to `last`.
    Applied {
        /// The last position.
        last: Vlsn,
        /// Length of the batch applied in bytes.
        bytes: usize,
    },
    /// The engine holds entries up to `durable` durably.
    EngineFlushed {
        /// The last position; `None` from an engine that keeps nothing.
        durable: Option<Vlsn>,
    },
    /// The log, the hard state or the engine failed: the node must stop serving.
    Failed {
        /// What failed.
        reason: String,
    },
    /// Nothing but time has passed.
    Tick,
}

/// What the shell must do.
#[derive(Clone, Debug)]
pub enum Output {
    /// Make the hard state durable before anything that follows.
    StoreHardState(HardState),
    /// Append to the log; then report [`Input::Written`], and after a sync [`Input::Durable`].
    Append {
        /// What to append.
        batch: Batch,
        /// Sync as soon as possible.
        sync: bool,
        /// To be told with the completion.
        epoch: u64,
    },
    /// Sync what was appended; then report [`Input::Durable`].
    Sync {
        /// To be told with the completion.
        epoch: u64,
    },
    /// Drop all entries behind `keep`, sync what is left; then report [`Input::Truncated`], or [`Input::NotTruncated`] if the log says
    /// [`LogError::Damaged`].
    Truncate {
        /// The last entry to keep.
        keep: Option<Vlsn>,
        /// The epoch that begins.
        epoch: u64,
    },
    /// Put intact frames in the place of damaged ones; then report [`Input::Repaired`].
    Repair {
        /// The frames.
        batch: Batch,
    },
    /// Entries up to here may be trimmed; then report [`Input::Trimmed`].
    Trim {
        /// The last position that is not needed.
        through: Vlsn,
    },
    /// Read the log, away from the event loop; then report [`Input::LogRead`].
    ReadLog {
        /// For whom.
        reader: LogReadFor,
        /// The first position wanted.
        from: Vlsn,
        /// The last position wanted.
        through: Vlsn,
        /// How much to read at most; one frame at least.
        bytes_max: usize,
    },
    /// Send a message; it may be lost.
    Send {
        /// The receiver.
        to: NodeId,
        /// The message.
        message: Message,
    },
    /// Apply committed entries to the engine, in order; then report [`Input::Applied`].
    Apply {
        /// The entries.
        batch: Batch,
    },
    /// Make durable what the engine holds, or as much of it as is worth it by now; then report [`Input::EngineFlushed`].
    FlushEngine,
    /// The node's state, as applications see it, has changed.
    State {
        /// The new state.
        state: NodeState,
        /// The term in which it is so.
        term: Term,
        /// The master, if one is known.
        master: Option<NodeId>,
    },
    /// A linearizable read may be served once the engine holds entries up to `at`.
    ReadReady {
        /// The read.
        read: ReadId,
        /// The position to wait for.
        at: Option<Vlsn>,
    },
    /// A linearizable read cannot be served now.
    ReadFailed {
        /// The read.
        read: ReadId,
        /// Why.
        failure: ReadFailure,
    },
    /// A replica asks for a write: hand it to [`Node::propose`](crate::Node::propose), which says whether this node leads,
    /// and tell by [`Node::answer_write`](crate::Node::answer_write) what became of it. It is never passed on.
    WriteAsked {
        /// The replica.
        from: NodeId,
        /// The write.
        write: ForwardedWrite,
    },
    /// A write that was passed on is answered.
    WriteAnswered {
        /// Who answers.
        from: NodeId,
        /// The write.
        request: RequestId,
        /// What became of it.
        outcome: Bytes,
    },
    /// Something to tell an operator.
    Event(Event),
    /// The node must stop serving, loudly. Nothing follows.
    Halt(Halt),
}

/// Who wants frames read from the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogReadFor {
    /// A feeder.
    Feeder {
        /// The replica that is fed.
        node: NodeId,
        /// Its stream.
        stream: StreamId,
    },
    /// The engine.
    Apply,
    /// A peer whose log is damaged.
    Repair {
        /// The peer.
        node: NodeId,
    },
}

/// Names a linearizable read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ReadId(pub u64);

/// Why a linearizable read cannot be served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadFailure {
    /// No master is known.
    NoMaster,
    /// The master ceased to lead before the read was confirmed.
    MasterChanged,
}

/// An application's entry on its way into the log.
#[derive(Clone, Debug)]
pub struct Proposal {
    /// The payload; opaque here.
    pub payload: Bytes,
    /// The durability asked for.
    pub durability: CommitDurability,
}

/// Why proposals were not accepted. Nothing was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProposeError {
    /// This node does not lead, or not yet.
    NotMaster {
        /// Who does, as far as is known.
        master: Option<NodeId>,
    },
    /// Too few replicas are connected for the acknowledgements asked for.
    InsufficientReplicas {
        /// How many nodes must hold the write, this one included.
        needed: usize,
        /// How many are connected, this one included.
        available: usize,
    },
    /// Too much is uncommitted or unapplied; try again when some of it is done.
    Busy,
}

/// Something to tell an operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Elections.
    Election(ElectionEvent),
    /// A member of another group, or of an earlier founding of this one, was refused.
    ForeignGroup {
        /// Who.
        node: NodeId,
    },
    /// This directory is not one of those that founded the group: the node takes part in nothing until it is added anew.
    Stranger,
    /// The group is founded, or this node has learned of its founding.
    Founded(quorate_core::GroupUuid),
    /// Entries that never committed were dropped, since the master does not hold them.
    RolledBack(Truncated),
    /// This node has lost entries, or may have; it counts in no quorum until a master has refilled its log.
    Recovering,
    /// It counts again.
    Recovered,
    /// Damaged entries were fetched from a peer and put back.
    Repaired {
        /// How many damaged ranges are left.
        left: usize,
    },
    /// The master steps down: a write quorum has not answered within the election timeout.
    QuorumLost,
    /// The master steps down: a higher term was promised.
    Deposed {
        /// The higher term.
        promised: Term,
    },
    /// The master no longer holds what this node lacks.
    RestoreNeeded {
        /// The last entry trimmed at the master.
        base: EntryId,
    },
}

/// Why a node stops serving.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Halt {
    /// The master's log lacks entries that this node knows to be committed: a foreign log, or more copies were lost than the durability asked for
    /// promises to survive.
    RollbackProhibited {
        /// The last entry that the logs share.
        matchpoint: Option<EntryId>,
        /// The last entry known to be committed here.
        committed: Option<Vlsn>,
    },
    /// The engine holds an entry that the group's log does not.
    EngineForeign {
        /// The engine's last entry.
        applied: EntryId,
    },
    /// The engine lacks entries that this node's log no longer holds: it is an old one, or an empty one in the place of another.
    EngineBehind {
        /// The engine's last entry.
        applied: Option<EntryId>,
        /// The last entry trimmed from the log.
        base: EntryId,
    },
    /// The log, the hard state or the engine failed.
    Failed {
        /// What failed.
        reason: String,
    },
}

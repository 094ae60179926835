use bytes::Bytes;
use quorate_core::{EntryId, Term, TermTable, Vlsn};

/// Names one attempt of a replica to be fed; acknowledgements and match positions belong to (term, stream) and to nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(pub u64);

/// What a master and a replica say to each other about the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StreamMessage {
    /// Replica to master: "feed me; this is what I hold".
    Syncup {
        /// The master's term.
        term: Term,
        /// The stream that begins.
        stream: StreamId,
        /// The replica's log.
        table: TermTable,
    },
    /// Master to replica: where the stream begins.
    SyncupReply {
        /// The master's term.
        term: Term,
        /// The stream that is answered.
        stream: StreamId,
        /// Where it begins.
        answer: SyncupAnswer,
        /// How far the master's log was written when it answered.
        written: Option<Vlsn>,
    },
    /// Master to replica: frames that follow those sent before on this stream, or none and only news of the commit point.
    Append {
        /// The master's term.
        term: Term,
        /// The stream.
        stream: StreamId,
        /// The commit point.
        committed: Option<Vlsn>,
        /// Position of the first frame, if there are any.
        first: Option<Vlsn>,
        /// Whole frames.
        frames: Bytes,
    },
    /// Replica to master: everything up to here. Cumulative.
    Ack {
        /// The master's term.
        term: Term,
        /// The stream.
        stream: StreamId,
        /// Held in the log file: counts for entries whose replicas need not sync.
        written: Option<Vlsn>,
        /// Fsynced.
        durable: Option<Vlsn>,
        /// False from a recovering replica: it frees the window and counts for no commit.
        counts: bool,
    },
}

/// Where a stream begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncupAnswer {
    /// Behind the last entry that both logs hold; `None`: they share nothing, and the stream begins with the first entry.
    Matchpoint(Option<EntryId>),
    /// The master no longer holds what follows the matchpoint.
    Trimmed {
        /// The last entry that the master has trimmed.
        base: EntryId,
    },
}

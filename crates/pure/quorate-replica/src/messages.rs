//! The whole protocol on a page: everything that nodes of a group say to each other. `docs/protocol.md` tells when and why.

use bytes::Bytes;
use core::time::Duration;
use quorate_core::{Incarnation, Roster, Service, Term, Vlsn};
use quorate_election::ElectionMessage;
use quorate_policy::CommitDurability;
use quorate_stream::{StreamId, StreamMessage};

/// A message between two nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Who the sender is, and the group that it belongs to, if it does: how a group is founded.
    Introduce {
        /// The life of the sender's data directory.
        incarnation: Incarnation,
        /// The roster that the sender has stored.
        roster: Option<Roster>,
        /// The sender would like to be told the same.
        wants_answer: bool,
    },
    /// Elections: canvass, prepare, promise, nomination.
    Election(ElectionMessage),
    /// Master to all, at every heartbeat interval and whenever a linearizable read needs a round.
    Heartbeat(Heartbeat),
    /// The answer to a heartbeat.
    HeartbeatReply(HeartbeatReply),
    /// Master that ceases to lead to all: "what my heartbeats asked you for I need no more."
    LeaseRelease {
        /// The master's term.
        term: Term,
        /// Its last heartbeat: a lease that a later one asked for runs on.
        sequence: u64,
    },
    /// The log: syncup, frames, acknowledgements.
    Stream(StreamMessage),
    /// Replica to master: "how far must I have applied for a read that begins now?"
    ReadIndex {
        /// Names the read among those of its sender.
        read: u64,
    },
    /// Master to replica: the answer, once a write quorum has confirmed the master, or at once under a lease.
    ReadIndexReply {
        /// The read that is answered.
        read: u64,
        /// The position to wait for; an error if the node asked does not lead.
        at: Result<Option<Vlsn>, NotMaster>,
    },
    /// "Send me these entries again; mine are damaged."
    RepairRequest {
        /// The first entry wanted.
        first: Vlsn,
        /// The last entry wanted.
        last: Vlsn,
    },
    /// The entries wanted.
    Repair {
        /// The first entry sent.
        first: Vlsn,
        /// Whole frames.
        frames: Bytes,
    },
    /// Replica to master: "write this for me."
    Forward(ForwardedWrite),
    /// The answer: what became of the write.
    ForwardReply {
        /// The write that is answered.
        request: RequestId,
        /// What became of it; opaque here.
        outcome: Bytes,
    },
}

/// Names a write that a replica has passed on, among all that this node ever passes on: an answer is never
/// taken for one to another run of the node's process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RequestId(pub u64);

/// A write that a replica passes on to its master.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForwardedWrite {
    /// Names the write.
    pub request: RequestId,
    /// What is to be written; opaque here.
    pub payload: Bytes,
    /// What it depends on; opaque here.
    pub reads: Bytes,
    /// The durability asked for.
    pub durability: CommitDurability,
    /// How long its caller still waits.
    pub timeout: Duration,
}

/// The node asked does not lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotMaster;

/// "I lead."
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heartbeat {
    /// The master's term.
    pub term: Term,
    /// Counts the master's heartbeats within its term, from 1.
    pub sequence: u64,
    /// The commit point.
    pub committed: Option<Vlsn>,
    /// The stream on which the master feeds the receiver, if any.
    pub stream: Option<StreamId>,
    /// The last position sent on that stream.
    pub sent: Option<Vlsn>,
    /// Every member's engine holds entries up to here durably: logs need not keep them.
    pub trim: Option<Vlsn>,
    /// Asks for a lease: that for so long, from when this arrives, the receiver promises no other term.
    pub lease: Option<Duration>,
    /// How long answers take of as many voters as the master needs, or of the receiver if that is longer: it is as patient as that asks for.
    pub round_trip: Duration,
}

/// "I follow."
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeartbeatReply {
    /// The term of the heartbeat answered.
    pub term: Term,
    /// Its sequence number.
    pub sequence: u64,
    /// In the replica's engine.
    pub applied: Option<Vlsn>,
    /// Durable in the replica's engine.
    pub engine_durable: Option<Vlsn>,
    /// The lease that the heartbeat asked for is granted.
    pub granted: bool,
}

impl Message {
    /// Which link the message takes.
    #[must_use]
    pub const fn service(&self) -> Service {
        match self {
            Self::Stream(StreamMessage::Append { .. } | StreamMessage::SyncupReply { .. })
            | Self::Repair { .. }
            | Self::Forward(_)
            | Self::ForwardReply { .. } => Service::Stream,
            _ => Service::Control,
        }
    }
}

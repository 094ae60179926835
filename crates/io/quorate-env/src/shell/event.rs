use crate::admission::Answer;
use crate::commit::CommitResult;
use crate::core::Permit;
use crate::slot::Ticket;
use crate::write_ticket::WriteTicket;
use crate::{Applied, GroupStatus, RepStats};
use bytes::Bytes;
use quorate_core::{NodeId, PeerEvent, Time};
use quorate_policy::{CommitDurability, ConsistencyPolicy};
use quorate_replica::{Envelope, Input, RequestId};

/// What can happen to the event loop, besides writes and the passing of time.
pub(crate) enum Event {
    /// A message came in.
    Packet {
        from: NodeId,
        envelope: Envelope,
        /// Length of the packet, to be given back to the inbox's budget.
        bytes: usize,
    },
    /// A link changed.
    Peer(PeerEvent),
    /// A thread has carried something out, or failed to.
    Completed(Input),
    /// The apply thread has applied batches of `bytes` together.
    Applied { applied: Applied, bytes: usize },
    /// Somebody wants to read.
    Read(ReadRequest),
    /// A write that a replica has asked for is decided.
    Answer { to: NodeId, request: RequestId, result: CommitResult },
    /// Somebody wants time to pass.
    Pause { until: Time, ticket: Ticket<()> },
    /// Somebody wants to know how the node is.
    Inspect(Ticket<Inspection>),
    /// The environment is to be closed.
    Close,
}

/// A write on its way to the node.
pub(crate) struct Write {
    pub(crate) payload: Bytes,
    /// What it has read, an encoded [`ReadSet`](quorate_codec::ReadSet); empty if it depends on nothing.
    pub(crate) reads: Bytes,
    pub(crate) durability: CommitDurability,
    pub(crate) deadline: Time,
    pub(crate) ticket: WriteTicket,
}

impl Write {
    /// Length of what it holds in bytes.
    pub(crate) const fn bytes(&self) -> usize {
        self.payload.len() + self.reads.len()
    }
}

/// A read that has to wait.
pub(crate) struct ReadRequest {
    pub(crate) policy: ConsistencyPolicy,
    pub(crate) deadline: Time,
    pub(crate) ticket: Ticket<Answer>,
    pub(crate) permit: Permit,
}

/// How a node is at one moment.
#[derive(Clone, Debug)]
pub(crate) struct Inspection {
    pub(crate) status: GroupStatus,
    pub(crate) stats: RepStats,
}

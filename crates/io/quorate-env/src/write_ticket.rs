use crate::commit::CommitResult;
use crate::shell::event::Event;
use crate::shell::mailbox::Mailbox;
use crate::slot::Ticket;
use quorate_core::NodeId;
use quorate_replica::RequestId;

/// Whom the event loop tells what became of a write.
pub(crate) enum WriteTicket {
    /// A caller on this node.
    Caller(Ticket<CommitResult>),
    /// A replica that has passed on the write of a caller of its own.
    Replica(ReplicaTicket),
}

/// A replica that waits for an answer.
pub(crate) struct ReplicaTicket {
    pub(crate) node: NodeId,
    pub(crate) request: RequestId,
    pub(crate) events: Mailbox,
}

impl WriteTicket {
    /// Whether the write began on this node.
    pub(crate) const fn is_own(&self) -> bool {
        matches!(self, Self::Caller(_))
    }

    /// Gives the answer; to a replica in the loop's next turn.
    pub(crate) fn resolve(self, result: CommitResult) {
        match self {
            Self::Caller(ticket) => ticket.resolve(result),
            Self::Replica(ReplicaTicket { node, request, events }) => {
                // Once the loop has ended the replica notices that by its link.
                let _ = events.send(Event::Answer { to: node, request, result });
            }
        }
    }
}

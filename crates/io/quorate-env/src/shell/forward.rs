//! Writes that a replica passes on to its master, from both ends.

use super::event::Write;
use super::event_loop::EventLoop;
use crate::commit::CommitResult;
use crate::write_ticket::{ReplicaTicket, WriteTicket};
use crate::{WriteError, forward_outcome};
use bytes::Bytes;
use quorate_codec::{ENVELOPE_BYTES_MAX, ReadSet};
use quorate_core::{NodeId, NodeState, Time};
use quorate_replica::{ForwardedWrite, Proposal, RequestId};
use std::time::Duration;

impl EventLoop {
    /// Where writes of this node's callers go at present, if that is another node.
    pub(super) fn forward_target(&self) -> Option<NodeId> {
        let progress = self.node.progress();
        let is_replica = self.halted.is_none() && progress.state == NodeState::Replica;
        progress.master.filter(|_| self.passes_writes_on && is_replica)
    }

    /// Passes on to the master what callers want written, in their order, as far as there is room; the rest
    /// waits for its turn, as it does while there is no link.
    pub(super) fn forward_gathered(&mut self, master: NodeId) {
        if !self.node.is_linked(master) {
            return;
        }
        let Self { gathered, forwards, .. } = self;
        for write in gathered.take_while(|bytes| forwards.reserve(bytes)) {
            self.forward(write);
        }
    }

    /// A write that was passed on once is not passed on again.
    fn forward(&mut self, write: Write) {
        let now = self.core.clock.now();
        let bytes = write.bytes();
        let Write { payload, reads, durability, deadline, ticket } = write;
        let timeout = leave_time_for_the_answer(deadline.since(now));
        let proposal = Proposal { payload, durability };
        let sent = ticket.is_own().then(|| self.node.forward(now, proposal, reads, timeout)).flatten();
        match sent {
            Some((to, request)) => {
                self.core.tally.writes_forwarded.increment();
                self.forwards.begin(request, to, bytes, deadline, ticket);
            }
            None => {
                self.forwards.release(bytes);
                self.core.tally.writes_refused.increment();
                ticket.resolve(Err(self.not_master()));
            }
        }
        self.carry_out();
    }

    /// A write could not be sent.
    pub(super) fn forward_dropped(&mut self, request: RequestId) {
        if let Some(ticket) = self.forwards.unsent(request) {
            self.core.tally.writes_refused.increment();
            ticket.resolve(Err(WriteError::Busy));
        }
    }

    /// What was passed on over a link that is lost will not be answered.
    pub(super) fn forward_link_lost(&mut self, node: NodeId) {
        let lost = self.forwards.lost(node);
        tell(lost);
    }

    /// Another node leads. The one that led has half an election timeout to say what became of the writes it was asked for.
    pub(super) fn forward_to_another(&mut self, master: NodeId) {
        let by = self.core.clock.now() + self.node.timing().election_timeout() / 2;
        self.forwards.master_changed(master, by);
    }

    /// Answers those whose writes are applied here by now, and those whose time is over.
    pub(super) fn settle_forwards(&mut self, now: Time) {
        if self.forwards.is_empty() {
            return;
        }
        tell(self.forwards.applied(self.node.progress().watermarks.applied));
        tell(self.forwards.expire(now));
    }

    /// The node that was asked has answered.
    pub(super) fn write_answered(&mut self, from: NodeId, request: RequestId, outcome: Bytes) {
        let Some(group) = self.uuid else { return };
        let result = match forward_outcome::decode(outcome, group) {
            Err(WriteError::NotMaster { .. }) => Err(self.not_master()),
            result => result,
        };
        tell(self.forwards.answered(from, request, result));
    }

    /// A replica asks for a write. It is taken in like any other; what this node would never send is refused.
    pub(super) fn write_asked(&mut self, node: NodeId, asked: ForwardedWrite) {
        let ForwardedWrite { request, payload, reads, durability, timeout } = asked;
        let events = self.core.events.clone();
        let ticket = WriteTicket::Replica(ReplicaTicket { node, request, events });
        if let Err(error) = self.check_lengths(&payload, &reads) {
            self.core.tally.writes_refused.increment();
            return ticket.resolve(Err(error));
        }
        let deadline = self.core.clock.now() + timeout.min(self.core.limits.ack_timeout);
        let write = Write { payload, reads, durability, deadline, ticket };
        if let Err((error, write)) = self.core.writes.offer(write) {
            self.core.tally.writes_refused.increment();
            write.ticket.resolve(Err(error));
        }
    }

    fn check_lengths(&self, payload: &Bytes, reads: &Bytes) -> Result<(), WriteError> {
        let limit = self.core.limits.write_bytes_max + ENVELOPE_BYTES_MAX;
        if payload.len() > limit {
            return Err(WriteError::BatchTooLong { bytes: payload.len(), limit });
        }
        if reads.len() > ReadSet::BYTES_MAX {
            return Err(WriteError::ReadsTooLong { bytes: reads.len(), limit: ReadSet::BYTES_MAX });
        }
        Ok(())
    }

    /// Tells a replica what became of its write.
    pub(super) fn answer_replica(&mut self, to: NodeId, request: RequestId, result: CommitResult) {
        self.node.answer_write(to, request, forward_outcome::encode(result));
        self.carry_out();
    }

    fn not_master(&self) -> WriteError {
        let master = self.node.progress().master.and_then(|master| self.core.master_address(master));
        WriteError::NotMaster { master }
    }
}

/// The master is given less time than the caller has, so that its answer, which names the entry, comes before
/// the caller is told that nobody knows.
fn leave_time_for_the_answer(left: Duration) -> Duration {
    left - left / 8
}

fn tell(decided: impl IntoIterator<Item = (WriteTicket, CommitResult)>) {
    for (ticket, result) in decided {
        ticket.resolve(result);
    }
}

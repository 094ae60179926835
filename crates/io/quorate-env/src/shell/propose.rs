use super::event::Write;
use super::event_loop::EventLoop;
use crate::WriteError;
use crate::clock::wall_clock_micros;
use crate::write_ticket::WriteTicket;
use bytes::Bytes;
use quorate_core::{EntryId, Time};
use quorate_policy::{CommitToken, ReplicaAckPolicy};
use quorate_replica::{Proposal, ProposeError};
use std::collections::VecDeque;

/// Writes taken out of their queue, in its order, to be proposed together.
#[derive(Default)]
pub(crate) struct Gathered {
    proposals: Vec<Proposal>,
    callers: VecDeque<Caller>,
    bytes: usize,
}

/// Whom to answer, and by when.
struct Caller {
    deadline: Time,
    reads: Bytes,
    ticket: WriteTicket,
}

/// One proposal to the node takes in so many writes, and so many bytes, at most.
const WRITES_MAX: usize = 4096;
const BYTES_MAX: usize = 1 << 20;

impl Gathered {
    pub(super) const fn is_empty(&self) -> bool {
        self.proposals.is_empty()
    }

    /// When the first write has waited long enough for its turn.
    pub(super) fn deadline(&self) -> Option<Time> {
        self.callers.front().map(|caller| caller.deadline)
    }

    fn push(&mut self, write: Write) {
        self.bytes += write.bytes();
        let Write { payload, reads, durability, deadline, ticket } = write;
        self.proposals.push(Proposal { payload, durability });
        self.callers.push_back(Caller { deadline, reads, ticket });
    }

    fn is_full(&self) -> bool {
        self.proposals.len() >= WRITES_MAX || self.bytes >= BYTES_MAX
    }

    /// The length of the leading writes that ask for the same acknowledgements, and have read nothing: they
    /// are refused together or not at all.
    fn run(&self) -> usize {
        let acks = |proposal: &Proposal| proposal.durability.acks;
        let first: Option<ReplicaAckPolicy> = self.proposals.first().map(acks);
        let plain = self
            .proposals
            .iter()
            .zip(&self.callers)
            .take_while(|(proposal, caller)| Some(acks(proposal)) == first && caller.reads.is_empty());
        plain.count()
    }

    /// Removes the leading writes, as long as `fits` holds of the next one's length in bytes.
    pub(super) fn take_while(&mut self, mut fits: impl FnMut(usize) -> bool) -> Vec<Write> {
        let lengths = self.proposals.iter().zip(&self.callers);
        let lengths = lengths.map(|(proposal, caller)| proposal.payload.len() + caller.reads.len());
        let count = lengths.take_while(|bytes| fits(*bytes)).count();
        let write = |(Proposal { payload, durability }, Caller { deadline, reads, ticket })| Write {
            payload,
            reads,
            durability,
            deadline,
            ticket,
        };
        self.take(count).map(write).collect()
    }

    /// Removes the first `count` writes.
    fn take(&mut self, count: usize) -> impl Iterator<Item = (Proposal, Caller)> {
        let taken = self.proposals.drain(..count).zip(self.callers.drain(..count));
        taken.inspect(|(proposal, caller)| self.bytes -= proposal.payload.len() + caller.reads.len())
    }
}

impl EventLoop {
    /// Proposes what callers want written, if the node takes proposals at present; passes it on, if another
    /// node does. While this node takes office writes wait for their turn.
    pub(super) fn propose(&mut self) {
        self.gather();
        self.refuse_overdue();
        if self.gathered.is_empty() || self.node.is_taking_office() {
            return;
        }
        match self.forward_target() {
            Some(master) => self.forward_gathered(master),
            None => while !self.gathered.is_empty() && self.node.accepts() && self.propose_run() {},
        }
    }

    /// Takes writes out of their queue.
    fn gather(&mut self) {
        while !self.gathered.is_full() {
            let Ok(write) = self.writes.try_recv() else { return };
            self.take_write(write);
        }
    }

    /// Takes in a write that has left its queue. One that the engine would not understand must not get into
    /// the log, where every node would stop at it.
    pub(super) fn take_write(&mut self, write: Write) {
        self.core.writes.left(write.bytes());
        match self.core.payloads.check(&write.payload) {
            Ok(()) => self.gathered.push(write),
            Err(detail) => {
                self.core.tally.writes_refused.increment();
                write.ticket.resolve(Err(WriteError::Malformed { detail }));
            }
        }
    }

    /// Writes that have waited too long for their turn are not begun any more.
    fn refuse_overdue(&mut self) {
        let now = self.core.clock.now();
        while self.gathered.deadline().is_some_and(|deadline| deadline <= now) {
            self.refuse(1, &WriteError::Busy);
        }
    }

    /// Proposes the leading writes that ask for the same acknowledgements; false if the node takes none now.
    fn propose_run(&mut self) -> bool {
        let count = self.gathered.run();
        if count == 0 {
            self.refuse_unchecked();
            return true;
        }
        let _span = tracing::trace_span!("propose", count).entered();
        let proposals = &self.gathered.proposals[..count];
        let proposed = match &self.halted {
            Some(reason) => Err(WriteError::Halted { reason: reason.clone() }),
            None => match self.node.propose(self.core.clock.now(), wall_clock_micros(), proposals) {
                Ok(first) => Ok(first),
                Err(ProposeError::Busy) => {
                    self.carry_out();
                    return false;
                }
                Err(error) => Err(self.core.propose_error(error)),
            },
        };
        match proposed {
            Ok(first) => self.register(first, count),
            Err(error) => self.refuse(count, &error),
        }
        self.carry_out();
        true
    }

    /// Refuses the leading write, which has read what nothing is known of: no writes are kept to compare with.
    fn refuse_unchecked(&mut self) {
        let last = self.node.terms().last_vlsn().and_then(|last| self.node.terms().entry_at(last));
        let error = match (self.uuid, last) {
            (Some(group), Some(last)) => WriteError::SnapshotTooOld { oldest: CommitToken::new(group, last) },
            _ => WriteError::NotMaster { master: None },
        };
        self.refuse(1, &error);
    }

    fn register(&mut self, first: EntryId, count: usize) {
        let tally = &self.core.tally;
        tally.proposals.increment();
        for ((proposal, caller), offset) in self.gathered.take(count).zip(0..) {
            tally.bytes_proposed.add(proposal.payload.len());
            let id = EntryId { term: first.term, vlsn: first.vlsn.advance(offset) };
            self.commits.register(id, proposal.durability, caller.deadline, caller.ticket);
        }
    }

    pub(super) fn refuse(&mut self, count: usize, error: &WriteError) {
        self.core.tally.writes_refused.add(count);
        for (_, caller) in self.gathered.take(count) {
            caller.ticket.resolve(Err(error.clone()));
        }
    }

    /// Refuses everything that callers have sent so far.
    pub(super) fn refuse_all(&mut self, error: &WriteError) {
        loop {
            self.gather();
            if self.gathered.is_empty() {
                return;
            }
            self.refuse(self.gathered.proposals.len(), error);
        }
    }
}

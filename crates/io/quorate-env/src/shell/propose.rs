use super::event::Write;
use super::event_loop::EventLoop;
use super::pace::Wanted;
use crate::write_ticket::WriteTicket;
use crate::{Conflicts, WriteError};
use bytes::Bytes;
use quorate_core::{EntryId, NodeState, Time, Vlsn};
use quorate_policy::ReplicaAckPolicy;
use quorate_replica::{Proposal, ProposeError};
use std::collections::VecDeque;

/// Writes taken out of their queue, in its order, to be proposed together.
#[derive(Default)]
pub(crate) struct Gathered {
    proposals: Vec<Proposal>,
    callers: VecDeque<Caller>,
    bytes: usize,
    /// How many of them ask for no acknowledgement.
    unacknowledged: usize,
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
    pub(super) const fn len(&self) -> usize {
        self.proposals.len()
    }

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
        self.unacknowledged += usize::from(durability.acks == ReplicaAckPolicy::None);
        self.proposals.push(Proposal { payload, durability });
        self.callers.push_back(Caller { deadline, reads, ticket });
    }

    fn is_full(&self) -> bool {
        self.proposals.len() >= WRITES_MAX || self.bytes >= BYTES_MAX
    }

    /// The length of the leading writes that ask for the same acknowledgements: they are refused together
    /// or not at all.
    fn run(&self) -> usize {
        let acks = |proposal: &Proposal| proposal.durability.acks;
        let first: Option<ReplicaAckPolicy> = self.proposals.first().map(acks);
        self.proposals.iter().take_while(|proposal| Some(acks(proposal)) == first).count()
    }

    /// Payloads and reads of the first `count` writes.
    fn first(&self, count: usize) -> impl Iterator<Item = (&Bytes, &Bytes)> {
        let writes = self.proposals.iter().zip(&self.callers).take(count);
        writes.map(|(proposal, caller)| (&proposal.payload, &caller.reads))
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
        taken.inspect(|(proposal, caller)| {
            self.bytes -= proposal.payload.len() + caller.reads.len();
            self.unacknowledged -= usize::from(proposal.durability.acks == ReplicaAckPolicy::None);
        })
    }
}

impl EventLoop {
    /// Proposes what callers want written, if the node takes proposals at present; passes it on, if another
    /// node does. While this node takes office writes wait for their turn.
    pub(super) fn propose(&mut self) {
        if self.waits_for_owner() {
            return;
        }
        self.gather();
        self.refuse_overdue();
        if self.wanted() == Wanted::Proposal && !self.node.is_taking_office() {
            self.propose_gathered();
        }
        self.call_for_writes();
    }

    fn propose_gathered(&mut self) {
        match self.forward_target() {
            Some(master) => self.forward_gathered(master),
            None => while !self.gathered.is_empty() && self.node.accepts() && self.propose_run() {},
        }
    }

    /// Writes that wait for no acknowledgement wait for no group either.
    fn wanted(&mut self) -> Wanted {
        let applied = self.node.progress().watermarks.applied;
        let wanted = self.pace.wanted(self.core.clock.now(), self.gathered.len(), applied);
        let is_urgent = self.gathered.unacknowledged > 0 || self.gathered.is_full();
        if is_urgent { Wanted::Proposal } else { wanted }
    }

    /// Lets callers say when enough of them have come. What keeps the node from taking in what is gathered ends
    /// with an event.
    fn call_for_writes(&mut self) {
        let waiting = self.gathered.len();
        let missing = match self.wanted() {
            Wanted::Proposal if waiting > 0 => usize::MAX,
            Wanted::Proposal => 1,
            Wanted::Room => WRITES_MAX - waiting,
            Wanted::Writes(count) => count - waiting,
        };
        self.core.writes.call_at(missing);
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
        if let Some(reason) = self.halted.clone() {
            self.refuse(self.gathered.run(), &WriteError::Halted { reason });
            return true;
        }
        let last = self.node.terms().last_vlsn();
        let count = match self.admit_run(last) {
            Ok(count) => count,
            Err(error) => {
                self.refuse(1, &error);
                return true;
            }
        };
        let proposed = self.propose_first(count);
        match proposed {
            Ok(first) => {
                assert_eq!(first.vlsn, Vlsn::after(last), "proposals follow the last entry");
                self.pace.proposed(self.core.clock.now(), first.vlsn.advance(count as u64 - 1));
                self.register(first, count);
            }
            Err(error) => {
                self.forget_after(last);
                if error != ProposeError::Busy {
                    self.refuse(count, &self.core.propose_error(error));
                }
            }
        }
        self.carry_out();
        proposed != Err(ProposeError::Busy)
    }

    fn propose_first(&mut self, count: usize) -> Result<EntryId, ProposeError> {
        let span = tracing::trace_span!("propose", count, first = tracing::field::Empty).entered();
        let clock = &self.core.clock;
        let proposals = &self.gathered.proposals[..count];
        let proposed = self.node.propose(clock.now(), clock.wall_micros(), proposals);
        if let Ok(first) = &proposed {
            span.record("first", tracing::field::display(first.vlsn));
        }
        proposed
    }

    /// Counts the leading writes that can be proposed together behind the entry at `last`, and records what
    /// they will write: up to the first one, exclusive, that has read what was written since. If that is the
    /// leading one, it is in error.
    fn admit_run(&mut self, last: Option<Vlsn>) -> Result<usize, WriteError> {
        let count = self.gathered.run();
        self.begin_window();
        let (Some(conflicts), Some(group)) = (&mut self.conflicts, self.uuid) else {
            return self.admit_unchecked(count);
        };
        for (index, (payload, reads)) in self.gathered.first(count).enumerate() {
            match conflicts.check_encoded(group, self.node.terms(), reads) {
                Err(error) if index == 0 => return Err(error),
                Err(_) => return Ok(index),
                Ok(()) => conflicts.record(Vlsn::after(last).advance(index as u64), payload.clone()),
            }
        }
        Ok(count)
    }

    /// As [`admit_run`](Self::admit_run) on a node that does not lead: the node itself refuses plain writes.
    fn admit_unchecked(&self, count: usize) -> Result<usize, WriteError> {
        let plain = self.gathered.first(count).take_while(|(_, reads)| reads.is_empty()).count();
        match (count, plain) {
            (1.., 0) => {
                let master = self.node.progress().master;
                Err(self.core.propose_error(ProposeError::NotMaster { master }))
            }
            _ => Ok(plain),
        }
    }

    /// Begins to keep what is written, where this node leads a term that it did not before.
    fn begin_window(&mut self) {
        let progress = self.node.progress();
        let last = self.node.terms().last_vlsn().and_then(|last| self.node.terms().entry_at(last));
        let leads = |last: &EntryId| progress.state == NodeState::Master && last.term == progress.term;
        let is_kept = self.conflicts.as_ref().is_some_and(|kept| kept.start().term == progress.term);
        match last.filter(leads) {
            Some(_) if is_kept => {}
            last => self.conflicts = last.map(Conflicts::new),
        }
    }

    /// Entries behind `last` were recorded and not written.
    fn forget_after(&mut self, last: Option<Vlsn>) {
        if let Some((conflicts, last)) = self.conflicts.as_mut().zip(last) {
            conflicts.forget_after(last);
        }
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

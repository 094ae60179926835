use super::event_loop::EventLoop;
use crate::admission::{Answer, Grant};
use crate::commit::{CommitExtent, CommitResult, Committed};
use crate::kv;
use crate::payloads::Payloads;
use crate::{CommitOutcome, ReadError, ReadOutcome, WriteError};
use bytes::Bytes;
use quorate_core::{EntryId, GroupUuid, Time};
use quorate_policy::{CommitDurability, CommitToken, ConsistencyPolicy, ReplicaAckPolicy, SyncPolicy};
use quorate_replica::PeerProgress;

impl EventLoop {
    /// Answers everybody whose outcome the last events have decided, and everybody whose time is over.
    pub(super) fn settle(&mut self) {
        if self.waits_for_owner() {
            return;
        }
        self.settle_commits();
        self.settle_reads();
        self.settle_forwards(self.core.clock.now());
        self.pauses.end(self.core.clock.now());
    }

    fn settle_commits(&mut self) {
        if self.commits.is_empty() {
            return;
        }
        let decided = self.commits.advance(&self.node.progress(), self.node.terms());
        if !decided.is_empty() {
            let waiting = self.gathered.len() + self.writes.len();
            self.pace.answered(self.core.clock.now(), decided.len(), waiting);
        }
        for (ticket, outcome) in decided {
            ticket.resolve(self.answer(outcome));
        }
        for (ticket, outcome) in self.commits.expire(self.core.clock.now()) {
            ticket.resolve(self.answer(outcome));
        }
    }

    fn settle_reads(&mut self) {
        if self.reads.is_empty() {
            return;
        }
        let (now, retry_interval) = (self.core.clock.now(), self.node.retry_interval());
        for read in self.reads.take_questions(now, retry_interval) {
            self.node.read(now, read);
        }
        self.carry_out();
        if self.waits_for_owner() {
            return;
        }
        let now = self.core.clock.now();
        let mut decided = self.reads.advance(now, &self.node.progress(), self.node.terms(), self.uuid);
        decided.extend(self.reads.expire(now));
        for (read, outcome) in decided {
            let answer = read_answer(&read.policy, outcome, self.reads.fresh_as_of());
            let tally = &self.core.tally;
            match &answer {
                Ok(_) => {}
                Err(ReadError::TimedOut { .. }) => tally.reads_timed_out.increment(),
                Err(_) => tally.reads_refused.increment(),
            }
            read.ticket.resolve(answer);
        }
    }

    /// Answers all writes under way that nobody will hear of them here.
    pub(super) fn interrupt(&mut self) {
        for (ticket, outcome) in self.commits.abandon() {
            let token = self.uuid.map(|group| CommitToken::new(group, outcome.id()));
            ticket.resolve(Err(WriteError::Interrupted { token }));
        }
        for (ticket, result) in self.forwards.abandon() {
            ticket.resolve(result);
        }
    }

    fn answer(&self, outcome: CommitOutcome) -> CommitResult {
        let Some(group) = self.uuid else { return Err(WriteError::Interrupted { token: None }) };
        let tally = &self.core.tally;
        match outcome {
            CommitOutcome::Done { id, result } => {
                tally.commits.increment();
                self.done(group, id, result).inspect_err(|_| tally.writes_without_effect.increment())
            }
            CommitOutcome::Written { id } => {
                tally.writes_released.increment();
                let token = CommitToken::new(group, id);
                Ok(Committed { token, extent: CommitExtent::Written, result: Bytes::new() })
            }
            CommitOutcome::Lost { id } => {
                tally.commits_rolled_back.increment();
                Err(WriteError::RolledBack { token: CommitToken::new(group, id) })
            }
            CommitOutcome::Unknown { id, durability } => {
                tally.commits_timed_out.increment();
                Err(self.missing_acks(group, id, durability))
            }
        }
    }

    /// What an application's own engine says of an entry is its own affair.
    fn done(&self, group: GroupUuid, id: EntryId, result: Bytes) -> CommitResult {
        match self.core.payloads {
            Payloads::KeyValue => done(group, id, result),
            Payloads::Opaque => {
                let (token, extent) = (CommitToken::new(group, id), CommitExtent::Committed);
                Ok(Committed { token, extent, result })
            }
        }
    }

    fn missing_acks(&self, group: GroupUuid, id: EntryId, durability: CommitDurability) -> WriteError {
        let electable = self.node.members().electable();
        let holds_it = |peer: &PeerProgress| {
            let needs_sync = durability.replica == SyncPolicy::Sync;
            electable.contains(peer.node) && peer.holds.counting(needs_sync) >= Some(id.vlsn)
        };
        let marks = self.node.progress().watermarks;
        let own = if durability.local == SyncPolicy::Sync { marks.durable } else { marks.written };
        let own_copy = self.node.terms().term_at(id.vlsn) == Some(id.term) && own >= Some(id.vlsn);
        let needed = match durability.acks {
            ReplicaAckPolicy::All => electable.len(),
            ReplicaAckPolicy::SimpleMajority => self.core.write_quorum,
            ReplicaAckPolicy::None => 1,
        };
        let received = self.node.peers().filter(holds_it).count() + usize::from(own_copy);
        WriteError::InsufficientAcks { needed, received, token: CommitToken::new(group, id) }
    }
}

/// A duplicate is answered as the first one was.
fn done(group: GroupUuid, id: EntryId, result: Bytes) -> CommitResult {
    match kv::Outcome::decode(&result) {
        Some(kv::Outcome::Refused(refusal)) => Err(WriteError::refused(refusal)),
        Some(kv::Outcome::Duplicate { of, outcome }) => done(group, of, outcome.encode()),
        _ => Ok(Committed { token: CommitToken::new(group, id), extent: CommitExtent::Committed, result }),
    }
}

fn read_answer(policy: &ConsistencyPolicy, outcome: ReadOutcome, fresh_as_of: Option<Time>) -> Answer {
    let timed_out = ReadError::TimedOut { timeout: policy.timeout().unwrap_or_default() };
    match (outcome, policy) {
        (ReadOutcome::Ready, ConsistencyPolicy::TimeConsistency { lag, .. }) if !lag.is_zero() => {
            Ok(Grant { until: fresh_as_of.map(|as_of| as_of + *lag) })
        }
        (ReadOutcome::Ready, _) => Ok(Grant { until: None }),
        (ReadOutcome::CommitLost { by }, ConsistencyPolicy::CommitPointConsistency { token, .. }) => {
            Err(ReadError::CommitLost { token: *token, by })
        }
        (ReadOutcome::TokenTooOld, ConsistencyPolicy::CommitPointConsistency { token, .. }) => {
            Err(ReadError::TokenTooOld { token: *token })
        }
        (ReadOutcome::ForeignGroup, ConsistencyPolicy::CommitPointConsistency { token, .. }) => {
            Err(ReadError::ForeignGroup { token: *token })
        }
        _ => Err(timed_out),
    }
}

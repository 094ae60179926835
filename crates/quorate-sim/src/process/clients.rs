//! What a process does for its clients.

use super::forwarding::{Asked, refusal};
use super::{Effects, Process, Stop};
use crate::SimTime;
use crate::checker::Checker;
use crate::operation::{
    Asker, OperationId, ReadPromise, ReadTicket, Reply, SnapshotTicket, Write, WriteTicket,
};
use bytes::Bytes;
use quorate_core::{EntryId, NodeState, Time, Vlsn};
use quorate_env::kv::{DEFAULT_DATABASE, Outcome};
use quorate_env::{CommitExtent, CommitOutcome, CommitResult, Committed, Conflicts, ReadOutcome, WriteError};
use quorate_policy::{CommitToken, ConsistencyPolicy};
use quorate_replica::{Proposal, ProposeError};
use std::time::Duration;

impl Process {
    /// A client writes, several entries at once or one, which a replica passes on if it does that.
    pub(crate) fn write(
        &mut self,
        now: SimTime,
        wall_micros: u64,
        writes: &[Write],
        checker: &mut Checker,
        effects: &mut Effects,
    ) -> Result<(), Stop> {
        let now = self.clock.local(now);
        self.wall_micros = wall_micros;
        let asked: Vec<Asked> = writes.iter().map(Asked::by_client).collect();
        match self.forward_target() {
            Some(master) => self.forward(now, master, asked, effects),
            None => self.propose(now, &asked, checker, effects)?,
        }
        self.drain(now, checker, effects)
    }

    /// Proposes writes together, and tells whoever asked for them if they are not taken.
    pub(super) fn propose(
        &mut self,
        now: Time,
        asked: &[Asked],
        checker: &mut Checker,
        effects: &mut Effects,
    ) -> Result<(), Stop> {
        let proposals: Vec<Proposal> = asked.iter().map(|asked| asked.proposal.clone()).collect();
        let last = self.node.terms().last_vlsn();
        let proposed = self.admit(last, asked).and_then(|()| {
            let proposed = self.node.propose(now, self.wall_micros, &proposals);
            proposed.map_err(|error| {
                self.forget_after(last);
                refusal(error)
            })
        });
        match proposed {
            Ok(first) => self.register(now, first, asked, checker, effects),
            Err(error) => {
                for Asked { ticket, .. } in asked {
                    self.tell(ticket.asker, Err(error.clone()), effects);
                }
                Ok(())
            }
        }
    }

    /// Makes sure that nothing was written since that these writes depend on, and records what they will
    /// write behind the entry at `last`.
    fn admit(&mut self, last: Option<Vlsn>, asked: &[Asked]) -> Result<(), WriteError> {
        self.begin_window();
        let group = self.group();
        let (Some(conflicts), Some(group)) = (&mut self.conflicts, group) else {
            let depends = asked.iter().any(|asked| !asked.reads.is_empty());
            return if depends { Err(refusal(ProposeError::NotMaster { master: None })) } else { Ok(()) };
        };
        for (Asked { proposal, reads, .. }, offset) in asked.iter().zip(0..) {
            if let Err(error) = conflicts.check_encoded(group, self.node.terms(), reads) {
                self.forget_after(last);
                return Err(error);
            }
            conflicts.record(Vlsn::after(last).advance(offset), proposal.payload.clone());
        }
        Ok(())
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

    fn register(
        &mut self,
        now: Time,
        first: EntryId,
        asked: &[Asked],
        checker: &mut Checker,
        effects: &mut Effects,
    ) -> Result<(), Stop> {
        // What waits is judged before newer writes of a later term wait behind it.
        checker.progressed(self.me, &self.node.progress())?;
        self.resolve(now, checker, effects)?;
        for (asked, offset) in asked.iter().zip(0..) {
            let id = EntryId { term: first.term, vlsn: first.vlsn.advance(offset) };
            let deadline = now + asked.timeout;
            self.commits.register(id, asked.ticket.durability, deadline, asked.ticket);
        }
        Ok(())
    }

    /// A client reads.
    pub(crate) fn read(
        &mut self,
        now: SimTime,
        policy: &ConsistencyPolicy,
        ticket: ReadTicket,
        checker: &mut Checker,
        effects: &mut Effects,
    ) -> Result<(), Stop> {
        let now = self.clock.local(now);
        if matches!(policy, ConsistencyPolicy::Linearizable { .. }) && self.reads_by_lease(now) {
            let reply = self.serve(now, &ticket, ReadOutcome::Ready, checker)?;
            effects.replies.push((ticket.id, reply));
            return Ok(());
        }
        let deadline = now + policy.timeout().unwrap_or_default();
        self.reads.register(now, policy, deadline, ticket);
        self.drain(now, checker, effects)
    }

    /// Whether a client may read linearizably without the node being asked.
    fn reads_by_lease(&mut self, now: Time) -> bool {
        let may = self.node.readable_until().is_some_and(|until| now < until);
        if may {
            self.node.want_lease(now);
        }
        may
    }

    /// A transaction reads, at once, what is applied here.
    pub(crate) fn take_snapshot(
        &mut self,
        ticket: &SnapshotTicket,
        checker: &mut Checker,
        effects: &mut Effects,
    ) -> Result<(), Stop> {
        let snapshot = self.kv.snapshot().map_err(Stop::failed)?;
        let at = snapshot.applied().map_err(Stop::failed)?;
        let position = at.map_or(0, |at| at.vlsn.as_u64());
        let mut values = Vec::with_capacity(ticket.keys.len());
        for key in &ticket.keys {
            let value = snapshot.get(DEFAULT_DATABASE, key).map_err(Stop::failed)?;
            checker.read_shows(key, value.as_ref(), position, None)?;
            values.push(value);
        }
        effects.replies.push((ticket.id, Reply::Snapshot { at, values }));
        Ok(())
    }

    /// The process ends: nobody will hear from it any more.
    pub(crate) fn abandon(mut self) -> Vec<(OperationId, Reply)> {
        let forwarded = self.forwards.abandon().into_iter();
        let forwarded = forwarded.map(|(id, result)| (id, Reply::of(result, None)));
        let own = self.commits.abandon().into_iter().filter_map(|(ticket, _)| match ticket.asker {
            Asker::Client(id) => Some((id, Reply::Unknown(None))),
            Asker::Replica { .. } => None,
        });
        let reads = self.reads.abandon().into_iter().map(|ticket| (ticket.id, Reply::Gone));
        own.chain(forwarded).chain(reads).collect()
    }

    /// Tells callers what the node's progress decides.
    pub(super) fn resolve(
        &mut self,
        now: Time,
        checker: &mut Checker,
        effects: &mut Effects,
    ) -> Result<(), Stop> {
        let progress = self.node.progress();
        let group = self.group();
        for (ticket, outcome) in self.commits.advance(&progress, self.node.terms()) {
            let result = self.judge_write(&ticket, outcome, checker)?;
            self.tell(ticket.asker, result, effects);
        }
        self.settle_forwards(now, progress.watermarks.applied, checker, effects)?;
        for (ticket, outcome) in self.reads.advance(now, &progress, self.node.terms(), group) {
            let reply = self.serve(now, &ticket, outcome, checker)?;
            effects.replies.push((ticket.id, reply));
        }
        Ok(())
    }

    fn judge_write(
        &mut self,
        ticket: &WriteTicket,
        outcome: CommitOutcome,
        checker: &mut Checker,
    ) -> Result<CommitResult, Stop> {
        let id = outcome.id();
        let extent = match outcome {
            CommitOutcome::Done { result, .. } => {
                checker.write_done(id, ticket.durability)?;
                return self.done(id, result, checker);
            }
            CommitOutcome::Written { .. } => {
                checker.write_written(self.me, id, ticket.durability)?;
                CommitExtent::Written
            }
            CommitOutcome::Lost { .. } => {
                checker.write_lost(id)?;
                return Ok(Err(self.token(id).map_or(WriteError::Interrupted { token: None }, |token| {
                    WriteError::RolledBack { token }
                })));
            }
            CommitOutcome::Unknown { .. } => {
                return Ok(Err(WriteError::Interrupted { token: self.token(id) }));
            }
        };
        Ok(self.success(id, extent, Bytes::new()))
    }

    /// A duplicate is answered as the first one was.
    fn done(&mut self, id: EntryId, result: Bytes, checker: &mut Checker) -> Result<CommitResult, Stop> {
        Ok(match Outcome::decode(&result) {
            Some(Outcome::Refused(refusal)) => Err(WriteError::refused(refusal)),
            Some(Outcome::Duplicate { of, .. }) => {
                checker.write_was_done(of)?;
                self.success(of, CommitExtent::Committed, result)
            }
            _ => self.success(id, CommitExtent::Committed, result),
        })
    }

    fn success(&mut self, id: EntryId, extent: CommitExtent, result: Bytes) -> CommitResult {
        let token = self.token(id).ok_or(WriteError::Interrupted { token: None })?;
        Ok(Committed { token, extent, result })
    }

    fn token(&mut self, id: EntryId) -> Option<CommitToken> {
        self.group().map(|group| CommitToken::new(group, id))
    }

    /// Gives up what has waited too long.
    pub(super) fn expire(&mut self, now: Time, effects: &mut Effects) {
        for (ticket, outcome) in self.commits.expire(now) {
            let token = self.token(outcome.id());
            self.tell(ticket.asker, Err(WriteError::Interrupted { token }), effects);
        }
        for (ticket, outcome) in self.reads.expire(now) {
            effects.replies.push((ticket.id, Reply::NotServed(outcome)));
        }
    }

    fn serve(
        &self,
        now: Time,
        ticket: &ReadTicket,
        outcome: ReadOutcome,
        checker: &mut Checker,
    ) -> Result<Reply, Stop> {
        let snapshot = self.kv.snapshot().map_err(Stop::failed)?;
        let position = snapshot.applied().map_err(Stop::failed)?.map_or(0, |applied| applied.vlsn.as_u64());
        if let ReadPromise::Commit(token) = &ticket.promise {
            checker.token_judged(token, outcome, position)?;
        }
        if outcome != ReadOutcome::Ready {
            return Ok(Reply::NotServed(outcome));
        }
        let floor = match ticket.promise {
            ReadPromise::Everything { floor } => Some(floor),
            ReadPromise::AtMostOld(lag) => {
                let as_of = self.clock.global(Time::from_nanos(now.as_nanos().saturating_sub(nanos(lag))));
                checker.read_is_recent(position, as_of)?;
                None
            }
            ReadPromise::Anything | ReadPromise::Commit(_) => None,
        };
        let value: Option<Bytes> = snapshot.get(DEFAULT_DATABASE, &ticket.key).map_err(Stop::failed)?;
        checker.read_shows(&ticket.key, value.as_ref(), position, floor)?;
        Ok(Reply::Value(value))
    }
}

fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

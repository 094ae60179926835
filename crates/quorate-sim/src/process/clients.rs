//! What a process does for its clients.

use super::{Effects, Process, Stop};
use crate::SimTime;
use crate::checker::Checker;
use crate::operation::{OperationId, ReadPromise, ReadTicket, Reply, SnapshotTicket, Write, WriteTicket};
use bytes::Bytes;
use quorate_codec::ReadSet;
use quorate_core::{EntryId, NodeState, Time, Vlsn};
use quorate_env::kv::{DEFAULT_DATABASE, Outcome};
use quorate_env::{CommitOutcome, Conflicts, ReadOutcome};
use quorate_policy::{CommitToken, ConsistencyPolicy};
use quorate_replica::{Node, Proposal, ProposeError};
use std::time::Duration;

/// How long a write waits for its acknowledgements.
const ACK_TIMEOUT: Duration = Duration::from_secs(3);

impl Process {
    /// A client writes, several entries at once or one.
    pub(crate) fn write(
        &mut self,
        now: SimTime,
        wall_micros: u64,
        writes: &[Write],
        checker: &mut Checker,
        effects: &mut Effects,
    ) -> Result<(), Stop> {
        let local = self.clock.local(now);
        let proposal =
            |write: &Write| Proposal { payload: write.payload().into(), durability: write.durability };
        let proposals: Vec<Proposal> = writes.iter().map(proposal).collect();
        let last = self.node.terms().last_vlsn();
        let proposed = self.admit(last, writes, &proposals).and_then(|()| {
            let proposed = self.node.propose(local, wall_micros, &proposals);
            proposed.map_err(|error| {
                self.forget_after(last);
                Reply::Refused(error)
            })
        });
        match proposed {
            Ok(first) => self.register(local, first, writes, checker, effects)?,
            Err(reply) => effects.replies.extend(writes.iter().map(|write| (write.id, reply.clone()))),
        }
        self.drain(local, checker, effects)
    }

    /// Makes sure that nothing was written since that these writes depend on, and records what they will
    /// write behind the entry at `last`.
    fn admit(&mut self, last: Option<Vlsn>, writes: &[Write], proposals: &[Proposal]) -> Result<(), Reply> {
        self.begin_window();
        let Some(conflicts) = &mut self.conflicts else {
            let master = self.node.progress().master;
            let depends = writes.iter().any(|write| write.reads().is_some());
            let refused = Reply::Refused(ProposeError::NotMaster { master });
            return if depends { Err(refused) } else { Ok(()) };
        };
        for ((write, proposal), offset) in writes.iter().zip(proposals).zip(0..) {
            if write.reads().is_some_and(|reads| !still_holds(conflicts, &self.node, reads)) {
                self.forget_after(last);
                return Err(Reply::Conflict);
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
        writes: &[Write],
        checker: &mut Checker,
        effects: &mut Effects,
    ) -> Result<(), Stop> {
        // What waits is judged before newer writes of a later term wait behind it.
        checker.progressed(self.me, &self.node.progress())?;
        self.resolve(now, checker, effects)?;
        for (write, offset) in writes.iter().zip(0..) {
            let id = EntryId { term: first.term, vlsn: first.vlsn.advance(offset) };
            let ticket = WriteTicket { id: write.id, durability: write.durability };
            self.commits.register(id, write.durability, now + ACK_TIMEOUT, ticket);
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
        let deadline = now + policy.timeout().unwrap_or_default();
        self.reads.register(now, policy, deadline, ticket);
        self.drain(now, checker, effects)
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
        let writes = self.commits.abandon().into_iter().map(|(ticket, _)| (ticket.id, Reply::Unknown(None)));
        let reads = self.reads.abandon().into_iter().map(|ticket| (ticket.id, Reply::Gone));
        writes.chain(reads).collect()
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
            let reply = self.judge_write(&ticket, outcome, checker)?;
            effects.replies.push((ticket.id, reply));
        }
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
    ) -> Result<Reply, Stop> {
        let group = self.group();
        Ok(match outcome {
            CommitOutcome::Done { id, result } => {
                checker.write_done(id, ticket.durability)?;
                match Outcome::decode(&result) {
                    Some(Outcome::Refused(_)) => Reply::WithoutEffect,
                    Some(Outcome::Duplicate { of, .. }) => {
                        checker.write_was_done(of)?;
                        group.map_or(Reply::Unknown(None), |group| Reply::Done(CommitToken::new(group, of)))
                    }
                    _ => group.map_or(Reply::Unknown(None), |group| Reply::Done(CommitToken::new(group, id))),
                }
            }
            CommitOutcome::Written { id } => {
                checker.write_written(self.me, id, ticket.durability)?;
                Reply::Written
            }
            CommitOutcome::Lost { id } => {
                checker.write_lost(id)?;
                Reply::Lost
            }
            CommitOutcome::Unknown { id, .. } => {
                Reply::Unknown(group.map(|group| CommitToken::new(group, id)))
            }
        })
    }

    /// Gives up what has waited too long.
    pub(super) fn expire(&mut self, now: Time, effects: &mut Effects) {
        let group = self.group();
        for (ticket, outcome) in self.commits.expire(now) {
            let CommitOutcome::Unknown { id, .. } = outcome else { continue };
            effects.replies.push((ticket.id, Reply::Unknown(group.map(|group| CommitToken::new(group, id)))));
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

/// Whether nothing that was read has been written since, as far as this master can tell.
fn still_holds(conflicts: &mut Conflicts, node: &Node, reads: &ReadSet) -> bool {
    let is_ours = |id: EntryId| node.terms().term_at(id.vlsn) == Some(id.term);
    reads.snapshot().is_some_and(is_ours) && conflicts.check(reads).is_ok()
}

fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

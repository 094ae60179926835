//! The replica's half: following a master, being fed, acknowledging, recovering.

use crate::messages::{Heartbeat, HeartbeatReply, Message};
use crate::node::{Node, Role};
use crate::{Event, Halt, ReadFailure};
use alloc::collections::VecDeque;
use bytes::Bytes;
use quorate_codec::decode;
use quorate_core::{EntryId, NodeId, Term, Time, Vlsn};
use quorate_stream::{Arrival, ReplicaStream, StreamId, StreamMessage, SyncupAnswer};

/// What a node keeps while it follows the master of one term.
#[derive(Debug)]
pub(crate) struct Following {
    term: Term,
    master: NodeId,
    stream: Option<ReplicaStream>,
    /// Frames that came while the log is being truncated.
    held: VecDeque<Arrived>,
    held_bytes: usize,
    /// The commit point, as the master has told on the present stream.
    committed_at_master: Option<Vlsn>,
    /// When to begin a new stream, if nothing has come by then.
    retry_at: Option<Time>,
    /// What the master trimmed last, where this node lacks it.
    restore_needed: Option<EntryId>,
}

#[derive(Debug)]
struct Arrived {
    stream: StreamId,
    committed: Option<Vlsn>,
    first: Option<Vlsn>,
    frames: Bytes,
}

impl Following {
    const fn new(term: Term, master: NodeId) -> Self {
        Self {
            term,
            master,
            stream: None,
            held: VecDeque::new(),
            held_bytes: 0,
            committed_at_master: None,
            retry_at: None,
            restore_needed: None,
        }
    }

    pub(crate) const fn term(&self) -> Term {
        self.term
    }

    pub(crate) const fn master(&self) -> NodeId {
        self.master
    }

    pub(crate) const fn deadline(&self) -> Option<Time> {
        self.retry_at
    }

    pub(crate) const fn restore_needed(&self) -> Option<EntryId> {
        self.restore_needed
    }

    fn matched(&self) -> Option<StreamId> {
        self.stream.as_ref().filter(|stream| stream.is_matched()).map(ReplicaStream::stream)
    }
}

impl Node {
    pub(crate) fn receive_heartbeat(&mut self, now: Time, from: NodeId, heartbeat: &Heartbeat) {
        if !self.accept(now, from, heartbeat.term) || self.led_term() == Some(heartbeat.term) {
            return;
        }
        self.counters.heartbeats_received += 1;
        self.election.heartbeat(now, heartbeat.round_trip);
        self.follow(now, from, heartbeat.term);
        self.check_stream(now, heartbeat);
        // An acknowledgement may have been lost, and nothing else would ever repeat it.
        self.acknowledge();
        if let Some(trim) = heartbeat.trim {
            self.trim_log(trim);
        }
        let (term, sequence) = (heartbeat.term, heartbeat.sequence);
        let granted = heartbeat.lease.is_some_and(|span| self.grant_lease(now, term, sequence, span));
        let applied = self.applying.applied_within_committed();
        let engine_durable = self.applying.engine_durable();
        let reply = HeartbeatReply { term, sequence, applied, engine_durable, granted };
        self.send(from, Message::HeartbeatReply(reply));
    }

    fn follow(&mut self, now: Time, master: NodeId, term: Term) {
        if let Role::Following(following) = &self.role
            && following.term == term
        {
            return;
        }
        self.fail_reads(ReadFailure::MasterChanged);
        self.role = Role::Following(Following::new(term, master));
        self.begin_stream(now);
    }

    /// The master is no longer heard, or no longer counts; the election knows that already.
    pub(crate) fn unfollow(&mut self) {
        if matches!(self.role, Role::Following(_)) && !breaks!(self.config.mutation, AcknowledgedAfterPromise)
        {
            self.fail_reads(ReadFailure::MasterChanged);
            self.role = Role::Unknown;
        }
    }

    /// Asks the master to be fed, under a name that was never used before.
    pub(crate) fn begin_stream(&mut self, now: Time) {
        self.streams_begun += 1;
        let stream = StreamId(self.hard.open_count << 32 | u64::from(self.streams_begun));
        let retry_at = now + self.retry_interval();
        let Role::Following(following) = &mut self.role else { return };
        let (term, master) = (following.term, following.master);
        following.stream = Some(ReplicaStream::new(term, stream, now));
        following.held.clear();
        following.held_bytes = 0;
        following.retry_at = Some(retry_at);
        self.counters.syncups += 1;
        let syncup = StreamMessage::Syncup { term, stream, table: self.log.terms.clone() };
        self.send(master, Message::Stream(syncup));
    }

    /// Gives up the stream: the log cannot be cut as it needs before a damaged entry is healed.
    pub(crate) fn leave_stream(&mut self) {
        if let Role::Following(following) = &mut self.role {
            following.stream = None;
            following.held.clear();
            following.held_bytes = 0;
            following.retry_at = None;
        }
    }

    /// Compares what the master says it has sent with what has come.
    fn check_stream(&mut self, now: Time, heartbeat: &Heartbeat) {
        let retry_at = now + self.retry_interval();
        let last = self.log.terms.last_vlsn();
        let truncating = self.log.is_truncating();
        let Role::Following(following) = &mut self.role else { return };
        let Some(matched) = following.matched() else { return };
        if heartbeat.stream != Some(matched) {
            // The master's half is gone. Its word may have been on its way since before it answered, hence no haste.
            if following.retry_at.is_none() {
                following.retry_at = Some(retry_at);
            }
        } else if heartbeat.sent > last && !truncating {
            following.retry_at = following.retry_at.or(Some(retry_at));
        } else {
            following.retry_at = None;
            self.learn_commit(heartbeat.committed);
        }
    }

    pub(crate) fn resync_if_due(&mut self, now: Time) {
        if let Role::Following(following) = &self.role
            && following.retry_at.is_some_and(|at| now >= at)
        {
            self.begin_stream(now);
        }
    }

    pub(crate) fn receive_syncup_reply(
        &mut self,
        now: Time,
        from: NodeId,
        term: Term,
        stream: StreamId,
        answer: SyncupAnswer,
        written: Option<Vlsn>,
    ) {
        if !self.accept(now, from, term) {
            return;
        }
        let retry_at = now + self.timing().election_timeout();
        let Role::Following(following) = &mut self.role else { return };
        match following.stream.as_mut().and_then(|current| current.answered(term, stream, answer)) {
            None => {}
            Some(Err(base)) => {
                following.retry_at = Some(retry_at);
                if following.restore_needed.replace(base) != Some(base) {
                    self.event(Event::RestoreNeeded { base });
                }
            }
            Some(Ok(matchpoint)) => {
                following.retry_at = None;
                following.restore_needed = None;
                self.cut_to(now, matchpoint, term, written);
            }
        }
    }

    /// Makes this log a prefix of the master's: only what conflicts is cut, and never what is known to be committed.
    fn cut_to(&mut self, now: Time, matchpoint: Option<EntryId>, term: Term, written: Option<Vlsn>) {
        let keep = matchpoint.map(|entry| entry.vlsn);
        let committed = self.applying.committed();
        self.repairing.forget_cut();
        if keep < committed {
            return self.halt(Halt::RollbackProhibited { matchpoint, committed });
        }
        if self.hard.recovering && self.refill_target.is_none_or(|(earlier, _)| earlier < term) {
            let target = mistake!(self.config.mutation, RecoveryEndsAtMatchpoint => keep; written);
            self.refill_target = Some((term, target));
        }
        if keep < self.log.terms.last_vlsn() {
            self.truncate(keep);
        } else {
            self.resume_stream(now);
        }
    }

    /// The log is what the stream needs it to be: acknowledge it, and take in what came meanwhile.
    pub(crate) fn resume_stream(&mut self, now: Time) {
        self.acknowledge();
        let Role::Following(following) = &mut self.role else { return };
        let term = following.term;
        let held = core::mem::take(&mut following.held);
        following.held_bytes = 0;
        for Arrived { stream, committed, first, frames } in held {
            self.take_in(now, term, stream, committed, first, frames);
        }
    }

    pub(crate) fn receive_append(
        &mut self,
        now: Time,
        from: NodeId,
        term: Term,
        stream: StreamId,
        committed: Option<Vlsn>,
        first: Option<Vlsn>,
        frames: Bytes,
    ) {
        if !self.accept(now, from, term) {
            return;
        }
        let truncating = self.log.is_truncating();
        let window = self.config.window_bytes_max;
        let Role::Following(following) = &mut self.role else { return };
        if following.term != term || following.matched() != Some(stream) {
            return;
        }
        if !truncating {
            return self.take_in(now, term, stream, committed, first, frames);
        }
        // What does not fit is missed, and the stream begins anew.
        if following.held_bytes <= window {
            following.held_bytes += frames.len();
            following.held.push_back(Arrived { stream, committed, first, frames });
        }
    }

    fn take_in(
        &mut self,
        now: Time,
        term: Term,
        stream: StreamId,
        committed: Option<Vlsn>,
        first: Option<Vlsn>,
        frames: Bytes,
    ) {
        let last = self.log.terms.last();
        let retry_at = now + self.retry_interval();
        let Role::Following(following) = &mut self.role else { return };
        let Some(current) = &following.stream else { return };
        if let Some(first) = first {
            match current.arrival(term, stream, first, last.map(|last| last.vlsn)) {
                Arrival::Duplicate => return,
                Arrival::OutOfPlace => {
                    // Something was lost on the way: a new stream begins, unless the rest was merely overtaken.
                    following.retry_at = following.retry_at.or(Some(retry_at));
                    return;
                }
                Arrival::Next => {}
            }
            let term_min = last.map_or(Term::ZERO, |last| last.term);
            let Ok(batch) = decode(frames, first, self.log.chain, term_min) else {
                self.counters.refused_frames += 1;
                return self.begin_stream(now);
            };
            if batch.last().term > term {
                self.counters.refused_frames += 1;
                return;
            }
            following.retry_at = None;
            self.counters.entries_received += batch.count() as u64;
            self.counters.bytes_received += batch.bytes() as u64;
            let relaxed = batch.has_relaxed_replica_entry().then(|| batch.last().vlsn);
            let sync = batch.needs_sync(false);
            self.append(now, batch, sync, relaxed);
        }
        self.learn_commit(committed);
    }

    /// The master says that entries up to `committed` are; on a matched stream this log holds the same ones, as far as it goes.
    fn learn_commit(&mut self, committed: Option<Vlsn>) {
        let Role::Following(following) = &mut self.role else { return };
        if following.matched().is_some() && !self.log.is_truncating() {
            following.committed_at_master = following.committed_at_master.max(committed);
        }
    }

    /// What the master has said to be committed, as far as it is written here.
    pub(crate) fn advance_learned_commit(&mut self) {
        let Role::Following(following) = &self.role else { return };
        if following.matched().is_some() && !self.log.is_truncating() {
            self.applying.commit(following.committed_at_master.min(self.log.written));
        }
    }

    /// Tells the master what this log holds.
    pub(crate) fn acknowledge(&mut self) {
        let truncating = self.log.is_truncating();
        let Role::Following(following) = &self.role else { return };
        let (term, master) = (following.term, following.master);
        let Some(stream) = following.matched().filter(|_| !truncating) else { return };
        let counts = !self.hard.recovering;
        let durable = self.log.durable;
        let written = if counts { self.log.own_holds().written } else { self.log.written };
        if counts && self.log.counts_unsynced() {
            self.mark_unsynced();
        }
        self.counters.acks_sent += 1;
        self.send(master, Message::Stream(StreamMessage::Ack { term, stream, written, durable, counts }));
    }

    /// A recovering node counts again once its log equals, fsynced, what the master held when it was asked.
    pub(crate) fn finish_recovery(&mut self) {
        if !self.hard.recovering || self.log.is_truncating() {
            return;
        }
        let Role::Following(following) = &self.role else { return };
        let (Some(_), Some((_, target))) = (following.matched(), self.refill_target) else { return };
        if let Some(ahead) = self.applying.engine_ahead() {
            match self.log.terms.term_at(ahead.vlsn) {
                None => return,
                Some(term) if term != ahead.term => return self.halt(Halt::EngineForeign { applied: ahead }),
                Some(_) if self.log.durable < Some(ahead.vlsn) => return,
                Some(_) => self.applying.engine_confirmed(),
            }
        }
        if self.log.durable >= target && !self.repairing.is_damaged() {
            self.recovered();
            self.acknowledge();
        }
    }

    pub(crate) fn recovered(&mut self) {
        self.hard.recovering = false;
        self.hard.unsynced_mark = None;
        self.refill_target = None;
        self.store_hard_state();
        self.event(Event::Recovered);
    }
}

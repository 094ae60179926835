//! Committed entries on their way into the engine.

use crate::node::Node;
use crate::{LogReadFor, Output};
use core::time::Duration;
use quorate_codec::suffix;
use quorate_core::{Batch, EntryId, TermTable, Time, Vlsn};

#[derive(Debug)]
pub(crate) struct Applying {
    committed: Option<Vlsn>,
    applied: Option<Vlsn>,
    engine_durable: Option<Vlsn>,
    /// The last entry handed to the engine.
    handed: Option<Vlsn>,
    in_flight_bytes: usize,
    reading: bool,
    /// After a failed read of damaged entries: not again before.
    read_again_at: Option<Time>,
    flush_at: Time,
    flushing: bool,
    /// What the engine was found to hold and the log does not.
    engine_ahead: Option<EntryId>,
}

/// How many bytes go to the engine at once.
const APPLY_BYTES_MAX: usize = 1 << 20;

impl Applying {
    pub(crate) fn new(engine_applied: Option<EntryId>, terms: &TermTable, now: Time) -> Self {
        let base = terms.base().map(|base| base.vlsn);
        let known = engine_applied.filter(|applied| terms.term_at(applied.vlsn) == Some(applied.term));
        let committed = known.map(|applied| applied.vlsn).max(base);
        let applied = engine_applied.map(|applied| applied.vlsn);
        Self {
            committed,
            applied,
            // What was trimmed was durable there, as long as this is the engine that it was trimmed for.
            engine_durable: base.min(applied),
            handed: applied,
            in_flight_bytes: 0,
            reading: false,
            read_again_at: None,
            flush_at: now,
            flushing: false,
            engine_ahead: engine_applied.filter(|_| known.is_none()),
        }
    }

    pub(crate) const fn committed(&self) -> Option<Vlsn> {
        self.committed
    }

    pub(crate) const fn engine_durable(&self) -> Option<Vlsn> {
        self.engine_durable
    }

    pub(crate) const fn engine_ahead(&self) -> Option<EntryId> {
        self.engine_ahead
    }

    pub(crate) const fn engine_confirmed(&mut self) {
        self.engine_ahead = None;
    }

    /// What is applied, not counting what an engine that was found ahead of its log holds beyond the commit point.
    pub(crate) fn applied_within_committed(&self) -> Option<Vlsn> {
        self.applied.min(self.committed)
    }

    pub(crate) const fn in_flight_bytes(&self) -> usize {
        self.in_flight_bytes
    }

    pub(crate) fn commit(&mut self, committed: Option<Vlsn>) -> bool {
        let advanced = committed > self.committed;
        self.committed = self.committed.max(committed);
        advanced
    }

    pub(crate) fn applied(&mut self, last: Vlsn, bytes: usize) {
        self.applied = self.applied.max(Some(last));
        self.in_flight_bytes = self.in_flight_bytes.saturating_sub(bytes);
    }

    pub(crate) const fn read_failed(&mut self, again_at: Time) {
        self.reading = false;
        self.read_again_at = Some(again_at);
    }

    pub(crate) fn read_again(&mut self) {
        self.read_again_at = None;
    }

    pub(crate) fn flush_deadline(&self) -> Option<Time> {
        (!self.flushing && self.applied_within_committed() > self.engine_durable).then_some(self.flush_at)
    }
}

impl Node {
    /// Hands committed entries to the engine, a bounded number of bytes at a time.
    pub(crate) fn pump_apply(&mut self) {
        while self.applying.in_flight_bytes
            < self.config.apply_lag_bytes_max.min(self.config.window_bytes_max)
            && !self.applying.reading
            && self.applying.read_again_at.is_none()
            && self.applying.engine_ahead.is_none()
            && self.applying.committed > self.applying.handed
            && let Some(through) = self.applying.committed
        {
            let from = Vlsn::after(self.applying.handed);
            if let Some(batch) = self.log.tail.read(from, through, APPLY_BYTES_MAX) {
                self.hand_to_engine(batch);
            } else {
                self.applying.reading = true;
                self.counters.log_reads += 1;
                self.push(Output::ReadLog {
                    reader: LogReadFor::Apply,
                    from,
                    through,
                    bytes_max: APPLY_BYTES_MAX,
                });
            }
        }
    }

    pub(crate) fn apply_read(&mut self, batch: Batch) {
        self.applying.reading = false;
        let next = Vlsn::after(self.applying.handed);
        if let Some(batch) = suffix(&batch, next).filter(|batch| batch.first() == next) {
            self.hand_to_engine(batch);
        }
    }

    fn hand_to_engine(&mut self, batch: Batch) {
        assert!(Some(batch.last().vlsn) <= self.applying.committed, "only committed entries are applied");
        self.applying.handed = Some(batch.last().vlsn);
        self.applying.in_flight_bytes += batch.bytes();
        self.push(Output::Apply { batch });
    }

    pub(crate) fn flush_engine_if_due(&mut self, now: Time) {
        if self.applying.read_again_at.is_some_and(|at| now >= at) {
            self.applying.read_again();
        }
        if self.applying.flush_deadline().is_none_or(|at| now < at) {
            return;
        }
        self.applying.flush_at = now + self.config.engine_flush_interval;
        // The engine may not hold durably what the log does not.
        if self.log.durable >= self.applying.handed {
            self.applying.flushing = true;
            self.push(Output::FlushEngine);
        } else {
            self.sync_log();
            self.applying.flush_at = now + Duration::from_millis(10).min(self.config.engine_flush_interval);
        }
    }

    pub(crate) fn engine_applied(&mut self, last: Vlsn, bytes: usize) {
        self.applying.applied(last, bytes);
        if breaks!(self.config.mutation, AppliedTakenForDurable) {
            self.engine_flushed(Some(last));
        }
    }

    pub(crate) fn engine_flushed(&mut self, durable: Option<Vlsn>) {
        self.applying.flushing = false;
        let known = durable.min(self.applying.applied_within_committed()).min(self.log.durable);
        self.applying.engine_durable = self.applying.engine_durable.max(known);
    }
}

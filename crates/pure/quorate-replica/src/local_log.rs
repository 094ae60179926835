//! This node's own log, as the protocol sees it: what was handed to the log writer, and what the writer has said since.

use crate::messages::Message;
use crate::node::{Node, Role};
use crate::tail::Tail;
use crate::{Event, Halt, LogReadFor, Output};
use alloc::format;
use alloc::vec::Vec;
use quorate_core::{Batch, DamagedRange, EntryId, LogError, LogSummary, TermTable, Time, Truncated, Vlsn};
use quorate_stream::Holds;

#[derive(Debug)]
pub(crate) struct LocalLog {
    /// Of everything handed to the log writer.
    pub(crate) terms: TermTable,
    /// Header checksum of the last frame handed over.
    pub(crate) chain: u32,
    pub(crate) written: Option<Vlsn>,
    pub(crate) durable: Option<Vlsn>,
    pub(crate) tail: Tail,
    /// Counts truncations; completions of an older epoch say nothing of the present log.
    epoch: u64,
    truncating: bool,
    /// The last entry whose copy here counts once written.
    relaxed: Option<Vlsn>,
    sync_wanted_at: Option<Time>,
}

impl LocalLog {
    pub(crate) fn new(summary: LogSummary, tail_bytes_max: usize) -> Self {
        Self {
            written: summary.terms.last_vlsn(),
            durable: summary.durable,
            terms: summary.terms,
            chain: summary.chain,
            tail: Tail::new(tail_bytes_max),
            epoch: 0,
            truncating: false,
            relaxed: None,
            sync_wanted_at: None,
        }
    }

    pub(crate) const fn sync_wanted_at(&self) -> Option<Time> {
        self.sync_wanted_at
    }

    pub(crate) const fn is_truncating(&self) -> bool {
        self.truncating
    }

    /// Whether some entry counts here although it is not fsynced.
    pub(crate) fn counts_unsynced(&self) -> bool {
        self.relaxed > self.durable && self.written > self.durable
    }

    /// What counts of this node's own copies, if a mark is set where [`counts_unsynced`](Self::counts_unsynced).
    pub(crate) fn own_holds(&self) -> Holds {
        let written = if self.counts_unsynced() { self.written } else { self.durable };
        Holds { written, durable: self.durable }
    }

    pub(crate) fn trimmed(&mut self, base: Option<EntryId>) {
        if let Some(base) = base {
            self.terms.trim_through(base.vlsn);
        }
    }

    /// The log is as long as it was: nothing was cut off.
    fn put_back(&mut self, log: LogSummary) {
        self.truncating = false;
        self.written = log.terms.last_vlsn();
        self.durable = log.durable;
        self.terms = log.terms;
        self.chain = log.chain;
        self.tail.clear();
    }

    fn is_current(&self, epoch: u64) -> bool {
        epoch == self.epoch && !self.truncating
    }
}

impl Node {
    /// Hands a batch that follows the last entry to the log writer.
    pub(crate) fn append(&mut self, now: Time, batch: Batch, sync: bool, relaxed: Option<Vlsn>) {
        self.log.terms.append(&batch);
        self.log.chain = batch.chain_after();
        self.log.relaxed = self.log.relaxed.max(relaxed);
        self.log.tail.push(batch.clone(), self.log.written);
        if !sync && self.log.sync_wanted_at.is_none() {
            self.log.sync_wanted_at = Some(now + self.config.relaxed_sync_interval);
        }
        self.push(Output::Append { batch, sync, epoch: self.log.epoch });
    }

    pub(crate) fn sync_log(&mut self) {
        self.log.sync_wanted_at = None;
        self.push(Output::Sync { epoch: self.log.epoch });
    }

    pub(crate) fn log_written(&mut self, epoch: u64, last: Vlsn) {
        if !self.log.is_current(epoch) {
            return;
        }
        self.log.written = self.log.written.max(Some(last));
        self.log.tail.evict(self.log.written);
        if self.log.counts_unsynced() {
            self.acknowledge();
        }
    }

    pub(crate) fn log_durable(&mut self, epoch: u64, last: Vlsn) {
        if !self.log.is_current(epoch) {
            return;
        }
        let handed = self.log.terms.last_vlsn();
        let last = mistake!(self.config.mutation, DurableCountsHanded => handed; Some(last));
        self.log.written = self.log.written.max(last);
        self.log.durable = self.log.durable.max(last);
        if self.log.durable >= handed {
            self.log.sync_wanted_at = None;
        }
        self.acknowledge();
    }

    /// Drops everything behind `keep`, which the master does not hold.
    pub(crate) fn truncate(&mut self, keep: Option<Vlsn>) {
        self.log.epoch += 1;
        self.log.truncating = true;
        self.log.terms.truncate_after(keep);
        if !breaks!(self.config.mutation, TailSurvivesTruncation) {
            self.log.tail.truncate_after(keep);
        }
        self.log.written = self.log.written.min(keep);
        self.log.durable = self.log.durable.min(keep);
        self.log.relaxed = self.log.relaxed.min(keep);
        self.push(Output::Truncate { keep, epoch: self.log.epoch });
    }

    /// Damage that went with what was trimmed is damage no more: no peer could ever send it.
    pub(crate) fn log_trimmed(&mut self, now: Time, base: Option<EntryId>, damaged: Vec<DamagedRange>) {
        self.log.trimmed(base);
        self.log_damaged(now, damaged);
    }

    pub(crate) fn log_truncated(&mut self, now: Time, epoch: u64, truncated: Truncated, log: &LogSummary) {
        self.log_damaged(now, log.damaged.clone());
        self.counters.entries_rolled_back += truncated.count;
        if truncated.dropped.is_some() {
            self.event(Event::RolledBack(truncated));
        }
        if epoch != self.log.epoch {
            return;
        }
        if log.terms.last() != self.log.terms.last() {
            let found = log.terms.last();
            return self
                .fail(format!("the log ends at {found:?} after a truncation, not at {:?}", self.last()));
        }
        self.log.truncating = false;
        self.log.chain = log.chain;
        self.log.written = log.terms.last_vlsn();
        self.log.durable = log.durable;
        self.resume_stream(now);
    }

    /// The log could not be cut behind an entry that is damaged. That one is fetched from a peer first; then a new stream
    /// asks the master again where to cut. Until then nothing of the log is acknowledged.
    pub(crate) fn log_not_truncated(&mut self, now: Time, epoch: u64, log: LogSummary) {
        if epoch != self.log.epoch {
            return self.log_damaged(now, log.damaged);
        }
        let keep = self.log.terms.last();
        let Some(keep) = keep.filter(|keep| log.damaged.iter().any(|range| range.contains(keep.vlsn))) else {
            return self
                .fail(format!("the log cannot be cut behind {keep:?}, though that entry is not damaged"));
        };
        let damaged = log.damaged.clone();
        self.log.put_back(log);
        self.leave_stream();
        self.repairing.heal_before_cut(keep, damaged, now);
    }

    pub(crate) fn log_read(&mut self, now: Time, reader: LogReadFor, result: Result<Batch, LogError>) {
        match (reader, result) {
            (LogReadFor::Feeder { node, stream }, result) => self.feeder_read(node, stream, result),
            (LogReadFor::Repair { node }, Ok(batch)) => {
                let (first, frames) = (batch.first(), batch.frames().clone());
                self.send(node, Message::Repair { first, frames });
            }
            (LogReadFor::Repair { .. }, Err(_)) => {}
            (LogReadFor::Apply, Ok(batch)) => self.apply_read(batch),
            // Known to be damaged by now, or even healed since the read.
            (LogReadFor::Apply, Err(LogError::Damaged { .. })) => {
                self.applying.read_failed(now + self.retry_interval());
            }
            (LogReadFor::Apply, Err(error)) => {
                self.halt(Halt::Failed { reason: format!("the log cannot be read for the engine: {error}") });
            }
        }
    }

    /// Makes sure that this node will know, after a power loss, that it counted entries that it had not fsynced.
    pub(crate) fn mark_unsynced(&mut self) {
        if self.hard.unsynced_mark != Some(self.boot) {
            self.hard.unsynced_mark = Some(self.boot);
            self.store_hard_state();
        }
    }

    /// Whether this node leads, serving or not.
    pub(crate) const fn is_leading(&self) -> bool {
        matches!(self.role, Role::Leading(_))
    }
}

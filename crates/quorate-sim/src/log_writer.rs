//! A node's log writer: one queue, groups, an fsync of its own.

use crate::checker::{Checker, Violation};
use crate::process::{Completion, Stop};
use quorate_core::{Batch, LogError, LogStore, LogSummary, NodeId, StateStoreError, Vlsn};
use quorate_log::Log;
use quorate_replica::Input;
use std::collections::VecDeque;

/// Something for the log writer to do.
#[derive(Debug)]
pub(crate) enum LogJob {
    Append {
        batch: Batch,
        sync: bool,
        epoch: u64,
    },
    Sync {
        epoch: u64,
    },
    Truncate {
        keep: Option<Vlsn>,
        epoch: u64,
    },
    Repair {
        batch: Batch,
    },
    Trim {
        through: Vlsn,
    },
    /// Say what is damaged, then that this read met it.
    TellDamage {
        read: Input,
    },
}

/// What the log writer does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogStep {
    /// It takes the next group, or another job, from the queue.
    Write,
    /// It fsyncs what it wrote.
    Sync,
    /// It has nothing else to do, and does what can be done ahead of need.
    Prepare,
}

/// The log and what waits for it.
pub(crate) struct LogWriter {
    node: NodeId,
    log: Log,
    queue: VecDeque<LogJob>,
    /// Written and to be fsynced: the epoch of the newest append covered.
    sync_due: Option<u64>,
    /// The log has something to do ahead of need.
    wants_preparation: bool,
}

/// How many batches one group takes at most.
const GROUP_BATCHES_MAX: usize = 64;

impl LogWriter {
    pub(crate) fn new(node: NodeId, log: Log) -> Self {
        Self { node, log, queue: VecDeque::new(), sync_due: None, wants_preparation: true }
    }

    pub(crate) const fn log(&self) -> &Log {
        &self.log
    }

    pub(crate) fn push(&mut self, job: LogJob) {
        self.queue.push_back(job);
    }

    /// What there is to do.
    pub(crate) fn next(&self) -> Option<LogStep> {
        match self.sync_due {
            Some(_) => Some(LogStep::Sync),
            None if !self.queue.is_empty() => Some(LogStep::Write),
            None => self.wants_preparation.then_some(LogStep::Prepare),
        }
    }

    /// Whether a truncation is next.
    pub(crate) fn is_about_to_truncate(&self) -> bool {
        matches!(self.queue.front(), Some(LogJob::Truncate { .. }))
    }

    /// Does it, and says what to tell the node.
    pub(crate) fn step(&mut self, checker: &mut Checker) -> Result<Vec<Completion>, Stop> {
        if let Some(epoch) = self.sync_due.take() {
            return Ok(self.sync(epoch, checker)?.into_iter().collect());
        }
        match self.queue.pop_front() {
            None => self.prepare(),
            Some(LogJob::Append { batch, sync, epoch }) => self.append(batch, sync, epoch, checker),
            Some(LogJob::Sync { epoch }) => {
                self.sync_due = Some(epoch);
                Ok(Vec::new())
            }
            Some(LogJob::Truncate { keep, epoch }) => self.truncate(keep, epoch, checker),
            Some(LogJob::Repair { batch }) => self.repair(&batch, checker),
            Some(LogJob::Trim { through }) => {
                self.log.trim_through(through)?;
                let LogSummary { terms, damaged, .. } = self.log.summary();
                checker.trimmed(self.node, terms.base().map(|base| base.vlsn));
                Ok(vec![Input::Trimmed { base: terms.base(), damaged }.into()])
            }
            Some(LogJob::TellDamage { read }) => {
                Ok(vec![Input::Damaged { damaged: self.log.summary().damaged }.into(), read.into()])
            }
        }
    }

    /// A disk that is too full for the next segment may have room again when that is needed.
    fn prepare(&mut self) -> Result<Vec<Completion>, Stop> {
        self.wants_preparation = match self.log.prepare() {
            Err(LogError::DiskFull) => false,
            prepared => prepared?,
        };
        Ok(Vec::new())
    }

    /// Entries that do not fit the damage are refused, and the node may ask another peer.
    fn repair(&mut self, batch: &Batch, checker: &mut Checker) -> Result<Vec<Completion>, Stop> {
        match self.log.repair(batch) {
            Ok(()) | Err(LogError::NotTheDamaged) => {}
            Err(error) => return Err(error.into()),
        }
        let damaged = self.log.summary().damaged;
        checker.was_repaired(self.node, damaged.is_empty());
        Ok(vec![Input::Repaired { damaged }.into()])
    }

    /// Writes this batch and those that wait right behind it as one group.
    fn append(
        &mut self,
        batch: Batch,
        sync: bool,
        epoch: u64,
        checker: &mut Checker,
    ) -> Result<Vec<Completion>, Stop> {
        let (mut batches, mut sync, mut epoch) = (vec![batch], sync, epoch);
        while batches.len() < GROUP_BATCHES_MAX
            && let Some(LogJob::Append { .. }) = self.queue.front()
            && let Some(LogJob::Append { batch, sync: wants_sync, epoch: newest }) = self.queue.pop_front()
        {
            batches.push(batch);
            sync |= wants_sync;
            epoch = newest;
        }
        checker.writing(self.node, &batches);
        self.log.append(&batches)?;
        checker.written(self.node);
        self.wants_preparation = true;
        let last = batches[batches.len() - 1].last().vlsn;
        if sync {
            self.sync_due = Some(epoch);
        }
        Ok(vec![Input::Written { epoch, last }.into()])
    }

    fn sync(&mut self, epoch: u64, checker: &mut Checker) -> Result<Option<Completion>, Stop> {
        let durable = self.log.sync()?;
        checker.synced(self.node, durable)?;
        Ok(durable.map(|last| Input::Durable { epoch, last }.into()))
    }

    fn truncate(
        &mut self,
        keep: Option<Vlsn>,
        epoch: u64,
        checker: &mut Checker,
    ) -> Result<Vec<Completion>, Stop> {
        checker.cutting(self.node, keep);
        let truncated = match self.log.truncate_after(keep) {
            Err(LogError::Damaged { .. }) => {
                checker.was_not_cut(self.node);
                let durable = self.log.sync()?;
                checker.synced(self.node, durable)?;
                return Ok(vec![Input::NotTruncated { epoch, log: self.log.summary() }.into()]);
            }
            truncated => truncated?,
        };
        checker.was_cut(self.node, keep)?;
        Ok(vec![Input::Truncated { epoch, truncated, log: self.log.summary() }.into()])
    }
}

impl From<LogError> for Stop {
    fn from(error: LogError) -> Self {
        match error {
            LogError::DiskFull => Self::DiskFull,
            LogError::Unusable { reason } => Self::Unusable(reason),
            error => Self::failed(error),
        }
    }
}

impl From<StateStoreError> for Stop {
    fn from(error: StateStoreError) -> Self {
        match error {
            StateStoreError::Damaged => Self::Unusable(error.to_string()),
            error => Self::failed(error),
        }
    }
}

impl From<Violation> for Stop {
    fn from(violation: Violation) -> Self {
        Self::Violation(violation)
    }
}

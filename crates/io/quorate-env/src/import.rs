//! Taking many rows into a database: what an application that adopts its present data does once.

mod error;
mod options;
mod row;

pub use error::ImportError;
pub use options::{ImportOptions, Imported};
pub use row::ImportRow;

use crate::core::Core;
use crate::{Commit, Committed, WriteError};
use options::Progress;
use quorate_codec::{DatabaseId, WriteBatch};
use quorate_policy::CommitDurability;
use std::collections::VecDeque;
use std::error::Error;
use std::thread;
use std::time::{Duration, Instant};

/// Rests between attempts: the first, and the longest.
const REST_MIN: Duration = Duration::from_millis(10);
const REST_MAX: Duration = Duration::from_millis(500);

/// Puts rows in batches, several of them under way at a time.
///
/// Batches are committed in order: if one fails, all behind it are waited for, and then it and they are sent
/// again, in order. So of two rows with one key the later one stays, and what was imported is always the
/// source's beginning.
pub(crate) struct Importer<'a> {
    core: &'a Core,
    database: DatabaseId,
    durability: CommitDurability,
    options: ImportOptions,
    progress: Progress<'a>,
    gathered: Batch,
    under_way: VecDeque<(Batch, Commit)>,
    imported: Imported,
    /// When a batch was last committed.
    moved: Instant,
    rest: Duration,
}

#[derive(Default)]
struct Batch {
    operations: WriteBatch,
    rows: u64,
    bytes: u64,
}

impl<'a> Importer<'a> {
    pub(crate) fn new(
        core: &'a Core,
        database: DatabaseId,
        options: ImportOptions,
        progress: Progress<'a>,
    ) -> Self {
        Self {
            core,
            database,
            durability: core.durability_with_result(),
            options,
            progress,
            gathered: Batch::default(),
            under_way: VecDeque::new(),
            imported: Imported::default(),
            moved: Instant::now(),
            rest: REST_MIN,
        }
    }

    /// Puts every row that the source gives.
    pub(crate) fn run<R: ImportRow>(
        mut self,
        source: impl IntoIterator<Item = R>,
    ) -> Result<Imported, ImportError> {
        for row in source {
            match row.into_row() {
                Ok((key, value)) => self.add(key.as_ref(), value.as_ref())?,
                Err(error) => return Err(self.stop_at_source(error)),
            }
        }
        self.finish()?;
        Ok(self.imported)
    }

    fn add(&mut self, key: &[u8], value: &[u8]) -> Result<(), ImportError> {
        if let Err(error) = self.core.limits.check_row(key, value) {
            return Err(self.stop_at_row(error));
        }
        let bytes = key.len() + value.len();
        if self.gathered.bytes > 0 && self.gathered.operations.bytes() + bytes > self.options.batch_bytes {
            self.send_gathered()?;
        }
        self.gathered.operations.put(self.database, key, value);
        self.gathered.rows += 1;
        self.gathered.bytes += bytes as u64;
        Ok(())
    }

    fn send_gathered(&mut self) -> Result<(), ImportError> {
        while self.under_way.len() >= self.options.batches_under_way.max(1) {
            self.settle_first()?;
        }
        let batch = std::mem::take(&mut self.gathered);
        let commit = self.core.submit(&batch.operations, self.durability);
        self.under_way.push_back((batch, commit));
        Ok(())
    }

    fn finish(&mut self) -> Result<(), ImportError> {
        if self.gathered.rows > 0 {
            self.send_gathered()?;
        }
        while !self.under_way.is_empty() {
            self.settle_first()?;
        }
        Ok(())
    }

    /// Waits for the first batch under way; if it failed in a way that passes, it is under way again.
    fn settle_first(&mut self) -> Result<(), ImportError> {
        let Some((batch, commit)) = self.under_way.pop_front() else { return Ok(()) };
        match commit.wait() {
            Ok(committed) => self.count(&batch, &committed),
            Err(error) if self.may_pass(&error) => self.send_again(batch),
            Err(error) => return Err(ImportError::Write { imported: self.imported, error }),
        }
        Ok(())
    }

    fn count(&mut self, batch: &Batch, committed: &Committed) {
        self.imported.rows += batch.rows;
        self.imported.bytes += batch.bytes;
        self.imported.token = Some(committed.token);
        (self.moved, self.rest) = (Instant::now(), REST_MIN);
        (self.progress)(&self.imported);
    }

    /// Putting the same rows once more does no harm, so an unknown outcome is as good as a refusal.
    fn may_pass(&self, error: &WriteError) -> bool {
        let passes = matches!(
            error,
            WriteError::NotMaster { .. }
                | WriteError::InsufficientReplicas { .. }
                | WriteError::InsufficientAcks { .. }
                | WriteError::Interrupted { .. }
                | WriteError::RolledBack { .. }
                | WriteError::Busy
        );
        passes && self.moved.elapsed() < self.options.patience
    }

    fn send_again(&mut self, first: Batch) {
        let rest_of_window: Vec<_> = self.under_way.drain(..).collect();
        let mut batches = vec![first];
        for (batch, commit) in rest_of_window {
            let _ = commit.wait();
            batches.push(batch);
        }
        thread::sleep(self.rest);
        self.rest = (self.rest * 2).min(REST_MAX);
        for batch in batches {
            let commit = self.core.submit(&batch.operations, self.durability);
            self.under_way.push_back((batch, commit));
        }
    }

    /// What came before is committed as far as it can be.
    fn stop_at_source(&mut self, error: Box<dyn Error + Send + Sync>) -> ImportError {
        match self.finish() {
            Ok(()) => ImportError::Source { imported: self.imported, error },
            Err(error) => error,
        }
    }

    fn stop_at_row(&mut self, error: WriteError) -> ImportError {
        match self.finish() {
            Ok(()) => ImportError::Row { imported: self.imported, error },
            Err(error) => error,
        }
    }
}

use super::life::read;
use super::storage::{LOG_DIRECTORY, Storage, StorageError};
use quorate_core::{LogError, LogStore, Term, Vlsn};
use quorate_env::kv::DEFAULT_DATABASE;
use quorate_log::RollbackFile;
use quorate_log::vfs::MemoryVfs;
use std::collections::BTreeMap;
use std::ops::Bound;
use std::path::Path;

/// Everything that can be read of what a node keeps.
#[derive(Clone, Debug)]
pub(crate) struct Contents {
    /// Frames by position.
    pub(crate) frames: BTreeMap<u64, Vec<u8>>,
    /// The engine's rows.
    pub(crate) rows: Vec<(Vec<u8>, Vec<u8>)>,
    /// How many entries the engine holds.
    pub(crate) applied: u64,
    pub(crate) promised: Term,
    /// What each rollback file holds; `None` of one that is refused as damaged.
    pub(crate) rollbacks: BTreeMap<String, Option<Vec<u8>>>,
}

impl Contents {
    /// Reads everything.
    pub(crate) fn of(storage: &Storage, disk: &MemoryVfs) -> Result<Self, StorageError> {
        let summary = storage.log.summary();
        let base = Vlsn::number(summary.terms.base().map(|base| base.vlsn)) as usize;
        let last = Vlsn::number(summary.terms.last_vlsn()) as usize;
        let mut frames = BTreeMap::new();
        for batch in read(&*storage.log.reader(), base, last)? {
            let positions = (0..batch.count() as u64).map(|offset| batch.first().advance(offset));
            frames.extend(positions.filter_map(|vlsn| Some((vlsn.as_u64(), batch.frame(vlsn)?.to_vec()))));
        }
        let mut rows = Vec::new();
        for row in storage.rows.snapshot()?.scan(DEFAULT_DATABASE, Bound::Unbounded, Bound::Unbounded)? {
            let (key, value) = row?;
            rows.push((key.to_vec(), value.to_vec()));
        }
        let applied = Vlsn::number(storage.engine.applied().map(|entry| entry.vlsn));
        let rollbacks = rollbacks(disk)?;
        Ok(Self { frames, rows, applied, promised: storage.hard.promised, rollbacks })
    }

    /// The first thing of `self` that `later` shows otherwise; entries that were trimmed since are no difference.
    pub(crate) fn difference(&self, later: &Self) -> Option<String> {
        let first = later.frames.keys().next().copied().unwrap_or(u64::MAX);
        let changed = self.frames.range(first..).find(|(vlsn, frame)| later.frames.get(vlsn) != Some(frame));
        if let Some((vlsn, _)) = changed {
            return Some(format!("entry {vlsn} reads otherwise"));
        }
        if first == u64::MAX {
            return Some("the log is empty".to_owned());
        }
        if self.rows != later.rows {
            return Some("the engine's rows differ".to_owned());
        }
        if self.promised > later.promised {
            return Some(format!("{:?} was promised, and {:?} is", self.promised, later.promised));
        }
        let kept = |name| later.rollbacks.get(name);
        let lost = self
            .rollbacks
            .iter()
            .find(|(name, bytes)| kept(*name).is_none_or(|kept| kept.is_some() && kept != *bytes));
        lost.map(|(name, _)| format!("{name} reads otherwise"))
    }
}

fn rollbacks(disk: &MemoryVfs) -> Result<BTreeMap<String, Option<Vec<u8>>>, LogError> {
    let mut rollbacks = BTreeMap::new();
    for file in RollbackFile::list(disk, Path::new(LOG_DIRECTORY))? {
        let frames = match file.read(disk) {
            Ok(batches) => {
                Some(batches.iter().flat_map(|batch| batch.frames().iter().copied()).collect::<Vec<u8>>())
            }
            Err(LogError::Unusable { .. }) => None,
            Err(error) => return Err(error),
        };
        let name = file.path.file_name().map(|name| name.to_string_lossy().into_owned());
        rollbacks.insert(name.unwrap_or_default(), frames);
    }
    Ok(rollbacks)
}

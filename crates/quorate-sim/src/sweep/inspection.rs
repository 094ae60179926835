//! What a node's storage must be found to hold after a crash, and that it goes on from there.

use super::ledger::{Ledger, Row};
use super::life::read;
use super::storage::{LOG_DIRECTORY, Storage, StorageError};
use quorate_codec::Encoder;
use quorate_core::{DamagedRange, EntryId, EntryKind, LogError, LogStore, NodeId, Requirement, Term, Vlsn};
use quorate_env::kv::DEFAULT_DATABASE;
use quorate_log::RollbackFile;
use quorate_log::vfs::{MemoryVfs, Retain};
use std::collections::BTreeMap;
use std::ops::Bound;
use std::path::Path;

/// A promise of the storage that a crash has broken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Broken {
    /// Something that a crash must leave usable is not.
    #[error("after the crash {0}")]
    Unusable(#[from] StorageError),
    /// An acknowledged entry is gone, or one is there that was never written.
    #[error("the log ends with entry {found}; {durable} were durable, {written} written")]
    End { found: usize, durable: usize, written: usize },
    /// The log says that it is damaged, and nobody has damaged it.
    #[error("the log calls itself damaged: {0}")]
    Damage(String),
    /// An entry reads other than it was written.
    #[error("the entries behind {from} read other than they were written")]
    Frames { from: usize },
    /// More is gone from the log's beginning than was allowed.
    #[error("the log begins behind entry {base}, and trimming was allowed up to {trimmed}")]
    Trimmed { base: u64, trimmed: u64 },
    /// What was found is not durable though an open log says so.
    #[error("{what} was found, and another one after the next crash")]
    Forgotten { what: &'static str },
    /// The node has forgotten a promise, or made one.
    #[error("{found:?} is promised; {promised:?} had been, and {promising:?} was about to be")]
    Promise { found: Term, promised: Term, promising: Term },
    /// The engine holds something else than it was flushed with.
    #[error("the engine holds {found} entries; {flushed} had been flushed, of {applied} applied")]
    Engine { found: usize, flushed: usize, applied: usize },
    /// The engine's rows are not those of the entries that it says it holds.
    #[error("the engine's rows are not those of the first {applied} entries")]
    Rows { applied: usize },
    /// What a truncation dropped is nowhere to be found.
    #[error("entries that a truncation dropped are in no rollback file")]
    Rollback,
}

impl From<LogError> for Broken {
    fn from(error: LogError) -> Self {
        Self::Unusable(error.into())
    }
}

/// Opens what a crash has left on `disk`, compares it with the ledger, and lets the node go on.
pub(crate) fn inspect(disk: &MemoryVfs, ledger: &Ledger) -> Result<(), Broken> {
    let storage = Storage::open(disk)?;
    let found = Found::of(&storage);
    found.check(ledger)?;
    check_engine(&storage, found.applied, ledger)?;
    check_rollback_files(disk, &found, ledger)?;
    disk.lose_power(Retain::Nothing);
    drop(storage);
    let mut storage = Storage::open(disk)?;
    if Found::of(&storage) != found {
        return Err(Broken::Forgotten { what: "one state" });
    }
    heal(&mut storage, ledger)?;
    check_log(&storage, &found, ledger)?;
    go_on(disk, storage, ledger)
}

/// Where each part of a storage stands.
#[derive(PartialEq)]
struct Found {
    base: u64,
    last: usize,
    damaged: Vec<DamagedRange>,
    lost_end: bool,
    promised: Term,
    applied: usize,
}

impl Found {
    fn of(storage: &Storage) -> Self {
        let summary = storage.log.summary();
        Self {
            base: Vlsn::number(summary.terms.base().map(|base| base.vlsn)),
            last: Vlsn::number(summary.terms.last_vlsn()) as usize,
            damaged: summary.damaged,
            lost_end: summary.lost_durable_end,
            promised: storage.hard.promised,
            applied: Vlsn::number(storage.engine.applied().map(|entry| entry.vlsn)) as usize,
        }
    }

    fn check(&self, ledger: &Ledger) -> Result<(), Broken> {
        let Ledger { durable, trimmed, promised, promising, flushed, applied, .. } = *ledger;
        let whole = (durable..=ledger.written()).contains(&self.last);
        if !whole && ledger.cut.as_ref().map(|cut| cut.keep) != Some(self.last) {
            return Err(Broken::End { found: self.last, durable, written: ledger.written() });
        }
        let known =
            |range: &DamagedRange| Some(range.first) <= ledger.damaged && ledger.damaged <= Some(range.last);
        if self.lost_end || !self.damaged.iter().all(known) {
            return Err(Broken::Damage(format!("{:?}, lost end: {}", self.damaged, self.lost_end)));
        }
        if self.base > trimmed {
            return Err(Broken::Trimmed { base: self.base, trimmed });
        }
        if self.promised != promised && self.promised != promising {
            return Err(Broken::Promise { found: self.promised, promised, promising });
        }
        if self.applied != flushed && !(ledger.flushing && self.applied == applied) {
            return Err(Broken::Engine { found: self.applied, flushed, applied });
        }
        Ok(())
    }
}

/// Every frame is as it was written, and the chain through all of them holds.
fn check_log(storage: &Storage, found: &Found, ledger: &Ledger) -> Result<(), Broken> {
    let damaged = storage.log.verify()?;
    if !damaged.is_empty() {
        return Err(Broken::Damage(format!("{damaged:?}")));
    }
    let base = found.base as usize;
    let batches = read(&*storage.log.reader(), base, found.last)?;
    let frames: Vec<u8> = batches.iter().flat_map(|batch| batch.frames().iter().copied()).collect();
    if frames == ledger.frames(base, found.last) { Ok(()) } else { Err(Broken::Frames { from: base }) }
}

fn check_engine(storage: &Storage, applied: usize, ledger: &Ledger) -> Result<(), Broken> {
    let failed = |error| Broken::Unusable(StorageError::Engine(error));
    let snapshot = storage.rows.snapshot().map_err(failed)?;
    let mut rows = BTreeMap::new();
    for row in snapshot.scan(DEFAULT_DATABASE, Bound::Unbounded, Bound::Unbounded).map_err(failed)? {
        let (key, value) = row.map_err(failed)?;
        rows.insert(key, value);
    }
    let expected = ledger.rows(applied);
    let equal = rows.len() == expected.len()
        && rows.iter().zip(expected).all(|((key, value), row)| (&key[..], &value[..]) == row);
    if equal { Ok(()) } else { Err(Broken::Rows { applied }) }
}

/// What was dropped is kept: before the log is cut its entries are safe.
fn check_rollback_files(disk: &MemoryVfs, found: &Found, ledger: &Ledger) -> Result<(), Broken> {
    let mut kept = Vec::new();
    for file in RollbackFile::list(disk, Path::new(LOG_DIRECTORY))? {
        let batches = file.read(disk)?;
        kept.push(batches.iter().flat_map(|batch| batch.frames().iter().copied()).collect::<Vec<u8>>());
    }
    let cut = ledger.cut.as_ref().filter(|cut| cut.keep == found.last && !cut.dropped.is_empty());
    let mut dropped = ledger.dropped.iter().chain(cut.map(|cut| &cut.dropped));
    if dropped.all(|frames| kept.contains(frames)) { Ok(()) } else { Err(Broken::Rollback) }
}

/// Repairs what a life has damaged and has not come to repair.
fn heal(storage: &mut Storage, ledger: &Ledger) -> Result<(), Broken> {
    if ledger.damaged.is_none() {
        return Ok(());
    }
    for range in storage.log.verify()? {
        let batch = ledger.batch(range.first, range.last, range.chain_before);
        let unknown = || Broken::Damage(format!("{range:?}"));
        storage.log.repair(&batch.ok_or_else(unknown)?)?;
    }
    Ok(())
}

/// The node appends, promises, applies and flushes more, and finds it after the next power loss.
fn go_on(disk: &MemoryVfs, mut storage: Storage, ledger: &Ledger) -> Result<(), Broken> {
    let summary = storage.log.summary();
    let last = Vlsn::number(summary.terms.last_vlsn()) as usize;
    let term = Term::new(1 << 20, NodeId::new(1));
    let row = Row { key: b"after the crash".to_vec(), value: b"and on".to_vec() };
    let mut encoder = Encoder::new(summary.chain);
    let id = EntryId { term, vlsn: Vlsn::FIRST.advance(last as u64) };
    encoder.push(id, EntryKind::Data, Requirement::SYNC, 0, &row.payload());
    let batch = encoder.finish().ok_or(Broken::Frames { from: last })?;
    storage.log.append(std::slice::from_ref(&batch))?;
    storage.log.sync()?;
    while storage.log.prepare()? {}
    storage.promise(term)?;
    let applied = Vlsn::number(storage.engine.applied().map(|entry| entry.vlsn)) as usize;
    let rest = read(&*storage.log.reader(), applied, last + 1)?;
    storage.engine.apply_run(&rest).map_err(StorageError::from)?;
    storage.engine.flush().map_err(StorageError::from)?;
    disk.lose_power(Retain::Nothing);
    drop(storage);

    let storage = Storage::open(disk)?;
    let summary = storage.log.summary();
    let appended = summary.terms.last() == Some(id) && summary.chain == batch.chain_after();
    if !appended || storage.hard.promised != term || storage.engine.applied() != Some(id) {
        return Err(Broken::Forgotten { what: "what was stored after the crash" });
    }
    let mut ledger = Ledger { entries: ledger.entries[..last].to_vec(), ..Ledger::default() };
    let frame = batch.frame(id.vlsn).ok_or(Broken::Frames { from: last })?;
    ledger.entries.push(super::ledger::Written { id, frame, row });
    check_engine(&storage, last + 1, &ledger)
}

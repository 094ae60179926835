//! One life of a node's storage: everything that it goes through, in an order and of sizes drawn from a seed.

use super::ledger::{Cut, Ledger, Row, Written};
use super::storage::{LOG_DIRECTORY, Storage, StorageError};
use quorate_codec::{Encoder, HEADER_BYTES};
use quorate_core::{
    Batch, EntryId, EntryKind, LogError, LogReader, LogStore, NodeId, Random, Requirement, Term, Vlsn,
};
use quorate_log::vfs::{MemoryVfs, Retain, Vfs};
use std::path::{Path, PathBuf};

/// What the storage is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// To write groups of entries.
    Append,
    /// To make them durable.
    Sync,
    /// To do what can be done ahead of need.
    Prepare,
    /// To store a higher promise.
    Promise,
    /// To apply durable entries to the engine.
    Apply,
    /// To make durable what the engine holds.
    Flush,
    /// To drop entries from the log's end.
    Truncate,
    /// To drop entries from its beginning.
    Trim,
    /// To put intact frames in the place of damaged ones.
    Repair,
    /// To be closed in order.
    Close,
    /// To be opened.
    Open,
    /// To be opened after its process was killed.
    Kill,
    /// To be opened after its machine lost its power.
    LosePower,
}

/// Every step at least once, in the order in which they need each other: logs that roll before they are
/// trimmed, trims before the space is used again.
const SCRIPT: [Step; 72] = {
    use Step::{
        Append, Apply, Close, Flush, Kill, LosePower, Prepare, Promise, Repair, Sync, Trim, Truncate,
    };
    [
        Promise, Append, Sync, Prepare, Append, Append, Sync, Apply, Flush, Append, Append, Sync,
        Prepare, //
        Truncate, Append, Sync, Promise, LosePower, Append, Append, Sync, Append, Prepare, Apply,
        Append, //
        Sync, Append, Truncate, Kill, Append, Append, Sync, Apply, Flush, Trim, Append, Append, Sync, //
        Prepare, Append, Sync, Repair, Append, Sync, Close, Promise, Append, LosePower, Append,
        Append, //
        Sync, Apply, Prepare, Append, Append, Sync, Flush, Trim, Prepare, Append, Append, Sync,
        Truncate, //
        Append, Sync, Apply, Flush, Trim, Prepare, Append, Sync, Close,
    ]
};

/// A life that is being lived.
pub(crate) struct Life {
    disk: MemoryVfs,
    random: Random,
    /// The operation at which the machine is to be turned off.
    crash_at: Option<u64>,
    storage: Option<Storage>,
    pub(crate) ledger: Ledger,
    /// What it is at.
    pub(crate) step: Step,
    /// How many entries were made, those that were dropped later among them.
    made: u64,
    /// The round in which entries are made: a higher one after whatever may have dropped entries.
    round: u64,
}

impl Life {
    pub(crate) fn new(seed: u64, disk: &MemoryVfs, crash_at: Option<u64>) -> Self {
        Self {
            disk: disk.clone(),
            random: Random::new(seed),
            crash_at,
            storage: None,
            ledger: Ledger::default(),
            step: Step::Open,
            made: 0,
            round: 0,
        }
    }

    /// Lives it to its end, or up to the first failure; what is acknowledged on the way stands in the ledger.
    pub(crate) fn live(&mut self) -> Result<(), StorageError> {
        self.open()?;
        for step in SCRIPT {
            self.step = step;
            self.take(step)?;
        }
        Ok(())
    }

    fn take(&mut self, step: Step) -> Result<(), StorageError> {
        match step {
            Step::Append => self.append(),
            Step::Sync => self.sync(),
            Step::Prepare => self.prepare(),
            Step::Promise => self.promise(),
            Step::Apply => self.apply(),
            Step::Flush => self.flush(),
            Step::Truncate => self.truncate(),
            Step::Trim => self.trim(),
            Step::Repair => self.repair(),
            Step::Close => self.close(),
            Step::Open => self.open(),
            Step::Kill => {
                self.disk.kill();
                self.storage = None;
                self.open()
            }
            Step::LosePower => {
                let retain = match self.random.below(3) {
                    0 => Retain::Nothing,
                    1 => Retain::Prefix(self.random.next_u64()),
                    _ => Retain::Random(self.random.next_u64()),
                };
                self.disk.lose_power(retain);
                self.storage = None;
                self.open()
            }
        }
    }

    fn storage(&mut self) -> &mut Storage {
        self.storage.as_mut().expect("between its steps the storage is open")
    }

    /// Opens the storage; what it finds is what the life goes on from.
    fn open(&mut self) -> Result<(), StorageError> {
        if let Some(operation) = self.crash_at {
            self.disk.crash_at(operation);
        }
        let storage = Storage::open(&self.disk)?;
        let found = Vlsn::number(storage.log.summary().terms.last_vlsn()) as usize;
        let applied = Vlsn::number(storage.engine.applied().map(|entry| entry.vlsn)) as usize;
        self.round += 1;
        let ledger = &mut self.ledger;
        ledger.entries.truncate(found);
        ledger.durable = found;
        (ledger.applied, ledger.flushed, ledger.flushing) = (applied, applied, false);
        (ledger.promised, ledger.promising) = (storage.hard.promised, storage.hard.promised);
        self.storage = Some(storage);
        Ok(())
    }

    /// A close in order makes durable what the engine holds.
    fn close(&mut self) -> Result<(), StorageError> {
        self.ledger.flushing = true;
        self.storage = None;
        self.step = Step::Open;
        self.open()
    }

    fn append(&mut self) -> Result<(), StorageError> {
        let mut chain = self.storage().log.summary().chain;
        let mut batches = Vec::new();
        for _ in 0..=self.random.below(3) {
            let batch = self.next_batch(chain);
            chain = batch.chain_after();
            batches.push(batch);
        }
        Ok(self.storage().log.append(&batches)?)
    }

    /// Makes entries that follow the last one, and notes them: from now on they may be found.
    fn next_batch(&mut self, chain: u32) -> Batch {
        let term = Term::new(self.round, NodeId::new(1));
        let mut encoder = Encoder::new(chain);
        let mut rows = Vec::new();
        for _ in 0..=self.random.below(3) {
            let vlsn = Vlsn::FIRST.advance((self.ledger.written() + rows.len()) as u64);
            let id = EntryId { term, vlsn };
            let row = self.next_row();
            encoder.push(id, EntryKind::Data, Requirement::SYNC, 0, &row.payload());
            rows.push((id, row));
        }
        let batch = encoder.finish().expect("a batch has an entry");
        for (id, row) in rows {
            let frame = batch.frame(id.vlsn).expect("the batch holds its entries");
            self.ledger.entries.push(Written { id, frame, row });
        }
        batch
    }

    /// A row that no other entry has; one in forty is longer than a segment.
    fn next_row(&mut self) -> Row {
        self.made += 1;
        let bytes = if self.random.below(40) == 0 { 5_000 } else { 8 + self.random.below(500) };
        let mut noise = Random::new(self.made);
        let value = (0..bytes).map(|_| noise.next_u64() as u8).collect();
        Row { key: format!("key-{:02}", self.random.below(40)).into_bytes(), value }
    }

    fn sync(&mut self) -> Result<(), StorageError> {
        let durable = self.storage().log.sync()?;
        self.ledger.durable = Vlsn::number(durable) as usize;
        Ok(())
    }

    fn prepare(&mut self) -> Result<(), StorageError> {
        while self.storage().log.prepare()? {}
        Ok(())
    }

    fn promise(&mut self) -> Result<(), StorageError> {
        let promise = Term::new(self.ledger.promised.round() + 1, NodeId::new(1));
        self.ledger.promising = promise;
        self.storage().promise(promise)?;
        self.ledger.promised = promise;
        Ok(())
    }

    /// Applies what is durable, and counts as committed from then on: but for the last few entries, so that
    /// there is something that a truncation may drop.
    fn apply(&mut self) -> Result<(), StorageError> {
        let spared = self.random.below(4) as usize;
        let until = self.ledger.durable.saturating_sub(spared).max(self.ledger.applied);
        let reader = self.storage().log.reader();
        let batches = read(&*reader, self.ledger.applied, until)?;
        if !batches.is_empty() {
            self.storage().engine.apply_run(&batches)?;
            self.ledger.applied = until;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), StorageError> {
        self.ledger.flushing = true;
        let durable = self.storage().engine.flush()?;
        self.ledger.flushed = Vlsn::number(durable.map(|entry| entry.vlsn)) as usize;
        self.ledger.flushing = false;
        Ok(())
    }

    /// Never drops what the engine holds: that is committed.
    fn truncate(&mut self) -> Result<(), StorageError> {
        let (applied, written) = (self.ledger.applied, self.ledger.written());
        let keep = applied + self.random.below((written - applied) as u64) as usize;
        let dropped = self.ledger.frames(keep, written);
        self.ledger.cut = Some(Cut { keep, dropped: dropped.clone() });
        self.storage().log.truncate_after(Vlsn::new(keep as u64))?;
        self.ledger.cut = None;
        if written > keep {
            self.ledger.dropped.push(dropped);
        }
        self.ledger.entries.truncate(keep);
        self.ledger.durable = keep;
        self.round += 1;
        Ok(())
    }

    fn trim(&mut self) -> Result<(), StorageError> {
        let Some(base) = Vlsn::new(self.ledger.flushed as u64) else { return Ok(()) };
        self.ledger.trimmed = base.as_u64();
        Ok(self.storage().log.trim_through(base)?)
    }

    /// Damages an entry of a sealed segment, finds it, and repairs it with the frames that were written.
    fn repair(&mut self) -> Result<(), StorageError> {
        let Some((path, offset, vlsn)) = self.sealed_payload()? else { return Ok(()) };
        self.ledger.damaged = Some(vlsn);
        self.disk.flip_bit(&path, offset as u64, 3);
        for range in self.storage().log.verify()? {
            let batch = self.ledger.batch(range.first, range.last, range.chain_before);
            let batch = batch.ok_or(LogError::Damaged { vlsn: range.first })?;
            self.storage().log.repair(&batch)?;
        }
        self.ledger.damaged = None;
        Ok(())
    }

    /// A byte of a payload in a segment that is not the last one.
    fn sealed_payload(&self) -> Result<Option<(PathBuf, usize, Vlsn)>, StorageError> {
        let directory = Path::new(LOG_DIRECTORY);
        let mut segments = self.disk.list(directory)?;
        segments.retain(|name| name.ends_with(".log") && name.starts_with("segment"));
        segments.pop();
        for name in segments.iter().rev() {
            let path = directory.join(name);
            let bytes = self.disk.contents(&path).unwrap_or_default();
            for entry in self.ledger.entries[..self.ledger.durable].iter().rev() {
                let place = bytes.windows(entry.frame.len()).position(|window| window == &entry.frame[..]);
                if let Some(place) = place {
                    return Ok(Some((path, place + HEADER_BYTES + 2, entry.id.vlsn)));
                }
            }
        }
        Ok(None)
    }
}

/// The entries behind the first `from` up to the `until`th.
pub(crate) fn read(reader: &dyn LogReader, from: usize, until: usize) -> Result<Vec<Batch>, LogError> {
    let mut batches = Vec::new();
    let mut next = Vlsn::FIRST.advance(from as u64);
    while let Some(last) = Vlsn::new(until as u64).filter(|last| next <= *last) {
        let batch = reader.read(next, last, 1 << 20)?;
        next = batch.last().vlsn.next();
        batches.push(batch);
    }
    Ok(batches)
}

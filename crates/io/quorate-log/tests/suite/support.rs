//! What the tests of the log share.

use quorate_codec::Encoder;
use quorate_core::conformance::log_store::LogStoreSubject;
use quorate_core::{
    Batch, EntryId, EntryKind, LogError, LogReader, LogStore, NodeId, Requirement, Term, Vlsn,
};
use quorate_log::vfs::{MemoryVfs, Vfs};
use quorate_log::{Log, LogConfig};
use std::path::PathBuf;
use std::sync::Arc;

pub(crate) fn vlsn(number: u64) -> Vlsn {
    Vlsn::new(number).expect("a position")
}

pub(crate) fn term(round: u64) -> Term {
    Term::new(round, NodeId::new(1))
}

pub(crate) fn entry(round: u64, number: u64) -> EntryId {
    EntryId { term: term(round), vlsn: vlsn(number) }
}

/// A payload that no other entry has.
pub(crate) fn payload(id: EntryId, bytes: usize) -> Vec<u8> {
    let seed = id.vlsn.as_u64().wrapping_mul(31).wrapping_add(id.term.round());
    (0..bytes as u64).map(|index| (seed.wrapping_mul(index * 2 + 1) >> 3) as u8).collect()
}

/// `count` entries of one term behind `chain`, each with a payload of `bytes` bytes.
pub(crate) fn batch(first: EntryId, count: u64, chain: u32, bytes: usize) -> Batch {
    let mut encoder = Encoder::new(chain);
    for index in 0..count {
        let id = EntryId { vlsn: first.vlsn.advance(index), ..first };
        encoder.push(id, EntryKind::Data, Requirement::SYNC, 1_000_000 + index, &payload(id, bytes));
    }
    encoder.finish().expect("at least one entry")
}

/// Entries that follow the last one of a log.
pub(crate) fn next_batch(log: &dyn LogStore, round: u64, count: u64, bytes: usize) -> Batch {
    let summary = log.summary();
    let first = EntryId { term: term(round), vlsn: Vlsn::after(summary.terms.last_vlsn()) };
    batch(first, count, summary.chain, bytes)
}

/// Appends entries that follow, as one group.
pub(crate) fn append(log: &mut dyn LogStore, round: u64, count: u64, bytes: usize) -> Batch {
    let batch = next_batch(log, round, count, bytes);
    log.append(std::slice::from_ref(&batch)).expect("an append");
    batch
}

/// The frames of all entries from `first` to `last`.
pub(crate) fn read_all(reader: &dyn LogReader, first: u64, last: u64) -> Vec<u8> {
    let mut frames = Vec::new();
    let mut next = first;
    while next <= last {
        let batch = reader.read(vlsn(next), vlsn(last), 4096).expect("an entry is read");
        frames.extend_from_slice(batch.frames());
        next = batch.last().vlsn.as_u64() + 1;
    }
    frames
}

pub(crate) struct Subject {
    vfs: Arc<dyn Vfs>,
    directory: PathBuf,
    config: LogConfig,
}

impl Subject {
    pub(crate) fn new(vfs: Arc<dyn Vfs>, directory: PathBuf, config: LogConfig) -> Self {
        Self { vfs, directory, config }
    }
}

impl LogStoreSubject for Subject {
    fn open(&mut self) -> Box<dyn LogStore> {
        Box::new(
            Log::open(self.vfs.clone(), self.directory.clone(), self.config.clone())
                .expect("a log is opened"),
        )
    }

    fn batch(&self, first: EntryId, count: u64, chain_before: u32) -> Batch {
        batch(first, count, chain_before, 20)
    }
}

/// The length of segments in most tests, in bytes: a few groups fill one.
pub(crate) const SEGMENT_BYTES: u32 = 4096;

/// A log named `log` on a disk in memory, with short segments.
pub(crate) fn open(disk: &MemoryVfs) -> Result<Log, LogError> {
    let config = LogConfig { segment_bytes: SEGMENT_BYTES, ..LogConfig::new(0xfeed) };
    Log::open(Arc::new(disk.clone()), "log", config)
}

/// The names of the log's files that end with `suffix`, in order.
pub(crate) fn files(disk: &MemoryVfs, suffix: &str) -> Vec<PathBuf> {
    let names = disk.list("log".as_ref()).expect("the log's directory");
    names
        .into_iter()
        .filter(|name| name.ends_with(suffix))
        .map(|name| PathBuf::from("log").join(name))
        .collect()
}

/// Calls `prepare` until there is nothing more to do.
pub(crate) fn prepare(log: &mut Log) -> Result<(), LogError> {
    while log.prepare()? {}
    Ok(())
}

/// The frames of a batch, one by one.
pub(crate) fn frames_of(batch: &Batch) -> Vec<Vec<u8>> {
    (0..batch.count() as u64)
        .map(|index| batch.frame(batch.first().advance(index)).expect("a frame").to_vec())
        .collect()
}

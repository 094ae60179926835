//! A log in files, for the targets that spoil one of them.

use quorate_codec::Encoder;
use quorate_core::{Batch, EntryId, EntryKind, LogError, LogStore, NodeId, Requirement, Term, Vlsn};
use quorate_log::vfs::{MemoryVfs, Vfs};
use quorate_log::{Log, LogConfig};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

pub(super) const DIRECTORY: &str = "log";
/// The first segment of every log.
pub(super) const FIRST_SEGMENT: &str = "segment-0000000000000001.log";
pub(super) const FIRST_INDEX: &str = "segment-0000000000000001.index";

/// Opens the log on a disk.
pub(super) fn open(disk: &MemoryVfs) -> Result<Log, LogError> {
    let config = LogConfig { segment_bytes: LogConfig::SEGMENT_BYTES_MIN, ..LogConfig::new(0xfeed) };
    Log::open(Arc::new(disk.clone()), DIRECTORY, config)
}

/// Entries that follow a log's last one.
pub(super) fn next_batch(log: &dyn LogStore, round: u64, payloads: &[&[u8]]) -> Batch {
    let summary = log.summary();
    let last = summary.terms.last();
    let term = Term::new(round, NodeId::new(1)).max(last.map_or(Term::ZERO, |last| last.term));
    let first = Vlsn::after(last.map(|last| last.vlsn));
    let mut encoder = Encoder::new(summary.chain);
    for (payload, index) in payloads.iter().zip(0..) {
        let id = EntryId { term, vlsn: first.advance(index) };
        encoder.push(id, EntryKind::Data, Requirement::SYNC, 1_700_000_000_000_000, payload);
    }
    encoder.finish().expect("there are entries")
}

/// Appends entries and syncs them.
pub(super) fn append(log: &mut Log, round: u64, payloads: &[&[u8]]) {
    let batch = next_batch(log, round, payloads);
    log.append(&[batch]).and_then(|()| log.sync()).expect("the disk in memory has room");
}

/// A log of one segment: three groups of two terms, the last one not known to be durable.
pub(super) static SHORT: LazyLock<MemoryVfs> = LazyLock::new(|| {
    let disk = MemoryVfs::new();
    let mut log = open(&disk).expect("an empty log");
    append(&mut log, 1, &[b"roster", b"apples"]);
    append(&mut log, 2, &[b"pears"]);
    append(&mut log, 2, &[b"", b"plums"]);
    drop(log);
    disk
});

/// A log of two segments, the first one sealed and indexed.
pub(super) static LONG: LazyLock<MemoryVfs> = LazyLock::new(|| {
    let disk = SHORT.snapshot();
    let mut log = open(&disk).expect("the short log");
    append(&mut log, 3, &[&[7; 1200], &[8; 900]]);
    append(&mut log, 3, &[&[9; 1500]]);
    while log.prepare().expect("the disk in memory has room") {}
    drop(log);
    assert!(disk.contents(&path(FIRST_INDEX)).is_some(), "the first segment is sealed");
    disk
});

pub(super) fn path(name: &str) -> PathBuf {
    Path::new(DIRECTORY).join(name)
}

/// The bytes of a file but for the zeros at its end, of which `zeros` are kept.
pub(super) fn bytes_of(disk: &MemoryVfs, name: &str, zeros: usize) -> Vec<u8> {
    let mut bytes = disk.contents(&path(name)).expect("the log has this file");
    let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    bytes.truncate(end + zeros);
    bytes
}

/// The disk with other bytes in the place of a file's.
pub(super) fn replaced(disk: &MemoryVfs, name: &str, bytes: &[u8]) -> MemoryVfs {
    let disk = disk.snapshot();
    if disk.contents(&path(name)).is_some() {
        disk.remove(&path(name)).expect("it is there");
    }
    super::hard_state::put_file(&disk, DIRECTORY, name, bytes);
    disk
}

//! Segments are filled, recycled, and read by others meanwhile.

use crate::support::{
    SEGMENT_BYTES, append, batch, entry, files, frames_of, next_batch, open, prepare, read_all, vlsn,
};
use quorate_core::{LogError, LogReader, LogStore, Vlsn};
use quorate_log::vfs::{MemoryVfs, OsVfs, Retain};
use quorate_log::{DirectoryLock, Log, LogConfig};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

#[test]
fn bytes_of_a_recycled_segment_are_never_read_as_new() {
    let disk = MemoryVfs::new();
    let mut log = open(&disk).unwrap();
    for _ in 0..4 {
        append(&mut log, 1, 4, 700);
        log.sync().unwrap();
    }
    let oldest = disk.contents(&files(&disk, ".log")[0]).unwrap();
    log.trim_through(vlsn(4)).unwrap();
    let spare = disk.contents(Path::new("log/spare")).unwrap();
    assert!(spare == oldest, "the oldest segment's file, with its old bytes, is the next one's");
    let base = log.summary().terms.base().unwrap();
    assert_eq!(base.vlsn, vlsn(4));
    for round in 2..30 {
        append(&mut log, round, 1, 700);
        log.sync().unwrap();
        let disk = disk.snapshot();
        disk.lose_power(Retain::Random(round));
        let found = open(&disk).unwrap();
        assert_eq!(found.summary(), log.summary(), "nothing old behind the end, in round {round}");
        assert_eq!(found.verify(), Ok(vec![]));
        let base = Vlsn::number(log.summary().terms.base().map(|base| base.vlsn));
        log.trim_through(vlsn(base + 4)).unwrap();
    }
}

#[test]
fn a_segment_that_its_last_group_fills_is_opened_again_whatever_its_length() {
    for odd in 0..8 {
        let disk = MemoryVfs::new();
        let mut log = open(&disk).unwrap();
        append(&mut log, 1, 1, 100);
        append(&mut log, 1, 1, SEGMENT_BYTES as usize + odd);
        log.sync().unwrap();
        let expected = log.summary();
        drop(log);
        disk.kill();
        let mut log = open(&disk).unwrap();
        assert_eq!(log.summary(), expected, "{odd} bytes more than a segment");
        append(&mut log, 1, 1, 100);
        assert_eq!(log.verify(), Ok(vec![]));
    }
}

#[test]
fn a_segment_that_a_reader_holds_is_not_recycled() {
    let directory = tempfile::tempdir().unwrap();
    let config = LogConfig { segment_bytes: SEGMENT_BYTES, ..LogConfig::new(1) };
    let mut log = Log::open(Arc::new(OsVfs), directory.path(), config).unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let threads: Vec<_> = (0..2)
        .map(|_| {
            let (reader, stop) = (log.reader(), stop.clone());
            std::thread::spawn(move || read_until(&*reader, &stop))
        })
        .collect();
    for round in 1..200 {
        append(&mut log, round, 3, 300);
        if round % 3 == 0 {
            log.sync().unwrap();
            let last = log.summary().terms.last_vlsn().unwrap().as_u64();
            log.trim_through(vlsn(last.saturating_sub(20).max(1))).unwrap();
        }
        if round % 7 == 0 {
            let last = log.summary().terms.last_vlsn().unwrap().as_u64();
            log.truncate_after(Some(vlsn(last - 5))).unwrap();
        }
        prepare(&mut log).unwrap();
    }
    stop.store(true, Ordering::Relaxed);
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(log.verify(), Ok(vec![]), "no reader saw damage where there is none");
}

/// Reads on and on; whatever the writer does meanwhile, what is read is what was written.
fn read_until(reader: &dyn LogReader, stop: &AtomicBool) {
    let mut next = Vlsn::FIRST;
    while !stop.load(Ordering::Relaxed) {
        match reader.read(next, next.advance(50), 4000) {
            Ok(batch) => {
                let expected = batch_like(&batch);
                assert!(frames_of(&batch) == expected, "other frames than those written");
                next = batch.last().vlsn.next();
            }
            Err(LogError::Trimmed { base }) => next = base.next(),
            Err(LogError::NotWritten { last }) => next = last.unwrap_or(Vlsn::FIRST),
            Err(error) => panic!("{error}"),
        }
    }
}

fn batch_like(read: &quorate_core::Batch) -> Vec<Vec<u8>> {
    quorate_codec::frames(read)
        .zip(frames_of(read))
        .map(|(frame, bytes)| {
            assert_eq!(frame.payload, crate::support::payload(frame.id, 300), "{}", frame.id);
            bytes
        })
        .collect()
}

#[test]
fn an_entry_longer_than_a_segment_gets_a_segment_of_its_own() {
    let disk = MemoryVfs::new();
    let mut log = open(&disk).unwrap();
    append(&mut log, 1, 2, 100);
    let big = append(&mut log, 1, 1, 17 << 20);
    append(&mut log, 1, 2, 100);
    log.sync().unwrap();
    drop(log);
    disk.lose_power(Retain::Nothing);
    let mut log = open(&disk).unwrap();
    assert_eq!(log.summary().terms.last(), Some(entry(1, 5)));
    assert_eq!(log.reader().read(vlsn(3), vlsn(3), 0).unwrap().frames(), big.frames());
    log.trim_through(vlsn(4)).unwrap();
    assert_eq!(log.summary().terms.base(), Some(entry(1, 3)), "its segment is dropped like any other");
    assert!(disk.contents(Path::new("log/spare")).is_none_or(|spare| spare.len() <= SEGMENT_BYTES as usize));
}

#[test]
fn an_append_of_several_batches_is_one_write_and_a_sync_is_one_sync() {
    let disk = MemoryVfs::new();
    let mut log = open(&disk).unwrap();
    let first = next_batch(&log, 1, 2, 50);
    let second = batch(entry(2, 3), 2, first.chain_after(), 50);
    let before = disk.operations();
    log.append(&[first, second]).unwrap();
    assert_eq!(disk.operations(), before + 1);
    log.sync().unwrap();
    assert_eq!(disk.operations(), before + 2);
    log.sync().unwrap();
    assert_eq!(disk.operations(), before + 2, "nothing is synced twice");
    assert_eq!(log.summary().terms.starts().len(), 2);
}

#[test]
fn a_prepared_log_rolls_without_filling_a_segment() {
    let disk = MemoryVfs::new();
    let mut log = open(&disk).unwrap();
    append(&mut log, 1, 4, 700);
    prepare(&mut log).unwrap();
    let before = disk.operations();
    append(&mut log, 1, 4, 700);
    let roll =
        ["sync the old", "write the header", "sync it", "rename", "sync the directory", "write the group"];
    assert_eq!(disk.operations(), before + roll.len() as u64);
}

#[test]
fn a_directory_in_use_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let open = || {
        Log::open(Arc::new(OsVfs), directory.path(), LogConfig { segment_bytes: 8192, ..LogConfig::new(1) })
    };
    let log = open().unwrap();
    let refused = open().unwrap_err();
    assert!(
        matches!(&refused, LogError::Unusable { reason } if reason.contains("in use by another process"))
    );
    drop(log);
    open().unwrap();
    let lock = DirectoryLock::acquire(&OsVfs, directory.path()).unwrap();
    assert!(DirectoryLock::acquire(&OsVfs, directory.path()).is_err());
    drop(lock);
}

#[test]
fn a_segment_of_another_log_or_a_missing_one_is_refused() {
    let disk = MemoryVfs::new();
    let mut log = open(&disk).unwrap();
    append(&mut log, 1, 4, 700);
    append(&mut log, 1, 4, 700);
    append(&mut log, 1, 4, 700);
    drop(log);
    let segments = files(&disk, ".log");
    use quorate_log::vfs::Vfs;
    let gap = disk.snapshot();
    gap.remove(&segments[1]).unwrap();
    assert!(matches!(open(&gap), Err(LogError::Unusable { reason }) if reason.contains("missing")));
    let other = MemoryVfs::new();
    Log::open(
        Arc::new(other.clone()),
        "log",
        LogConfig { segment_bytes: SEGMENT_BYTES, ..LogConfig::new(1) },
    )
    .unwrap();
    let foreign = other.contents(&segments[0]).unwrap();
    disk.kill();
    disk.corrupt(&segments[0], 0, &foreign);
    assert!(matches!(open(&disk), Err(LogError::Unusable { reason }) if reason.contains("another log")));
    let config = LogConfig { segment_bytes: 100, ..LogConfig::new(1) };
    assert!(matches!(Log::open(Arc::new(other), "small", config), Err(LogError::Unusable { .. })));
}

#[test]
fn reading_gives_frames_across_groups_without_what_stands_between_them() {
    let disk = MemoryVfs::new();
    let mut log = open(&disk).unwrap();
    let mut frames = Vec::new();
    for round in 1..8 {
        frames.extend_from_slice(append(&mut log, round, 2, 90).frames());
    }
    let batch = log.reader().read(vlsn(1), vlsn(99), usize::MAX).unwrap();
    assert_eq!(batch.frames().to_vec(), frames, "one read goes through many groups");
    assert_eq!(read_all(&*log.reader(), 4, 11), frames[3 * 130..11 * 130]);
}

//! The disk fails, or is full.

use crate::support::{append, files, next_batch, open, prepare, read_all, vlsn};
use quorate_core::{LogError, LogStore};
use quorate_log::vfs::{MemoryVfs, Operation, Retain};
use std::io::ErrorKind;

#[test]
fn a_failed_sync_poisons_the_log_until_it_is_reopened() {
    let disk = MemoryVfs::new();
    let mut log = open(&disk).unwrap();
    append(&mut log, 1, 2, 100);
    disk.fail_next(Operation::Sync, ErrorKind::Other);
    assert!(matches!(log.sync(), Err(LogError::Io { .. })));
    assert_eq!(log.summary().durable, None, "nothing is durable");
    let batch = next_batch(&log, 1, 1, 10);
    assert!(matches!(log.sync(), Err(LogError::Poisoned { .. })), "a second sync would prove nothing");
    assert!(matches!(log.append(&[batch]), Err(LogError::Poisoned { .. })));
    assert!(matches!(log.truncate_after(None), Err(LogError::Poisoned { .. })));
    assert!(matches!(log.trim_through(vlsn(1)), Err(LogError::Poisoned { .. })));
    assert!(matches!(log.prepare(), Err(LogError::Poisoned { .. })));
    assert_eq!(read_all(&*log.reader(), 1, 2).len(), 280, "reading goes on");
    drop(log);
    disk.kill();
    append(&mut open(&disk).unwrap(), 1, 1, 10);
}

/// The system holds the blocks of a failed sync for clean, so that a later sync does not write them: they
/// must be written again.
#[test]
fn what_a_reopened_log_calls_durable_survives_though_a_sync_had_failed() {
    let disk = MemoryVfs::new();
    let mut log = open(&disk).unwrap();
    append(&mut log, 1, 2, 100);
    log.sync().unwrap();
    append(&mut log, 1, 3, 300);
    disk.fail_next(Operation::Sync, ErrorKind::Other);
    log.sync().unwrap_err();
    drop(log);
    disk.kill();
    let log = open(&disk).unwrap();
    assert_eq!(log.summary().durable, Some(vlsn(5)));
    drop(log);
    disk.lose_power(Retain::Nothing);
    assert_eq!(open(&disk).unwrap().summary().durable, Some(vlsn(5)));
}

#[test]
fn every_operation_that_fails_poisons_the_log_or_changes_nothing() {
    for failing in 0.. {
        let disk = MemoryVfs::new();
        let mut log = open(&disk).unwrap();
        let begun = disk.operations();
        disk.fail_at(begun + failing, ErrorKind::Other);
        let mut failed = None;
        for round in 1..12 {
            let batch = next_batch(&log, round, 2, 600);
            let done = log.append(&[batch]).and_then(|()| log.sync()).and_then(|_| prepare(&mut log));
            if let Err(error) = done {
                failed = Some(error);
                break;
            }
        }
        let Some(error) = failed else {
            assert!(failing > 50, "each operation has failed once");
            break;
        };
        assert!(matches!(error, LogError::Io { .. }), "operation {failing}: {error}");
        assert!(matches!(log.sync(), Err(LogError::Poisoned { .. })), "operation {failing}");
        let durable = log.summary().durable;
        drop(log);
        disk.lose_power(Retain::Random(failing));
        let log = open(&disk).unwrap();
        assert!(log.summary().terms.last_vlsn() >= durable, "operation {failing}");
        assert_eq!(log.verify(), Ok(vec![]), "operation {failing}");
    }
}

#[test]
fn a_full_disk_refuses_appends_cleanly_and_takes_them_when_there_is_room_again() {
    let disk = MemoryVfs::new();
    let mut log = open(&disk).unwrap();
    append(&mut log, 1, 2, 500);
    let used: u64 = files(&disk, "").iter().map(|path| disk.contents(path).unwrap().len() as u64).sum();
    disk.set_capacity(Some(used + 100));
    let mut appended = 2;
    let before = loop {
        let batch = next_batch(&log, 1, 1, 500);
        let summary = log.summary();
        match log.append(&[batch]) {
            Ok(()) => appended += 1,
            Err(error) => {
                assert_eq!(error, LogError::DiskFull);
                break summary;
            }
        }
        assert!(appended < 10, "a segment does not hold more");
    };
    assert_eq!(log.summary(), before, "nothing was written");
    let batch = next_batch(&log, 1, 1, 500);
    assert_eq!(log.append(&[batch]), Err(LogError::DiskFull), "and it is not poisoned");
    assert_eq!(log.sync().unwrap(), Some(vlsn(appended)), "what was taken can be synced");
    assert_eq!(log.prepare(), Err(LogError::DiskFull));
    disk.set_capacity(None);
    append(&mut log, 1, 3, 500);
    log.sync().unwrap();
    drop(log);
    disk.lose_power(Retain::Nothing);
    assert_eq!(open(&disk).unwrap().summary().terms.last_vlsn(), Some(vlsn(appended + 3)));
}

#[test]
fn a_log_can_be_cut_on_a_full_disk_if_the_reserve_is_there() {
    let disk = MemoryVfs::new();
    let mut log = open(&disk).unwrap();
    append(&mut log, 1, 5, 100);
    log.sync().unwrap();
    prepare(&mut log).unwrap();
    let used: u64 = files(&disk, "").iter().map(|path| disk.contents(path).unwrap().len() as u64).sum();
    let rollback_file_bytes = 500;
    disk.set_capacity(Some(used + rollback_file_bytes));
    log.truncate_after(Some(vlsn(3))).unwrap();
    assert_eq!(log.summary().terms.last_vlsn(), Some(vlsn(3)));
    append(&mut log, 2, 1, 100);
}

//! The hard state through crashes and damage.

use quorate_core::{HardState, Incarnation, NodeId, StateStore, StateStoreError, Term};
use quorate_log::HardStateFile;
use quorate_log::vfs::{MemoryVfs, Operation, Retain, Vfs};
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

fn state(round: u64) -> HardState {
    HardState {
        group: "orders".to_owned(),
        node: "a".to_owned(),
        id: NodeId::new(1),
        incarnation: Incarnation(5),
        open_count: round,
        promised: Term::new(round, NodeId::new(1)),
        roster: None,
        unsynced_mark: None,
        recovering: false,
        lease_granted: Duration::ZERO,
    }
}

fn new_disk() -> MemoryVfs {
    let disk = MemoryVfs::new();
    disk.create_directory("node".as_ref()).unwrap();
    disk
}

fn store(disk: &MemoryVfs) -> HardStateFile {
    HardStateFile::new(Arc::new(disk.clone()), "node")
}

/// Stores three states one after the other; returns how many were stored.
fn live(disk: &MemoryVfs) -> u64 {
    let mut file = store(disk);
    (1..=3).take_while(|round| file.store(&state(*round)).is_ok()).count() as u64
}

#[test]
fn without_power_at_every_operation_the_last_promise_stored_is_found() {
    let disk = new_disk();
    assert_eq!(live(&disk), 3);
    for operation in 0..disk.operations() {
        let disk = new_disk();
        disk.crash_at(operation);
        let stored = live(&disk);
        for retain in (0..16).map(Retain::Random).chain([Retain::Nothing, Retain::Everything]) {
            let disk = disk.snapshot();
            disk.lose_power(retain);
            let found = store(&disk).load().unwrap().map_or(0, |found| found.open_count);
            let context = format!("power lost at operation {operation}, {retain:?}");
            assert!(found == stored || found == stored + 1, "{context}: {found} found, {stored} stored");
            disk.lose_power(Retain::Nothing);
            let again = store(&disk).load().unwrap().map_or(0, |found| found.open_count);
            assert_eq!(again, found, "{context}: what was found once stays");
        }
    }
}

#[test]
fn one_damaged_copy_does_no_harm_and_is_healed_by_loading() {
    for copy in ["node/state-a", "node/state-b"] {
        for offset in 0..80 {
            let disk = new_disk();
            live(&disk);
            assert!(disk.flip_bit(Path::new(copy), offset, (offset % 8) as u8));
            assert_eq!(store(&disk).load(), Ok(Some(state(3))), "{copy} damaged at {offset}");
            for other in ["node/state-a", "node/state-b"] {
                let disk = disk.snapshot();
                disk.flip_bit(Path::new(other), 20, 0);
                assert_eq!(store(&disk).load(), Ok(Some(state(3))), "both copies are whole again");
            }
        }
    }
}

#[test]
fn power_may_fail_at_every_moment_while_a_damaged_copy_is_healed() {
    for copy in ["node/state-a", "node/state-b"] {
        for (operation, retain) in (0..6).flat_map(|at| (0..16).map(move |seed| (at, Retain::Random(seed)))) {
            let disk = new_disk();
            live(&disk);
            disk.flip_bit(Path::new(copy), 30, 3);
            disk.crash_at(disk.operations() + operation);
            let _ = store(&disk).load();
            disk.lose_power(retain);
            let found = store(&disk).load();
            assert_eq!(found, Ok(Some(state(3))), "{copy}, power lost at operation {operation}, {retain:?}");
        }
    }
}

/// Gives a copy the last sequence that there is, and the checksum to match.
fn number_last(disk: &MemoryVfs, copy: &Path) {
    let mut bytes = disk.contents(copy).unwrap();
    bytes[16..24].copy_from_slice(&(u64::MAX / 2).to_le_bytes());
    let end = 24 + u32::from_le_bytes(bytes[12..16].try_into().unwrap()) as usize;
    let checksum = crc32c::crc32c(&bytes[12..end]);
    bytes[8..12].copy_from_slice(&checksum.to_le_bytes());
    assert!(disk.replace(copy, &bytes));
}

#[test]
fn nothing_unreadable_is_written_over_a_copy_of_the_last_sequence() {
    let disk = new_disk();
    live(&disk);
    let (one, other) = (Path::new("node/state-a"), Path::new("node/state-b"));
    number_last(&disk, other);
    let mut mended = store(&disk);
    assert_eq!(mended.load(), Ok(Some(state(3))), "a copy is mended as it was");
    assert_eq!(disk.contents(one), disk.contents(other));
    assert_eq!(mended.store(&state(4)), Err(StateStoreError::Damaged));
    assert_eq!(store(&disk).load(), Ok(Some(state(3))), "what there is stays readable");
}

#[test]
fn two_damaged_copies_are_an_error_and_never_an_older_promise_or_none() {
    let disk = new_disk();
    live(&disk);
    disk.flip_bit(Path::new("node/state-a"), 30, 3);
    disk.flip_bit(Path::new("node/state-b"), 17, 3);
    assert_eq!(store(&disk).load(), Err(StateStoreError::Damaged));
    assert_eq!(
        store(&disk).store(&state(9)),
        Err(StateStoreError::Damaged),
        "nothing is promised over damage"
    );
    disk.remove(Path::new("node/state-a")).unwrap();
    assert_eq!(store(&disk).load(), Err(StateStoreError::Damaged), "a missing copy is no new directory");
}

#[test]
fn a_failed_store_ends_all_promises_until_it_is_reopened() {
    let disk = new_disk();
    let mut file = store(&disk);
    file.store(&state(1)).unwrap();
    disk.fail_next(Operation::Sync, ErrorKind::Other);
    assert!(matches!(file.store(&state(2)), Err(StateStoreError::Io { .. })));
    assert!(
        matches!(file.store(&state(3)), Err(StateStoreError::Io { .. })),
        "though the disk would work again"
    );
}

#[test]
fn a_full_disk_does_not_stop_a_node_from_promising() {
    let disk = new_disk();
    live(&disk);
    disk.set_capacity(Some(0));
    store(&disk).store(&state(7)).unwrap();
    assert_eq!(store(&disk).load(), Ok(Some(state(7))));
}

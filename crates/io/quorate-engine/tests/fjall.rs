//! What the fjall store does beside its caller: it writes full memtables out, and merges tables.
#![cfg(feature = "fjall")]

use quorate_core::{Checkpoint, KvOperation, KvSnapshot, KvStore};
use quorate_engine::{FjallConfig, FjallStore};
use std::collections::BTreeMap;
use std::ops::Bound;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

/// Names the directory in which a child process is to work; unset in the test itself.
const CHILD: &str = "QUORATE_FJALL_TEST_CHILD";

/// A store that writes out and merges all the time.
fn open(path: &Path) -> FjallStore {
    FjallStore::open(path, &FjallConfig { memtable_bytes: 16 << 10, ..FjallConfig::default() }).unwrap()
}

fn put<'a>(key: &'a [u8], value: &'a [u8]) -> KvOperation<'a> {
    KvOperation::Put { key, value }
}

/// One of `many` rows, and what it holds after a number of writes.
fn row(number: u64, many: u64) -> ([u8; 8], [u8; 64]) {
    let mut value = [0; 64];
    value[..8].copy_from_slice(&number.to_be_bytes());
    ((number.wrapping_mul(0x9e37_79b9_7f4a_7c15) % many).to_be_bytes(), value)
}

fn write(store: &FjallStore, number: u64, many: u64) {
    let (key, value) = row(number, many);
    store.write(&[put(&key, &value), put(b"writes", &number.to_be_bytes())]).unwrap();
}

fn rows(snapshot: &dyn KvSnapshot) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let rows = snapshot.scan(Bound::Unbounded, Bound::Unbounded).unwrap();
    rows.map(|row| row.map(|(key, value)| (key.to_vec(), value.to_vec())).unwrap()).collect()
}

/// What a store holds after its first writes.
fn model(writes: u64, many: u64) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let rows = (1..=writes).map(|number| row(number, many));
    let mut rows: BTreeMap<_, _> = rows.map(|(key, value)| (key.to_vec(), value.to_vec())).collect();
    rows.insert(b"writes".to_vec(), writes.to_be_bytes().to_vec());
    rows
}

#[test]
fn snapshots_show_what_they_showed_while_tables_are_written_out_and_merged() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let mut snapshots = Vec::new();
    for number in 1..=12_000 {
        write(&store, number, 300);
        if number % 1_500 == 0 {
            snapshots.push((number, store.snapshot().unwrap()));
        }
    }
    store.flush().unwrap();
    for (number, snapshot) in &snapshots {
        assert_eq!(rows(&**snapshot), model(*number, 300), "after {number} writes");
    }
    drop(snapshots);
    drop(store);
    assert_eq!(rows(&*open(directory.path()).snapshot().unwrap()), model(12_000, 300));
}

#[test]
fn readers_see_whole_writes_while_tables_are_written_out_and_merged() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let is_written = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            (1..=12_000).for_each(|number| write(&store, number, 300));
            is_written.store(true, Ordering::Release);
        });
        let mut seen = 0;
        while !is_written.load(Ordering::Acquire) {
            let snapshot = store.snapshot().unwrap();
            let Some(writes) = snapshot.get(b"writes").unwrap() else { continue };
            let writes = u64::from_be_bytes(writes[..].try_into().unwrap());
            assert!(writes >= seen, "{writes} writes after {seen}");
            seen = writes;
            let expected = model(writes, 300);
            assert_eq!(rows(&*snapshot), expected, "after {writes} writes");
            let back = snapshot.scan_back(Bound::Unbounded, Bound::Unbounded).unwrap();
            let back = back.map(|row| row.unwrap().0.to_vec());
            assert!(back.eq(expected.keys().rev().cloned()), "backwards after {writes} writes");
            for (key, value) in &expected {
                assert_eq!(snapshot.get(key).unwrap().as_deref(), Some(&value[..]), "after {writes} writes");
            }
        }
    });
}

#[test]
fn a_removed_row_stays_removed_when_its_tables_are_merged() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    for number in 1..=3_000 {
        write(&store, number, 300);
    }
    let keys: Vec<_> = rows(&*store.snapshot().unwrap()).into_keys().collect();
    for key in &keys {
        store.write(&[KvOperation::Delete { key }]).unwrap();
    }
    for filler in 0..12_u8 {
        store.write(&[put(&[filler], &[filler; 20 << 10])]).unwrap();
    }
    store.flush().unwrap();
    drop(store);
    let left = rows(&*open(directory.path()).snapshot().unwrap());
    assert_eq!(left.into_keys().collect::<Vec<_>>(), (0..12).map(|filler| vec![filler]).collect::<Vec<_>>());
}

#[test]
fn values_in_files_of_their_own_are_there_again() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let value = |number: u8| vec![number; (100 << 10) + usize::from(number)];
    for number in 0..20_u8 {
        store.write(&[put(&[number % 10], &value(number))]).unwrap();
    }
    store.flush().unwrap();
    drop(store);
    let snapshot = open(directory.path()).snapshot().unwrap();
    for number in 10..20_u8 {
        assert_eq!(snapshot.get(&[number % 10]).unwrap().unwrap(), value(number));
    }
}

#[test]
fn a_flush_covers_writes_that_change_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    assert_eq!(store.checkpoint().unwrap(), Checkpoint::Writes(0));
    store.write(&[]).unwrap();
    store.flush().unwrap();
    assert_eq!(store.checkpoint().unwrap(), Checkpoint::Writes(1));
    store.write(&[put(b"key", b"value")]).unwrap();
    assert_eq!(store.checkpoint().unwrap(), Checkpoint::Writes(1));
    store.write(&[]).unwrap();
    store.flush().unwrap();
    assert_eq!(store.checkpoint().unwrap(), Checkpoint::Writes(3));
}

/// The child dies in the middle of its work; what it had been told to be durable is there, and a prefix in all.
#[test]
fn what_a_checkpoint_tells_to_be_durable_survives_the_process() {
    if let Some(path) = std::env::var_os(CHILD) {
        let store = open(Path::new(&path));
        for number in 1.. {
            write(&store, number, 300);
            let Checkpoint::Writes(durable) = store.checkpoint().unwrap() else { unreachable!() };
            if durable >= 2_000 {
                std::fs::write(Path::new(&path).with_extension("durable"), durable.to_string()).unwrap();
                std::process::abort();
            }
        }
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store");
    let test = "what_a_checkpoint_tells_to_be_durable_survives_the_process";
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(CHILD, &path)
        .output()
        .unwrap();
    assert!(!child.status.success(), "the child dies: {child:?}");
    let durable: u64 = std::fs::read_to_string(path.with_extension("durable")).unwrap().parse().unwrap();
    let store = open(&path);
    let snapshot = store.snapshot().unwrap();
    let writes = snapshot.get(b"writes").unwrap().unwrap();
    let writes = u64::from_be_bytes(writes[..].try_into().unwrap());
    assert!(writes >= durable, "{writes} writes survived, {durable} were durable");
    assert_eq!(rows(&*snapshot), model(writes, 300));
}

#[test]
fn a_store_that_cannot_write_out_says_so_and_does_not_wait() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store");
    let store = open(&path);
    store.write(&[put(b"key", b"value")]).unwrap();
    std::fs::remove_dir_all(path.join("tables")).unwrap();
    let error = store.flush().unwrap_err();
    assert!(error.to_string().contains("the fjall engine failed"), "{error}");
    assert!(store.write(&[put(b"key", b"value")]).is_err());
    assert!(store.checkpoint().is_err());
}

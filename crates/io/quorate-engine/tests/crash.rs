//! Processes that die in the middle of their work, and what is found afterwards.
#![cfg(all(feature = "redb", feature = "fjall"))]

use quorate_core::conformance::kv_store::assert_prefix;
use quorate_core::{KvOperation, KvStore};
use quorate_engine::{FjallConfig, FjallStore, RedbConfig, RedbStore};
use std::path::Path;
use std::process::Command;

/// Names the directory in which a child process is to work; unset in the test itself.
const CHILD: &str = "QUORATE_ENGINE_TEST_CHILD";
const FLUSHED: u64 = 30;
const WRITTEN: u64 = 50;

/// Runs this test again in a child process that writes and dies, then lets `check` look at what it left.
fn survive(test: &str, open: fn(&Path) -> Box<dyn KvStore>, check: impl FnOnce(&Path)) {
    if let Some(directory) = std::env::var_os(CHILD) {
        write_and_die(&*open(&Path::new(&directory).join("store")));
    }
    let directory = tempfile::tempdir().unwrap();
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(CHILD, directory.path())
        .output()
        .unwrap();
    assert!(!child.status.success(), "the child dies: {child:?}");
    check(&directory.path().join("store"));
    assert_prefix(&*open(&directory.path().join("store")), FLUSHED, WRITTEN);
}

fn write_and_die(store: &dyn KvStore) -> ! {
    for count in 1..=WRITTEN {
        let count = count.to_be_bytes();
        let put = |key, value| KvOperation::Put { key, value };
        store.write(&[put(b"count", &count), put(&count, b"row")]).unwrap();
        if count == FLUSHED.to_be_bytes() {
            store.flush().unwrap();
        }
    }
    std::process::abort()
}

fn open_redb(path: &Path) -> Box<dyn KvStore> {
    Box::new(RedbStore::open(path, &RedbConfig::default()).unwrap())
}

fn open_fjall(path: &Path) -> Box<dyn KvStore> {
    Box::new(FjallStore::open(path, &FjallConfig::default()).unwrap())
}

#[test]
fn redb_keeps_what_was_flushed_and_opens_without_a_full_repair() {
    survive("redb_keeps_what_was_flushed_and_opens_without_a_full_repair", open_redb, |path| {
        let copy = path.with_extension("copy");
        std::fs::copy(path, &copy).unwrap();
        let opened = redb::Database::builder().set_repair_callback(redb::RepairSession::abort).open(&copy);
        assert!(opened.is_ok(), "a full repair was begun: {opened:?}");
    });
}

#[test]
fn fjall_keeps_what_was_flushed() {
    survive("fjall_keeps_what_was_flushed", open_fjall, |_| ());
}

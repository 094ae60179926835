//! The suites of the traits at the boundary, over every store.

use quorate_core::KvStore;
use quorate_core::conformance::kv_store;
#[cfg(any(feature = "redb", feature = "fjall"))]
use quorate_core::conformance::kv_store::Opening;
use quorate_engine::MemoryStore;
#[cfg(feature = "fjall")]
use quorate_engine::{FjallConfig, FjallStore};
#[cfg(feature = "redb")]
use quorate_engine::{RedbConfig, RedbStore};
use std::path::{Path, PathBuf};
use std::sync::Arc;

type Open = fn(&Path) -> Arc<dyn KvStore>;

fn open_memory(_path: &Path) -> Arc<dyn KvStore> {
    Arc::new(MemoryStore::new())
}

#[cfg(feature = "redb")]
fn open_redb(path: &Path) -> Arc<dyn KvStore> {
    Arc::new(RedbStore::open(path, &RedbConfig::default()).unwrap())
}

#[cfg(feature = "fjall")]
fn open_fjall(path: &Path) -> Arc<dyn KvStore> {
    Arc::new(FjallStore::open(path, &FjallConfig::default()).unwrap())
}

/// A directory with a new place for every fresh store.
struct Places {
    directory: tempfile::TempDir,
    count: usize,
}

impl Places {
    fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap(), count: 0 }
    }

    fn fresh(&mut self) -> PathBuf {
        self.count += 1;
        self.present()
    }

    fn present(&self) -> PathBuf {
        self.directory.path().join(self.count.to_string())
    }
}

fn check_store(open: Open) {
    let mut places = Places::new();
    kv_store::suite(|| open(&places.fresh()));
}

#[cfg(any(feature = "redb", feature = "fjall"))]
fn check_reopening(open: Open) {
    let mut places = Places::new();
    kv_store::reopen_suite(|opening| match opening {
        Opening::Fresh => open(&places.fresh()),
        Opening::Again => open(&places.present()),
    });
}

#[test]
fn the_memory_store_conforms() {
    check_store(open_memory);
}

#[cfg(feature = "redb")]
#[test]
fn the_redb_store_conforms() {
    check_store(open_redb);
}

#[cfg(feature = "fjall")]
#[test]
fn the_fjall_store_conforms() {
    check_store(open_fjall);
}

#[cfg(feature = "redb")]
#[test]
fn the_redb_store_keeps_its_data_over_a_restart() {
    check_reopening(open_redb);
}

#[cfg(feature = "fjall")]
#[test]
fn the_fjall_store_keeps_its_data_over_a_restart() {
    check_reopening(open_fjall);
}

//! The suite of the engine trait, for the key-value engine over every store.

mod common;

use bytes::Bytes;
use common::{batch, entry};
use quorate_core::KvStore;
use quorate_core::conformance::engine::{self, Subject};
use quorate_engine::{FjallConfig, FjallStore, MemoryStore, RedbConfig, RedbStore};
use quorate_env::kv::{DEFAULT_DATABASE, KvEngine};
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::Arc;

type Open = fn(&Path) -> Arc<dyn KvStore>;

fn open_memory(_path: &Path) -> Arc<dyn KvStore> {
    Arc::new(MemoryStore::new())
}

fn open_redb(path: &Path) -> Arc<dyn KvStore> {
    Arc::new(RedbStore::open(path, &RedbConfig::default()).unwrap())
}

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

fn check_engine(open: Open, keeps_data: bool) {
    engine::suite(KeyValue { open, keeps_data, places: Places::new() });
}

struct KeyValue {
    open: Open,
    keeps_data: bool,
    places: Places,
}

impl Subject for KeyValue {
    type Engine = KvEngine;

    fn fresh(&mut self) -> KvEngine {
        KvEngine::open((self.open)(&self.places.fresh())).unwrap()
    }

    fn reopen(&mut self, engine: KvEngine) -> Option<KvEngine> {
        drop(engine);
        self.keeps_data.then(|| KvEngine::open((self.open)(&self.places.present())).unwrap())
    }

    fn payload(&self, number: u64) -> Bytes {
        let both = batch(|batch| {
            batch.put(DEFAULT_DATABASE, &number.to_be_bytes(), b"");
            batch.put(DEFAULT_DATABASE, b"latest", &number.to_be_bytes());
        });
        entry(number, &both).payload
    }

    fn bad_payload(&self) -> Bytes {
        let payload = self.payload(7);
        payload.slice(..payload.len() - 1)
    }

    fn numbers(&self, engine: &KvEngine) -> Vec<u64> {
        let snapshot = engine.reader().snapshot().unwrap();
        let rows = snapshot.scan(DEFAULT_DATABASE, Bound::Unbounded, Bound::Unbounded).unwrap();
        rows.filter_map(|row| Some(u64::from_be_bytes((*row.unwrap().0).try_into().ok()?))).collect()
    }

    fn latest(&self, engine: &KvEngine) -> Option<u64> {
        let snapshot = engine.reader().snapshot().unwrap();
        let value = snapshot.get(DEFAULT_DATABASE, b"latest").unwrap()?;
        Some(u64::from_be_bytes((*value).try_into().unwrap()))
    }
}

#[test]
fn the_engine_conforms_over_memory() {
    check_engine(open_memory, false);
}

#[test]
fn the_engine_conforms_over_redb() {
    check_engine(open_redb, true);
}

#[test]
fn the_engine_conforms_over_fjall() {
    check_engine(open_fjall, true);
}

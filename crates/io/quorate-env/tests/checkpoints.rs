//! What an engine says is durable, over a store that writes out what it holds in its own time.

mod common;

use common::{batch, entry};
use quorate_core::{Checkpoint, Engine, EngineError, KvOperation, KvSnapshot, KvStore};
use quorate_engine::MemoryStore;
use quorate_env::kv::{DEFAULT_DATABASE, KvEngine};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// Says what it was told to say.
struct Told {
    rows: MemoryStore,
    durable: Mutex<Checkpoint>,
    flushes: AtomicU64,
}

impl Told {
    fn new() -> Arc<Self> {
        let (durable, flushes) = (Mutex::new(Checkpoint::Writes(0)), AtomicU64::new(0));
        Arc::new(Self { rows: MemoryStore::new(), durable, flushes })
    }

    fn is_durable(&self, durable: Checkpoint) {
        *self.durable.lock().unwrap() = durable;
    }
}

impl KvStore for Told {
    fn write(&self, operations: &[KvOperation<'_>]) -> Result<(), EngineError> {
        self.rows.write(operations)
    }

    fn flush(&self) -> Result<bool, EngineError> {
        self.flushes.fetch_add(1, Ordering::Relaxed);
        Ok(true)
    }

    fn checkpoint(&self) -> Result<Checkpoint, EngineError> {
        Ok(*self.durable.lock().unwrap())
    }

    fn snapshot(&self) -> Result<Arc<dyn KvSnapshot>, EngineError> {
        self.rows.snapshot()
    }
}

/// Applies one entry, in one write.
fn apply(engine: &mut KvEngine, vlsn: u64, value: &[u8]) {
    let batch = batch(|batch| batch.put(DEFAULT_DATABASE, b"key", value));
    engine.apply(&[entry(vlsn, &batch)], &mut Vec::new()).unwrap();
}

fn durable(engine: &mut KvEngine) -> Option<u64> {
    engine.checkpoint().unwrap().map(|last| last.vlsn.as_u64())
}

#[test]
fn an_engine_is_durable_as_far_as_its_store_says() {
    let store = Told::new();
    let mut engine = KvEngine::open(store.clone()).unwrap();
    assert_eq!(durable(&mut engine), None);
    (1..=10).for_each(|vlsn| apply(&mut engine, vlsn, b"value"));
    assert_eq!(durable(&mut engine), None, "none of ten writes is durable");
    store.is_durable(Checkpoint::Writes(9));
    assert_eq!(durable(&mut engine), None, "the position after nine was not noted");
    store.is_durable(Checkpoint::Writes(10));
    assert_eq!(durable(&mut engine), Some(10));
    (11..=15).for_each(|vlsn| apply(&mut engine, vlsn, b"value"));
    assert_eq!(durable(&mut engine), Some(10));
    (16..=20).for_each(|vlsn| apply(&mut engine, vlsn, b"value"));
    store.is_durable(Checkpoint::Writes(17));
    assert_eq!(durable(&mut engine), Some(15), "where it was when it was asked last");
    store.is_durable(Checkpoint::Everything);
    assert_eq!(durable(&mut engine), Some(20));
    assert_eq!(store.flushes.load(Ordering::Relaxed), 0);
}

#[test]
fn what_is_durable_never_goes_back() {
    let store = Told::new();
    let mut engine = KvEngine::open(store.clone()).unwrap();
    apply(&mut engine, 1, b"value");
    assert_eq!(durable(&mut engine), None, "and its position is noted");
    apply(&mut engine, 2, b"value");
    assert_eq!(engine.flush().unwrap().unwrap().vlsn.as_u64(), 2);
    apply(&mut engine, 3, b"value");
    store.is_durable(Checkpoint::Writes(2));
    assert_eq!(durable(&mut engine), Some(2));
}

#[test]
fn what_was_found_on_opening_is_durable_if_the_store_says_so() {
    let store = Told::new();
    apply(&mut KvEngine::open(store.clone()).unwrap(), 1, b"value");
    let mut engine = KvEngine::open(store.clone()).unwrap();
    assert_eq!(durable(&mut engine), Some(1), "all of no writes since are durable");
    store.is_durable(Checkpoint::Nothing);
    let mut engine = KvEngine::open(store).unwrap();
    assert_eq!(durable(&mut engine), None);
}

#[test]
fn a_store_that_writes_nothing_out_for_long_is_flushed() {
    let store = Told::new();
    let mut engine = KvEngine::open(store.clone()).unwrap();
    let value = vec![0; 1 << 20];
    for vlsn in 1..=63 {
        apply(&mut engine, vlsn, &value);
        assert_eq!(durable(&mut engine), None);
    }
    apply(&mut engine, 64, &value);
    assert_eq!(durable(&mut engine), Some(64), "64 MiB were applied");
    assert_eq!(store.flushes.load(Ordering::Relaxed), 1);
    apply(&mut engine, 65, &value);
    assert_eq!(durable(&mut engine), Some(64));
}

#[test]
fn a_store_that_writes_out_as_it_goes_along_is_not_flushed_however_much_is_applied() {
    let store = Told::new();
    let mut engine = KvEngine::open(store.clone()).unwrap();
    let value = vec![0; 1 << 20];
    apply(&mut engine, 1, &value);
    assert_eq!(durable(&mut engine), None, "and its position is noted");
    (2..=70).for_each(|vlsn| apply(&mut engine, vlsn, &value));
    store.is_durable(Checkpoint::Writes(69));
    assert_eq!(durable(&mut engine), Some(1), "where it was when it was asked last");
    assert_eq!(store.flushes.load(Ordering::Relaxed), 0);
}

use crate::cow_tree::CowTree;
use crate::range::is_empty_range;
use bytes::Bytes;
use quorate_core::{EngineError, KvOperation, KvScan, KvSnapshot, KvStore};
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// So many keys are visited side by side before they are changed: what they touch fits into a processor's second
/// cache, and more of them would not wait for memory any less.
const APPROACHED_TOGETHER: usize = 32;

/// A store in memory: nothing survives the process, and [`flush`](KvStore::flush) says so.
///
/// A snapshot shares the store's nodes, so taking one costs the same whatever the store holds. The writer
/// copies what a snapshot still shows before it changes it, and works in place where there is none. A
/// snapshot taken during a write waits for its end.
#[derive(Default)]
pub struct MemoryStore {
    tree: Mutex<CowTree>,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn tree(&self) -> MutexGuard<'_, CowTree> {
        self.tree.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl KvStore for MemoryStore {
    fn write(&self, operations: &[KvOperation<'_>]) -> Result<(), EngineError> {
        let mut tree = self.tree();
        for group in operations.chunks(APPROACHED_TOGETHER) {
            tree.approach(group.iter().map(KvOperation::key));
        }
        for operation in operations {
            match operation {
                KvOperation::Put { key, value } => tree.insert(key, value),
                KvOperation::Delete { key } => tree.remove(key),
            }
        }
        Ok(())
    }

    fn flush(&self) -> Result<bool, EngineError> {
        Ok(false)
    }

    fn snapshot(&self) -> Result<Arc<dyn KvSnapshot>, EngineError> {
        Ok(Arc::new(MemorySnapshot(self.tree().clone())))
    }
}

struct MemorySnapshot(CowTree);

impl KvSnapshot for MemorySnapshot {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, EngineError> {
        Ok(self.0.get(key))
    }

    fn scan(&self, start: Bound<&[u8]>, end: Bound<&[u8]>) -> Result<KvScan<'_>, EngineError> {
        if is_empty_range(start, end) {
            return Ok(Box::new(std::iter::empty()));
        }
        Ok(Box::new(self.0.range(start, end).map(Ok)))
    }

    fn scan_back(&self, start: Bound<&[u8]>, end: Bound<&[u8]>) -> Result<KvScan<'_>, EngineError> {
        if is_empty_range(start, end) {
            return Ok(Box::new(std::iter::empty()));
        }
        Ok(Box::new(self.0.range_back(start, end).map(Ok)))
    }
}

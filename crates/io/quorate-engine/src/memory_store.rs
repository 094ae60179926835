use crate::cow_tree::CowTree;
use crate::range::is_empty_range;
use bytes::Bytes;
use quorate_core::{EngineError, KvOperation, KvScan, KvSnapshot, KvStore};
use std::ops::Bound;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// A store in memory: nothing survives the process, and [`flush`](KvStore::flush) says so.
///
/// Snapshots share the store's nodes, so taking one costs the same whatever the store holds, and neither side waits for the other.
pub struct MemoryStore {
    published: RwLock<CowTree>,
    writer: Mutex<()>,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self { published: RwLock::new(CowTree::new()), writer: Mutex::new(()) }
    }

    fn published(&self) -> CowTree {
        self.published.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl KvStore for MemoryStore {
    fn write(&self, operations: &[KvOperation<'_>]) -> Result<(), EngineError> {
        let _one_writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let mut tree = self.published();
        for operation in operations {
            match operation {
                KvOperation::Put { key, value } => tree.insert(key, Bytes::copy_from_slice(value)),
                KvOperation::Delete { key } => tree.remove(key),
            }
        }
        *self.published.write().unwrap_or_else(PoisonError::into_inner) = tree;
        Ok(())
    }

    fn flush(&self) -> Result<bool, EngineError> {
        Ok(false)
    }

    fn snapshot(&self) -> Result<Arc<dyn KvSnapshot>, EngineError> {
        Ok(Arc::new(MemorySnapshot(self.published())))
    }
}

struct MemorySnapshot(CowTree);

impl KvSnapshot for MemorySnapshot {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, EngineError> {
        Ok(self.0.get(key).cloned())
    }

    fn scan(&self, start: Bound<&[u8]>, end: Bound<&[u8]>) -> Result<KvScan<'_>, EngineError> {
        if is_empty_range(start, end) {
            return Ok(Box::new(std::iter::empty()));
        }
        Ok(Box::new(self.0.range(start, end).map(Ok)))
    }
}

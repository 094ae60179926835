use bytes::Bytes;
use quorate_core::{EngineError, KvOperation, KvScan, KvSnapshot, KvStore};
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

type Rows = Arc<BTreeMap<Bytes, Bytes>>;

/// A store of rows that survives crashes as far as it was flushed, and further only where the disk was ahead
/// of what it had promised.
///
/// Clones share the rows; the simulator keeps one from life to life of the process.
#[derive(Clone, Debug, Default)]
pub(crate) struct EngineDisk {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    current: Rows,
    durable: Rows,
}

impl EngineDisk {
    /// The process, or the machine, ends. An engine that is `ahead` had stored more than it was asked to
    /// flush.
    pub(crate) fn crash(&self, ahead: bool) {
        let mut state = self.locked();
        if ahead {
            state.durable = Arc::clone(&state.current);
        } else {
            state.current = Arc::clone(&state.durable);
        }
    }

    /// Another disk, with what is durable on this one.
    pub(crate) fn copy(&self) -> Self {
        let durable = Arc::clone(&self.locked().durable);
        let state = State { current: Arc::clone(&durable), durable };
        Self { state: Arc::new(Mutex::new(state)) }
    }

    /// Whether the store holds more than was flushed.
    pub(crate) fn has_unflushed(&self) -> bool {
        let state = self.locked();
        !Arc::ptr_eq(&state.current, &state.durable)
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl KvStore for EngineDisk {
    fn write(&self, operations: &[KvOperation<'_>]) -> Result<(), EngineError> {
        let mut state = self.locked();
        let rows = Arc::make_mut(&mut state.current);
        for operation in operations {
            match operation {
                KvOperation::Put { key, value } => {
                    rows.insert(Bytes::copy_from_slice(key), Bytes::copy_from_slice(value));
                }
                KvOperation::Delete { key } => {
                    rows.remove(*key);
                }
            }
        }
        Ok(())
    }

    fn flush(&self) -> Result<bool, EngineError> {
        let mut state = self.locked();
        state.durable = Arc::clone(&state.current);
        Ok(true)
    }

    fn snapshot(&self) -> Result<Arc<dyn KvSnapshot>, EngineError> {
        Ok(Arc::new(RowsSnapshot(Arc::clone(&self.locked().current))))
    }
}

struct RowsSnapshot(Rows);

impl KvSnapshot for RowsSnapshot {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, EngineError> {
        Ok(self.0.get(key).cloned())
    }

    fn scan(&self, start: Bound<&[u8]>, end: Bound<&[u8]>) -> Result<KvScan<'_>, EngineError> {
        let above = move |key: &Bytes| match start {
            Bound::Included(start) => &key[..] >= start,
            Bound::Excluded(start) => &key[..] > start,
            Bound::Unbounded => true,
        };
        let below = move |key: &Bytes| match end {
            Bound::Included(end) => &key[..] <= end,
            Bound::Excluded(end) => &key[..] < end,
            Bound::Unbounded => true,
        };
        let rows = self.0.iter().filter(|(key, _)| above(key) && below(key));
        let rows: Vec<_> = rows.map(|(key, value)| Ok((key.clone(), value.clone()))).collect();
        Ok(Box::new(rows.into_iter()))
    }

    fn scan_back(&self, start: Bound<&[u8]>, end: Bound<&[u8]>) -> Result<KvScan<'_>, EngineError> {
        let mut rows: Vec<_> = self.scan(start, end)?.collect();
        rows.reverse();
        Ok(Box::new(rows.into_iter()))
    }
}

/// Where a key of the default database lies among the rows.
pub(crate) fn row_key(key: &[u8]) -> Bytes {
    let mut row = vec![1];
    row.extend_from_slice(&quorate_env::kv::DEFAULT_DATABASE.as_u32().to_be_bytes());
    row.extend_from_slice(key);
    row.into()
}

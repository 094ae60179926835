use bytes::Bytes;
use quorate_core::{Checkpoint, EngineError, KvOperation, KvScan, KvSnapshot, KvStore};
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

type Rows = Arc<BTreeMap<Bytes, Bytes>>;

/// A store of rows that survives crashes as far as it was flushed, and further only where the disk was ahead
/// of what it had promised. It writes out in the background what it holds at a checkpoint, and is done with that at the
/// next one.
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
    /// What is being written out.
    sealed: Sealed,
    /// Writes since the store was opened.
    writes: u64,
    /// So many of them are durable.
    durable_writes: u64,
}

#[derive(Clone, Debug, Default)]
struct Sealed {
    rows: Rows,
    /// The store had seen so many writes.
    writes: u64,
}

impl State {
    /// What a process finds that opens the store.
    fn reopened(rows: Rows) -> Self {
        let sealed = Sealed { rows: Arc::clone(&rows), writes: 0 };
        Self { current: Arc::clone(&rows), durable: rows, sealed, writes: 0, durable_writes: 0 }
    }

    fn seal(&mut self) {
        self.sealed = Sealed { rows: Arc::clone(&self.current), writes: self.writes };
    }

    fn write_out(&mut self) {
        let Sealed { rows, writes } = self.sealed.clone();
        (self.durable, self.durable_writes) = (rows, writes);
    }
}

impl EngineDisk {
    /// The process, or the machine, ends. An engine that is `ahead` had stored more than it was asked to
    /// flush.
    pub(crate) fn crash(&self, ahead: bool) {
        let mut state = self.locked();
        let found = if ahead { &state.current } else { &state.durable };
        *state = State::reopened(Arc::clone(found));
    }

    /// Another disk, with what is durable on this one.
    pub(crate) fn copy(&self) -> Self {
        let state = State::reopened(Arc::clone(&self.locked().durable));
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
        state.writes += 1;
        Ok(())
    }

    fn flush(&self) -> Result<bool, EngineError> {
        let mut state = self.locked();
        state.seal();
        state.write_out();
        Ok(true)
    }

    fn checkpoint(&self) -> Result<Checkpoint, EngineError> {
        let mut state = self.locked();
        state.write_out();
        state.seal();
        Ok(Checkpoint::Writes(state.durable_writes))
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
    let number = quorate_env::kv::DEFAULT_DATABASE.as_u32().to_be_bytes();
    let mut row = vec![1, number[3]];
    row.extend_from_slice(key);
    row.into()
}

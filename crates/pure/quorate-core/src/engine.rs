use crate::{EntryId, EntryKind};
use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use bytes::Bytes;
use core::ops::Bound;

/// A committed entry on its way into an engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// Which entry it is.
    pub id: EntryId,
    /// What it is for. A [`EntryKind::TermStart`] changes nothing but the position.
    pub kind: EntryKind,
    /// What was proposed.
    pub payload: Bytes,
}

/// A storage engine to which committed entries are applied.
///
/// 1. Only committed entries arrive, in order, each once per life of the engine's state. 2. The engine stores the last entry's
///    id in the same atomic step as its effects. 3. It may be lazy about durability: after a crash it is found at an earlier position, never at a
///    mixture, and the log replays from there.
pub trait Engine: Send {
    /// The last entry applied, as found on open and as changed since.
    fn applied(&self) -> Option<EntryId>;

    /// Applies entries in one atomic step and appends one result an entry to `results`.
    ///
    /// # Errors
    /// [`EngineError`]; nothing was applied, and the node stops serving: an engine that cannot apply a committed entry must not go on.
    fn apply(&mut self, entries: &[Committed], results: &mut Vec<Bytes>) -> Result<(), EngineError>;

    /// Makes what was applied durable and returns the last durable entry (`None` from an engine that keeps nothing).
    ///
    /// # Errors
    /// [`EngineError`]; no more than before is durable.
    fn flush(&mut self) -> Result<Option<EntryId>, EngineError>;

    /// Returns the last durable entry, after having made durable what is worth it by now. Asked at regular intervals, so
    /// that the log can be trimmed. An engine that writes out what it holds in the background says how far it is; any
    /// other flushes, which is what this does by itself.
    ///
    /// # Errors
    /// [`EngineError`]; no more than before is durable.
    fn checkpoint(&mut self) -> Result<Option<EntryId>, EngineError> {
        self.flush()
    }
}

/// One change in an atomic write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KvOperation<'a> {
    /// Sets a key.
    Put {
        /// The key, not empty.
        key: &'a [u8],
        /// Its new value.
        value: &'a [u8],
    },
    /// Removes a key, if it is there.
    Delete {
        /// The key, not empty.
        key: &'a [u8],
    },
}

impl<'a> KvOperation<'a> {
    /// The key that it changes.
    #[must_use]
    pub const fn key(&self) -> &'a [u8] {
        match self {
            Self::Put { key, .. } | Self::Delete { key } => key,
        }
    }
}

/// A row of a scan: key and value.
pub type KvRow = (Bytes, Bytes);
/// Rows in the order of their keys, ascending or descending; it ends after the first error.
pub type KvScan<'a> = Box<dyn Iterator<Item = Result<KvRow, EngineError>> + Send + 'a>;

/// An ordered store of bytes: what the environment needs of a storage engine.
///
/// 1. A write is atomic and seen by every later snapshot. 2. A snapshot never changes. 3. Readers do not block the writer. 4. After a crash the
///    store holds the effects of a prefix of its writes that contains all that [`flush`](Self::flush) covered.
pub trait KvStore: Send + Sync {
    /// Applies all operations, in order, in one atomic step. One thread writes.
    ///
    /// # Errors
    /// [`EngineError`]; nothing was changed.
    fn write(&self, operations: &[KvOperation<'_>]) -> Result<(), EngineError>;

    /// Makes every write so far durable. Returns false if this store keeps nothing over a restart.
    ///
    /// # Errors
    /// [`EngineError`]; no more than before is durable.
    fn flush(&self) -> Result<bool, EngineError>;

    /// Returns how much is durable, after having made durable what is worth it by now. Asked at regular intervals. A
    /// store that writes out what it holds in the background says how far it is; any other flushes, which is what this
    /// does by itself.
    ///
    /// # Errors
    /// [`EngineError`]; no more than before is durable.
    fn checkpoint(&self) -> Result<Checkpoint, EngineError> {
        Ok(if self.flush()? { Checkpoint::Everything } else { Checkpoint::Nothing })
    }

    /// The store as it is now.
    ///
    /// # Errors
    /// [`EngineError`].
    fn snapshot(&self) -> Result<Arc<dyn KvSnapshot>, EngineError>;
}

/// How much of what was written to a store is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checkpoint {
    /// Nothing, now or later: the store keeps nothing over a restart.
    Nothing,
    /// What was there when the store was opened, and the first so many writes since.
    Writes(u64),
    /// Every write so far.
    Everything,
}

/// A store as it was at one moment.
pub trait KvSnapshot: Send + Sync {
    /// The value of a key.
    ///
    /// # Errors
    /// [`EngineError`].
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, EngineError>;

    /// The rows whose keys lie between two bounds, in key order. An empty or inverted range has no rows.
    ///
    /// # Errors
    /// [`EngineError`], here or as an item.
    fn scan(&self, start: Bound<&[u8]>, end: Bound<&[u8]>) -> Result<KvScan<'_>, EngineError>;

    /// The rows that [`scan`](Self::scan) of the same bounds gives, in descending order of their keys. Its
    /// first row costs about as much as a scan's.
    ///
    /// # Errors
    /// [`EngineError`], here or as an item.
    fn scan_back(&self, start: Bound<&[u8]>, end: Bound<&[u8]>) -> Result<KvScan<'_>, EngineError>;
}

/// Why an engine failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The engine's storage failed.
    #[error("the {engine} engine failed: {detail}")]
    Storage {
        /// Which engine.
        engine: &'static str,
        /// What it said.
        detail: String,
    },
    /// The stored bytes are not what this engine writes.
    #[error("the {engine} engine holds data that it cannot read: {detail}")]
    Corrupt {
        /// Which engine.
        engine: &'static str,
        /// What is wrong.
        detail: String,
    },
    /// A committed payload is not what this engine understands.
    #[error("entry {id} cannot be understood by this version: {detail}")]
    Payload {
        /// Which entry.
        id: EntryId,
        /// What is wrong.
        detail: String,
    },
}

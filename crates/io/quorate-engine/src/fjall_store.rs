use crate::range::is_empty_range;
use crate::{OpenError, directory};
use bytes::Bytes;
use fjall::{
    Database, Guard, Keyspace, KeyspaceCreateOptions, KvSeparationOptions, PersistMode, Readable, Snapshot,
};
use quorate_core::{EngineError, KvOperation, KvRow, KvScan, KvSnapshot, KvStore};
use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;

const ENGINE: &str = "fjall";
const KEYSPACE: &str = "quorate";
/// The file by which a directory is known to be fjall's.
pub(crate) const MARKER: &str = "version";
/// The longest key that fjall takes, in bytes; it panics beyond.
const KEY_BYTES_MAX: usize = u16::MAX as usize;
/// Values of this length in bytes and more lie in files of their own, which are not read and written again
/// each time that tables are merged.
const SEPARATE_BYTES_MIN: u32 = 64 << 10;
/// The least that fjall accepts, in bytes.
const JOURNAL_BYTES_MAX: u64 = 64 << 20;

/// How a [`FjallStore`] uses its memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FjallConfig {
    /// Memory for blocks that were read, in bytes. Default 8 MiB.
    pub cache_bytes: u64,
    /// Size of a table of new rows in memory, in bytes, at which it is written out. Up to five of them exist
    /// under a load of writes. Default 8 MiB.
    pub memtable_bytes: u64,
    /// Threads that write tables out and merge them. At least 1. Default 1.
    pub worker_threads: usize,
}

impl Default for FjallConfig {
    fn default() -> Self {
        Self { cache_bytes: 8 << 20, memtable_bytes: 8 << 20, worker_threads: 1 }
    }
}

/// A store in one fjall directory: a log-structured merge tree with a journal.
///
/// Writes go to the journal's buffer, are visible at once and durable with the next
/// [`flush`](KvStore::flush). After a crash of the process more than was flushed may be there, always a
/// prefix of the writes. After power loss a value that reached the disk in part can leave a journal that
/// fjall does not open ([`OpenError::Damaged`]).
pub struct FjallStore {
    database: Database,
    keyspace: Keyspace,
}

impl FjallStore {
    /// Opens the directory at `path`, or creates it in its parent, which must exist.
    ///
    /// # Errors
    /// [`OpenError`] says what to do.
    pub fn open(path: &Path, config: &FjallConfig) -> Result<Self, OpenError> {
        check_directory(path)?;
        let database = Database::builder(path)
            .cache_size(config.cache_bytes)
            .manual_journal_persist(true)
            .max_journaling_size(JOURNAL_BYTES_MAX)
            .worker_threads(config.worker_threads.max(1))
            .open()
            .map_err(|error| refused(path, error))?;
        let keyspace = claim(&database, path, config)?;
        directory::sync_parent(path).map_err(|error| OpenError::io(path, error))?;
        Ok(Self { database, keyspace })
    }

    fn try_write(&self, operations: &[KvOperation<'_>]) -> Result<(), fjall::Error> {
        let mut batch = fjall::OwnedWriteBatch::with_capacity(self.database.clone(), operations.len());
        for operation in operations {
            match operation {
                KvOperation::Put { key, value } => batch.insert(&self.keyspace, *key, *value),
                KvOperation::Delete { key } => batch.remove(&self.keyspace, *key),
            }
        }
        batch.commit()
    }
}

impl KvStore for FjallStore {
    fn write(&self, operations: &[KvOperation<'_>]) -> Result<(), EngineError> {
        operations.iter().try_for_each(check_key)?;
        self.try_write(operations).map_err(failed)
    }

    fn flush(&self) -> Result<bool, EngineError> {
        self.database.persist(PersistMode::SyncAll).map_err(failed)?;
        Ok(true)
    }

    fn snapshot(&self) -> Result<Arc<dyn KvSnapshot>, EngineError> {
        Ok(Arc::new(FjallSnapshot { snapshot: self.database.snapshot(), keyspace: self.keyspace.clone() }))
    }
}

struct FjallSnapshot {
    snapshot: Snapshot,
    keyspace: Keyspace,
}

impl KvSnapshot for FjallSnapshot {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, EngineError> {
        Ok(self.snapshot.get(&self.keyspace, key).map_err(failed)?.map(Bytes::from))
    }

    fn scan(&self, start: Bound<&[u8]>, end: Bound<&[u8]>) -> Result<KvScan<'_>, EngineError> {
        if is_empty_range(start, end) {
            return Ok(Box::new(std::iter::empty()));
        }
        Ok(Box::new(self.snapshot.range::<&[u8], _>(&self.keyspace, (start, end)).map(row)))
    }

    fn scan_back(&self, start: Bound<&[u8]>, end: Bound<&[u8]>) -> Result<KvScan<'_>, EngineError> {
        if is_empty_range(start, end) {
            return Ok(Box::new(std::iter::empty()));
        }
        Ok(Box::new(self.snapshot.range::<&[u8], _>(&self.keyspace, (start, end)).rev().map(row)))
    }
}

fn row(row: Guard) -> Result<KvRow, EngineError> {
    let (key, value) = row.into_inner().map_err(failed)?;
    Ok((Bytes::from(key), Bytes::from(value)))
}

/// Fjall would make itself at home in any directory.
fn check_directory(path: &Path) -> Result<(), OpenError> {
    let io = |error| OpenError::io(path, error);
    if path.join(MARKER).try_exists().map_err(io)? || !directory::has_entries(path).map_err(io)? {
        return Ok(());
    }
    Err(foreign(path, format!("the directory is not empty and has no file {MARKER:?}")))
}

/// Opens or creates the one keyspace of this store, and makes sure that there is no other.
fn claim(database: &Database, path: &Path, config: &FjallConfig) -> Result<Keyspace, OpenError> {
    let names = database.list_keyspace_names();
    if names.iter().any(|name| **name != *KEYSPACE) {
        return Err(foreign(path, format!("it has the keyspaces {names:?}")));
    }
    let options = || {
        let separation = KvSeparationOptions::default().separation_threshold(SEPARATE_BYTES_MIN);
        KeyspaceCreateOptions::default()
            .max_memtable_size(config.memtable_bytes)
            .with_kv_separation(Some(separation))
            .manual_journal_persist(true)
    };
    database.keyspace(KEYSPACE, options).map_err(|error| refused(path, error))
}

fn check_key(operation: &KvOperation<'_>) -> Result<(), EngineError> {
    let (KvOperation::Put { key, .. } | KvOperation::Delete { key }) = operation;
    if (1..=KEY_BYTES_MAX).contains(&key.len()) {
        return Ok(());
    }
    let detail = format!("a key of {} bytes is not between 1 and {KEY_BYTES_MAX} bytes long", key.len());
    Err(EngineError::Storage { engine: ENGINE, detail })
}

pub(crate) fn failed(error: fjall::Error) -> EngineError {
    EngineError::Storage { engine: ENGINE, detail: error.to_string() }
}

fn foreign(path: &Path, detail: String) -> OpenError {
    OpenError::Foreign { path: path.to_owned(), engine: ENGINE, detail }
}

fn refused(path: &Path, error: fjall::Error) -> OpenError {
    match error {
        fjall::Error::Locked => OpenError::InUse { path: path.to_owned() },
        fjall::Error::InvalidVersion(version) => foreign(path, format!("it has file format {version:?}")),
        fjall::Error::Io(source) => OpenError::io(path, source),
        fjall::Error::JournalRecovery(_) | fjall::Error::Unrecoverable | fjall::Error::InvalidTrailer => {
            OpenError::Damaged { path: path.to_owned(), engine: ENGINE, detail: error.to_string() }
        }
        error => OpenError::Engine { path: path.to_owned(), source: failed(error) },
    }
}

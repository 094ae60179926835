mod files;

pub use files::RedbFiles;

use crate::range::is_empty_range;
use crate::{OpenError, directory};
use bytes::Bytes;
use files::OsFiles;
use quorate_core::{EngineError, KvOperation, KvRow, KvScan, KvSnapshot, KvStore};
use redb::{
    Database, DatabaseError, Durability, OwnedAccessGuard, ReadOnlyTable, ReadableDatabase, ReadableTable,
    StorageBackend, StorageError, TableDefinition, TableHandle, WriteTransaction,
};
use std::io::ErrorKind;
use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

const ENGINE: &str = "redb";
/// How every redb file begins.
pub(crate) const MAGIC: &[u8] = b"redb";
const TABLE: TableDefinition<'static, &[u8], &[u8]> = TableDefinition::new("quorate");

/// How a [`RedbStore`] uses its memory and its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedbConfig {
    /// Memory for pages, in bytes: read pages, and pages written and not yet on disk. Reads beyond it go to
    /// the file, and writes that outgrow it between two flushes go there early. Default 16 MiB.
    pub cache_bytes: usize,
    /// Whether every open reads the whole file and verifies the checksums of all pages, so that one that has
    /// rotted is refused as [`OpenError::Damaged`]. Without it pages are verified only after a crash that
    /// leaves no record of which are in use, and damage may show as wrong values, or as a panic. Costs about
    /// as long as reading the file takes. Default false.
    pub verify_on_open: bool,
}

impl Default for RedbConfig {
    fn default() -> Self {
        Self { cache_bytes: 16 << 20, verify_on_open: false }
    }
}

/// A store in one redb file: a copy-on-write B-tree.
///
/// Writes are visible at once and durable with the next [`flush`](KvStore::flush). A crash takes the store
/// back to the last flush, exactly; it opens again without reading the whole file, because every flush also
/// stores which pages are in use.
pub struct RedbStore {
    database: Database,
    has_unflushed_writes: AtomicBool,
}

impl RedbStore {
    /// Opens the file at `path`, or creates it in its directory, which must exist. A crash leaves no file or
    /// a whole one.
    ///
    /// # Errors
    /// [`OpenError`] says what to do.
    pub fn open(path: &Path, config: &RedbConfig) -> Result<Self, OpenError> {
        Self::open_among(&OsFiles, path, config)
    }

    /// As [`open`](Self::open), among files of any sort.
    ///
    /// # Errors
    /// [`OpenError`] says what to do.
    pub fn open_among<F: RedbFiles>(files: &F, path: &Path, config: &RedbConfig) -> Result<Self, OpenError> {
        let io = |error| OpenError::io(path, error);
        let file = match files.open(path).map_err(io)? {
            Some(file) => file,
            None => {
                create(files, path, config)?;
                files.open(path).map_err(io)?.ok_or_else(|| io(ErrorKind::NotFound.into()))?
            }
        };
        let store = Self::with(file, path, config)?;
        store.claim(path)?;
        Ok(store)
    }

    fn with(file: impl StorageBackend, path: &Path, config: &RedbConfig) -> Result<Self, OpenError> {
        let mut builder = Database::builder();
        builder.set_cache_size(config.cache_bytes);
        builder.set_check_integrity_on_open(config.verify_on_open);
        builder.set_repair_callback({
            let path = path.to_owned();
            let is_asked_for = config.verify_on_open;
            move |session| {
                let (path, progress) = (path.display(), session.progress());
                if is_asked_for {
                    tracing::debug!(%path, progress, "reading the whole redb file to verify it");
                } else {
                    tracing::warn!(%path, progress, "reading the whole redb file to repair it");
                }
            }
        });
        let database = builder.create_with_backend(file).map_err(|error| refused(path, error))?;
        Ok(Self { database, has_unflushed_writes: AtomicBool::new(false) })
    }

    /// Makes sure that the file has the one table of this store, and no other.
    fn claim(&self, path: &Path) -> Result<(), OpenError> {
        let tables = self.table_names().map_err(|error| broken(path, error))?;
        match tables.as_slice() {
            [name] if name == TABLE.name() => Ok(()),
            names => Err(foreign(path, format!("it has the tables {names:?}"))),
        }
    }

    fn table_names(&self) -> Result<Vec<String>, redb::Error> {
        let transaction = self.database.begin_read()?;
        Ok(transaction.list_tables()?.map(|table| table.name().to_owned()).collect())
    }

    fn create_table(&self) -> Result<(), redb::Error> {
        let transaction = self.durable_transaction()?;
        transaction.open_table(TABLE)?;
        Ok(transaction.commit()?)
    }

    /// A transaction whose commit is durable and lets the file be opened after a crash without reading all of
    /// it.
    fn durable_transaction(&self) -> Result<WriteTransaction, redb::Error> {
        let mut transaction = self.database.begin_write()?;
        transaction.set_quick_repair(true);
        Ok(transaction)
    }

    fn try_write(&self, operations: &[KvOperation<'_>]) -> Result<(), redb::Error> {
        let mut transaction = self.database.begin_write()?;
        transaction.set_durability(Durability::None)?;
        {
            let mut table = transaction.open_table(TABLE)?;
            for operation in operations {
                match operation {
                    KvOperation::Put { key, value } => drop(table.insert(*key, *value)?),
                    KvOperation::Delete { key } => drop(table.remove(*key)?),
                }
            }
        }
        Ok(transaction.commit()?)
    }

    fn try_flush(&self) -> Result<(), redb::Error> {
        Ok(self.durable_transaction()?.commit()?)
    }

    fn try_snapshot(&self) -> Result<RedbSnapshot, redb::Error> {
        Ok(RedbSnapshot(self.database.begin_read()?.open_table(TABLE)?))
    }
}

/// Makes an empty store. redb writes a new file in several steps, and does not know one that it was not able
/// to finish; so the file gets its name when it is whole.
fn create<F: RedbFiles>(files: &F, path: &Path, config: &RedbConfig) -> Result<(), OpenError> {
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(".unfinished");
    let unfinished = Path::new(&unfinished);
    let file = files.create(unfinished).map_err(|error| OpenError::io(path, error))?;
    let store = RedbStore::with(file, path, config)?;
    store.create_table().map_err(|error| broken(path, error))?;
    drop(store);
    files.rename(unfinished, path).map_err(|error| OpenError::io(path, error))
}

impl KvStore for RedbStore {
    fn write(&self, operations: &[KvOperation<'_>]) -> Result<(), EngineError> {
        self.try_write(operations).map_err(failed)?;
        self.has_unflushed_writes.store(true, Ordering::Release);
        Ok(())
    }

    fn flush(&self) -> Result<bool, EngineError> {
        if self.has_unflushed_writes.swap(false, Ordering::AcqRel) {
            self.try_flush().map_err(|error| {
                self.has_unflushed_writes.store(true, Ordering::Release);
                failed(error)
            })?;
        }
        Ok(true)
    }

    fn snapshot(&self) -> Result<Arc<dyn KvSnapshot>, EngineError> {
        Ok(Arc::new(self.try_snapshot().map_err(failed)?))
    }
}

/// The table keeps its read transaction open.
struct RedbSnapshot(ReadOnlyTable<&'static [u8], &'static [u8]>);

impl KvSnapshot for RedbSnapshot {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, EngineError> {
        let value = ReadableTable::get(&self.0, key).map_err(failed)?;
        Ok(value.map(|value| Bytes::copy_from_slice(value.value())))
    }

    fn scan(&self, start: Bound<&[u8]>, end: Bound<&[u8]>) -> Result<KvScan<'_>, EngineError> {
        if is_empty_range(start, end) {
            return Ok(Box::new(std::iter::empty()));
        }
        Ok(Box::new(self.0.range_owned::<&[u8]>((start, end)).map_err(failed)?.map(row)))
    }

    fn scan_back(&self, start: Bound<&[u8]>, end: Bound<&[u8]>) -> Result<KvScan<'_>, EngineError> {
        if is_empty_range(start, end) {
            return Ok(Box::new(std::iter::empty()));
        }
        Ok(Box::new(self.0.range_owned::<&[u8]>((start, end)).map_err(failed)?.rev().map(row)))
    }
}

type Guard = OwnedAccessGuard<&'static [u8]>;

fn row(row: Result<(Guard, Guard), StorageError>) -> Result<KvRow, EngineError> {
    let (key, value) = row.map_err(failed)?;
    Ok((Bytes::copy_from_slice(key.value()), Bytes::copy_from_slice(value.value())))
}

pub(crate) fn failed(error: impl Into<redb::Error>) -> EngineError {
    match error.into() {
        redb::Error::Corrupted(detail) => EngineError::Corrupt { engine: ENGINE, detail },
        error => EngineError::Storage { engine: ENGINE, detail: error.to_string() },
    }
}

fn refused(path: &Path, error: DatabaseError) -> OpenError {
    match error {
        DatabaseError::DatabaseAlreadyOpen | DatabaseError::LockProtocolMismatch => {
            OpenError::InUse { path: path.to_owned() }
        }
        DatabaseError::UpgradeRequired(version) => foreign(path, format!("it has file format {version}")),
        error => match directory::starts_with(path, MAGIC) {
            Ok(false) => foreign(path, "it does not begin as one".to_owned()),
            _ => broken(path, error),
        },
    }
}

fn foreign(path: &Path, detail: String) -> OpenError {
    OpenError::Foreign { path: path.to_owned(), engine: ENGINE, detail }
}

fn broken(path: &Path, error: impl Into<redb::Error>) -> OpenError {
    match error.into() {
        redb::Error::Corrupted(detail) => {
            OpenError::Damaged { path: path.to_owned(), engine: ENGINE, detail }
        }
        redb::Error::Io(source) => OpenError::io(path, source),
        error => OpenError::Engine { path: path.to_owned(), source: failed(error) },
    }
}

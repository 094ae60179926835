use super::catalog::{DEFAULT_DATABASE, DEFAULT_DATABASE_NAME};
use super::layout;
use bytes::Bytes;
use quorate_codec::DatabaseId;
use quorate_core::{EngineError, EntryId, KvScan, KvSnapshot, KvStore};
use std::ops::Bound;
use std::sync::Arc;

/// Reads the databases that a [`KvEngine`](crate::kv::KvEngine) writes, while it does or after it is gone.
/// Clones share the store.
#[derive(Clone)]
pub struct KvReader {
    store: Arc<dyn KvStore>,
}

impl KvReader {
    /// A reader of a store that no engine has open, such as a stopped node's.
    ///
    /// # Errors
    /// [`EngineError::Corrupt`] if the store holds what this version did not write; any error of the store.
    pub fn open(store: Arc<dyn KvStore>) -> Result<Self, EngineError> {
        layout::check_format(&*store.snapshot()?)?;
        Ok(Self::new(store))
    }

    /// A reader of a store whose format was checked.
    pub(crate) fn new(store: Arc<dyn KvStore>) -> Self {
        Self { store }
    }

    /// All databases as they are now, at one position.
    ///
    /// # Errors
    /// Any error of the store.
    pub fn snapshot(&self) -> Result<DatabaseSnapshot, EngineError> {
        Ok(DatabaseSnapshot { snapshot: self.store.snapshot()? })
    }
}

/// All databases as they were at one position, [`applied`](Self::applied). Clones share the snapshot.
///
/// A store cannot reuse room that a snapshot still shows: hold one for a reading, not for ever.
#[derive(Clone)]
pub struct DatabaseSnapshot {
    snapshot: Arc<dyn KvSnapshot>,
}

impl DatabaseSnapshot {
    /// The last entry whose effects are shown; `None` before the first.
    ///
    /// # Errors
    /// [`EngineError::Corrupt`]; any error of the store.
    pub fn applied(&self) -> Result<Option<EntryId>, EngineError> {
        layout::read_applied(&*self.snapshot)
    }

    /// The number of the database called `name`, if there is one.
    ///
    /// # Errors
    /// [`EngineError::Corrupt`]; any error of the store.
    pub fn database(&self, name: &str) -> Result<Option<DatabaseId>, EngineError> {
        if name == DEFAULT_DATABASE_NAME {
            return Ok(Some(DEFAULT_DATABASE));
        }
        layout::read_database(&*self.snapshot, name)
    }

    /// All databases, in the order of their creation.
    ///
    /// # Errors
    /// [`EngineError::Corrupt`]; any error of the store.
    pub fn databases(&self) -> Result<Vec<(String, DatabaseId)>, EngineError> {
        let mut databases = layout::read_databases(&*self.snapshot)?;
        databases.push((DEFAULT_DATABASE_NAME.to_owned(), DEFAULT_DATABASE));
        databases.sort_by_key(|(_, id)| *id);
        Ok(databases)
    }

    /// The value of a key, if it is there.
    ///
    /// # Errors
    /// Any error of the store.
    pub fn get(&self, database: DatabaseId, key: &[u8]) -> Result<Option<Bytes>, EngineError> {
        layout::with_row_key(database, key, |key| self.snapshot.get(key))
    }

    /// The rows of a database whose keys lie between two bounds, in key order.
    ///
    /// # Errors
    /// Any error of the store, here or as an item.
    pub fn scan(
        &self,
        database: DatabaseId,
        start: Bound<&[u8]>,
        end: Bound<&[u8]>,
    ) -> Result<KvScan<'_>, EngineError> {
        let (start, end) = layout::row_bounds(database, start, end);
        let rows = self.snapshot.scan(start.as_ref().map(Vec::as_slice), end.as_ref().map(Vec::as_slice))?;
        Ok(without_prefix(database, rows))
    }

    /// The rows that [`scan`](Self::scan) gives, in descending order of their keys.
    ///
    /// # Errors
    /// Any error of the store, here or as an item.
    pub fn scan_back(
        &self,
        database: DatabaseId,
        start: Bound<&[u8]>,
        end: Bound<&[u8]>,
    ) -> Result<KvScan<'_>, EngineError> {
        let (start, end) = layout::row_bounds(database, start, end);
        let (start, end) = (start.as_ref().map(Vec::as_slice), end.as_ref().map(Vec::as_slice));
        Ok(without_prefix(database, self.snapshot.scan_back(start, end)?))
    }
}

fn without_prefix(database: DatabaseId, rows: KvScan<'_>) -> KvScan<'_> {
    let prefix_bytes = layout::prefix(database).len();
    Box::new(rows.map(move |row| row.map(|(key, value)| (key.slice(prefix_bytes..), value))))
}

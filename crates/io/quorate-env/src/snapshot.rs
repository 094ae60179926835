use crate::kv::DatabaseSnapshot;
use crate::{BytesDatabase, Database, Key, KeyForm, KeyPrefix, KeyRange, ReadError, Rows, TypedRows, key};
use bytes::Bytes;
use quorate_codec::DatabaseId;
use quorate_core::EntryId;
use serde::de::DeserializeOwned;
use std::ops::{Bound, RangeBounds};
use std::sync::Arc;

type Bounds = (Bound<Vec<u8>>, Bound<Vec<u8>>);

/// All databases of an environment as they were at one position. Clones share it.
///
/// A snapshot stays valid whatever becomes of the environment. The store cannot reuse room that it still
/// shows: hold one for a reading, not for ever.
#[derive(Clone)]
pub struct Snapshot {
    databases: DatabaseSnapshot,
    position: Option<EntryId>,
}

impl Snapshot {
    pub(crate) fn new(databases: DatabaseSnapshot) -> Result<Self, ReadError> {
        let position = databases.applied()?;
        Ok(Self { databases, position })
    }

    /// The last entry of the log whose effects it shows; `None` before the first.
    #[must_use]
    pub const fn position(&self) -> Option<EntryId> {
        self.position
    }

    /// The value of a key, if it is there.
    ///
    /// # Errors
    /// [`ReadError::Engine`]; [`ReadError::Decode`] if the value is not one of type `V`.
    pub fn get<K, V, Q>(&self, database: &Database<K, V>, key: &Q) -> Result<Option<V>, ReadError>
    where
        K: Key,
        V: DeserializeOwned,
        Q: KeyForm<K> + ?Sized,
    {
        let key = key::whole(key);
        database.decode(&key, self.get_bytes(database.bytes(), &key)?)
    }

    /// The rows of a database whose keys lie in a range, in key order; backwards with [`rev`](Iterator::rev).
    pub fn scan<K, V>(&self, database: &Database<K, V>, range: impl KeyRange<K>) -> TypedRows<K, V>
    where
        K: Key,
        V: DeserializeOwned,
    {
        self.typed_rows(database, range.key_bounds())
    }

    /// The rows of a database whose keys begin with `prefix`, as [`scan`](Self::scan) gives them.
    pub fn scan_prefix<K, V, P>(&self, database: &Database<K, V>, prefix: &P) -> TypedRows<K, V>
    where
        K: Key,
        V: DeserializeOwned,
        P: KeyPrefix<K> + ?Sized,
    {
        self.typed_rows(database, key::prefix_bounds(key::encode_prefix(prefix)))
    }

    /// As [`get`](Self::get), of raw bytes.
    ///
    /// # Errors
    /// [`ReadError::Engine`].
    pub fn get_bytes(&self, database: &BytesDatabase, key: &[u8]) -> Result<Option<Bytes>, ReadError> {
        Ok(self.databases.get(database.id(), key)?)
    }

    /// As [`scan`](Self::scan), of raw bytes.
    pub fn scan_bytes<'a>(&self, database: &BytesDatabase, range: impl RangeBounds<&'a [u8]>) -> Rows {
        let owned = |bound: Bound<&&[u8]>| bound.map(|key| key.to_vec());
        self.rows(database, (owned(range.start_bound()), owned(range.end_bound())))
    }

    /// As [`scan_prefix`](Self::scan_prefix), of raw bytes.
    #[must_use]
    pub fn scan_prefix_bytes(&self, database: &BytesDatabase, prefix: &[u8]) -> Rows {
        self.rows(database, key::prefix_bounds(prefix.to_vec()))
    }

    /// The names of all databases, in the order of their creation.
    ///
    /// # Errors
    /// [`ReadError::Engine`].
    pub fn databases(&self) -> Result<Vec<String>, ReadError> {
        Ok(self.databases.databases()?.into_iter().map(|(name, _)| name).collect())
    }

    fn typed_rows<K: Key, V: DeserializeOwned>(
        &self,
        database: &Database<K, V>,
        bounds: Bounds,
    ) -> TypedRows<K, V> {
        let database = database.bytes();
        TypedRows::new(self.rows(database, bounds), Arc::clone(database.shared_name()))
    }

    pub(crate) fn rows(&self, database: &BytesDatabase, (start, end): Bounds) -> Rows {
        Rows::new(self.databases.clone(), database.id(), start, end)
    }

    pub(crate) fn find(&self, name: &str) -> Result<Option<DatabaseId>, ReadError> {
        Ok(self.databases.database(name)?)
    }
}

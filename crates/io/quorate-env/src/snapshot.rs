use crate::kv::{DatabaseSnapshot, KvReader};
use crate::{BytesDatabase, ReadError, Rows};
use bytes::Bytes;
use quorate_codec::DatabaseId;
use quorate_core::EntryId;
use std::ops::{Bound, RangeBounds};

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
    pub(crate) fn take(reader: &KvReader) -> Result<Self, ReadError> {
        let databases = reader.snapshot()?;
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
    /// [`ReadError::Engine`].
    pub fn get(&self, database: &BytesDatabase, key: &[u8]) -> Result<Option<Bytes>, ReadError> {
        Ok(self.databases.get(database.id(), key)?)
    }

    /// The rows of a database whose keys lie in a range, in key order.
    pub fn scan<'a>(&self, database: &BytesDatabase, range: impl RangeBounds<&'a [u8]>) -> Rows {
        let owned = |bound: Bound<&&[u8]>| bound.map(|key| key.to_vec());
        Rows::new(self.databases.clone(), database.id(), owned(range.start_bound()), owned(range.end_bound()))
    }

    /// The names of all databases, in the order of their creation.
    ///
    /// # Errors
    /// [`ReadError::Engine`].
    pub fn databases(&self) -> Result<Vec<String>, ReadError> {
        Ok(self.databases.databases()?.into_iter().map(|(name, _)| name).collect())
    }

    pub(crate) fn find(&self, name: &str) -> Result<Option<DatabaseId>, ReadError> {
        Ok(self.databases.database(name)?)
    }
}

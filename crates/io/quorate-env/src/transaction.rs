mod rows;
mod typed;

pub use rows::TransactionRows;

use crate::core::Core;
use crate::{BytesDatabase, ReadError, Snapshot, WriteError};
use bytes::Bytes;
use quorate_codec::{DatabaseId, ReadSet, WriteBatch};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::{Bound, RangeBounds};
use std::sync::Arc;

/// One attempt at a transaction: reads from one snapshot, and writes that are kept until it is committed.
///
/// What it reads is noted, and checked by the master when it is committed; what it reads of its own writes
/// need not be. It is handed to the function that [`Environment::transact`](crate::Environment::transact)
/// runs.
pub struct Transaction {
    core: Arc<Core>,
    snapshot: Snapshot,
    reads: RefCell<ReadSet>,
    writes: RefCell<BTreeMap<DatabaseId, Writes>>,
}

/// The keys written in one database; `None` removes the key.
type Writes = BTreeMap<Vec<u8>, Option<Bytes>>;

/// Why a transaction could not go on. Nothing of it was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TransactionError {
    /// This node's databases could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A key or a value is beyond a limit.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The database belongs to another environment.
    #[error("the database {name:?} belongs to another environment: open it from the one that transacts")]
    ForeignDatabase {
        /// Its name.
        name: String,
    },
}

impl Transaction {
    pub(crate) fn new(core: &Arc<Core>, snapshot: Snapshot) -> Self {
        Self {
            core: Arc::clone(core),
            reads: RefCell::new(ReadSet::new(snapshot.position())),
            snapshot,
            writes: RefCell::default(),
        }
    }

    /// The value of a key, if it is there.
    ///
    /// # Errors
    /// [`TransactionError::Read`], [`TransactionError::ForeignDatabase`].
    pub fn get_bytes(&self, database: &BytesDatabase, key: &[u8]) -> Result<Option<Bytes>, TransactionError> {
        self.check_database(database)?;
        if let Some(own) = self.writes.borrow().get(&database.id()).and_then(|writes| writes.get(key)) {
            return Ok(own.clone());
        }
        self.reads.borrow_mut().add_point(database.id(), key);
        Ok(self.snapshot.get_bytes(database, key)?)
    }

    /// The rows of a database whose keys lie in a range, in key order. Only what the rows taken have shown
    /// counts as read.
    ///
    /// Rows written by the transaction before the scan begins are among them; those written since are not.
    ///
    /// # Errors
    /// [`TransactionError::ForeignDatabase`]; [`TransactionError::Read`] as an item.
    pub fn scan_bytes<'a>(
        &self,
        database: &BytesDatabase,
        range: impl RangeBounds<&'a [u8]>,
    ) -> Result<TransactionRows<'_>, TransactionError> {
        let owned = |bound: Bound<&&[u8]>| bound.map(|key| key.to_vec());
        self.rows(database, (owned(range.start_bound()), owned(range.end_bound())))
    }

    /// Sets a key.
    ///
    /// # Errors
    /// [`TransactionError::Write`] if key or value is beyond a limit; [`TransactionError::ForeignDatabase`].
    pub fn put_bytes(
        &self,
        database: &BytesDatabase,
        key: &[u8],
        value: &[u8],
    ) -> Result<(), TransactionError> {
        self.core.limits.check_row(key, value)?;
        self.write(database, key, Some(Bytes::copy_from_slice(value)))
    }

    /// Removes a key, if it is there.
    ///
    /// # Errors
    /// [`TransactionError::Write`] if the key is beyond a limit; [`TransactionError::ForeignDatabase`].
    pub fn delete_bytes(&self, database: &BytesDatabase, key: &[u8]) -> Result<(), TransactionError> {
        self.core.limits.check_row(key, &[])?;
        self.write(database, key, None)
    }

    /// What it has written, if anything, and what that depends on.
    pub(crate) fn into_parts(self) -> (WriteBatch, ReadSet) {
        let mut batch = WriteBatch::new();
        for (database, writes) in self.writes.into_inner() {
            for (key, value) in writes {
                match value {
                    Some(value) => batch.put(database, &key, &value),
                    None => batch.delete(database, &key),
                }
            }
        }
        (batch, self.reads.into_inner())
    }

    fn rows(
        &self,
        database: &BytesDatabase,
        bounds: (Bound<Vec<u8>>, Bound<Vec<u8>>),
    ) -> Result<TransactionRows<'_>, TransactionError> {
        self.check_database(database)?;
        let own = self.own_writes(database.id(), &bounds.0, &bounds.1);
        let stored = self.snapshot.rows(database, bounds.clone());
        Ok(TransactionRows::new(&self.reads, database.id(), bounds, stored, own))
    }

    fn write(
        &self,
        database: &BytesDatabase,
        key: &[u8],
        value: Option<Bytes>,
    ) -> Result<(), TransactionError> {
        self.check_database(database)?;
        self.writes.borrow_mut().entry(database.id()).or_default().insert(key.to_vec(), value);
        Ok(())
    }

    /// The transaction's own writes in a range, in key order.
    fn own_writes(&self, database: DatabaseId, start: &Bound<Vec<u8>>, end: &Bound<Vec<u8>>) -> Writes {
        let writes = self.writes.borrow();
        let Some(writes) = writes.get(&database) else { return Writes::new() };
        let bounds = (start.as_ref().map(Vec::as_slice), end.as_ref().map(Vec::as_slice));
        let within = writes.iter().filter(|(key, _)| RangeBounds::<[u8]>::contains(&bounds, key.as_slice()));
        within.map(|(key, value)| (key.clone(), value.clone())).collect()
    }

    fn check_database(&self, database: &BytesDatabase) -> Result<(), TransactionError> {
        if database.is_of(&self.core) {
            return Ok(());
        }
        Err(TransactionError::ForeignDatabase { name: database.name().to_owned() })
    }
}

use crate::core::Core;
use crate::{Commit, Database, PendingRead, ReadError, Rows};
use bytes::Bytes;
use quorate_codec::{DatabaseId, WriteBatch};
use quorate_policy::{CommitDurability, ConsistencyPolicy};
use std::ops::RangeBounds;
use std::sync::Arc;

/// One database of an environment: keys and values of bytes. Clones are the same database.
///
/// Reads take a policy, or `None` for the environment's own. [`Database`] has keys and values of types of
/// one's own.
#[derive(Clone)]
pub struct BytesDatabase {
    core: Arc<Core>,
    id: DatabaseId,
    name: Arc<str>,
}

impl BytesDatabase {
    pub(crate) fn new(core: Arc<Core>, id: DatabaseId, name: &str) -> Self {
        Self { core, id, name: Arc::from(name) }
    }

    /// Whether it belongs to the environment with this core.
    pub(crate) fn is_of(&self, core: &Arc<Core>) -> bool {
        Arc::ptr_eq(&self.core, core)
    }

    /// The database's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The database's number, for a [`WriteBatch`] that changes several keys at once.
    #[must_use]
    pub const fn id(&self) -> DatabaseId {
        self.id
    }

    /// This database with keys and values of certain types.
    #[must_use]
    pub const fn typed<K, V>(self) -> Database<K, V> {
        Database::new(self)
    }

    /// Sets a key, as durably as the environment says.
    pub fn put(&self, key: &[u8], value: &[u8]) -> Commit {
        self.put_with(key, value, self.core.durability)
    }

    /// Sets a key.
    pub fn put_with(&self, key: &[u8], value: &[u8], durability: CommitDurability) -> Commit {
        if let Err(error) = self.core.limits.check_row(key, value) {
            return Commit::refused(error);
        }
        let mut batch = WriteBatch::new();
        batch.put(self.id, key, value);
        self.core.submit(&batch, durability)
    }

    /// Removes a key, if it is there, as durably as the environment says.
    pub fn delete(&self, key: &[u8]) -> Commit {
        self.delete_with(key, self.core.durability)
    }

    /// Removes a key, if it is there.
    pub fn delete_with(&self, key: &[u8], durability: CommitDurability) -> Commit {
        if let Err(error) = self.core.limits.check_row(key, &[]) {
            return Commit::refused(error);
        }
        let mut batch = WriteBatch::new();
        batch.delete(self.id, key);
        self.core.submit(&batch, durability)
    }

    /// The value of a key, if it is there. Blocks as long as the policy waits.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn get(
        &self,
        key: &[u8],
        policy: impl Into<Option<ConsistencyPolicy>>,
    ) -> Result<Option<Bytes>, ReadError> {
        let policy = policy.into().unwrap_or(self.core.consistency);
        self.core.admit(policy).wait(|core| Ok(core.databases()?.get(self.id, key)?))
    }

    /// The rows whose keys lie in a range, in key order, all from one moment; backwards with
    /// [`rev`](Iterator::rev). Blocks as long as the policy waits.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn scan<'a>(
        &self,
        range: impl RangeBounds<&'a [u8]>,
        policy: impl Into<Option<ConsistencyPolicy>>,
    ) -> Result<Rows, ReadError> {
        Ok(self.begin(policy).wait()?.scan_bytes(self, range))
    }

    /// The rows whose keys begin with `prefix`, as [`scan`](Self::scan) gives them.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn scan_prefix(
        &self,
        prefix: &[u8],
        policy: impl Into<Option<ConsistencyPolicy>>,
    ) -> Result<Rows, ReadError> {
        Ok(self.begin(policy).wait()?.scan_prefix_bytes(self, prefix))
    }

    pub(crate) const fn shared_name(&self) -> &Arc<str> {
        &self.name
    }

    pub(crate) fn begin(&self, policy: impl Into<Option<ConsistencyPolicy>>) -> PendingRead {
        self.core.begin_read(policy.into().unwrap_or(self.core.consistency))
    }
}

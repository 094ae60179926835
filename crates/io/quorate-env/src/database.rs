use crate::core::Core;
use crate::kv;
use crate::{Commit, Committed, PendingRead, ReadError, Rows, WriteError};
use bytes::Bytes;
use quorate_codec::{DatabaseId, WriteBatch};
use quorate_policy::{CommitDurability, ConsistencyPolicy};
use std::future::Future;
use std::ops::RangeBounds;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// One database of an environment: keys and values of bytes. Clones are the same database.
///
/// Reads take a policy, or `None` for the environment's own.
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
        self.begin(policy).wait()?.get(self, key)
    }

    /// The rows whose keys lie in a range, in key order, all from one moment. Blocks as long as the policy
    /// waits.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn scan<'a>(
        &self,
        range: impl RangeBounds<&'a [u8]>,
        policy: impl Into<Option<ConsistencyPolicy>>,
    ) -> Result<Rows, ReadError> {
        Ok(self.begin(policy).wait()?.scan(self, range))
    }

    fn begin(&self, policy: impl Into<Option<ConsistencyPolicy>>) -> PendingRead {
        self.core.begin_read(policy.into().unwrap_or(self.core.consistency))
    }
}

/// A database that is being made: wait for it with [`wait`](Self::wait), or as a future.
#[must_use = "whether the database was made is known only once it was waited for"]
pub struct CreateDatabase {
    core: Arc<Core>,
    name: String,
    commit: Commit,
}

impl CreateDatabase {
    pub(crate) const fn new(core: Arc<Core>, name: String, commit: Commit) -> Self {
        Self { core, name, commit }
    }

    /// Blocks until the database is there. One of that name that was there before is as good.
    ///
    /// # Errors
    /// [`WriteError`]; after one with an unknown outcome it may be asked for again.
    pub fn wait(self) -> Result<BytesDatabase, WriteError> {
        let committed = self.commit.wait()?;
        created(self.core, &self.name, &committed)
    }
}

impl Future for CreateDatabase {
    type Output = Result<BytesDatabase, WriteError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.commit)
            .poll(context)
            .map(|committed| created(Arc::clone(&self.core), &self.name, &committed?))
    }
}

/// The engine's answer holds the number of each database asked for.
fn created(core: Arc<Core>, name: &str, committed: &Committed) -> Result<BytesDatabase, WriteError> {
    match kv::Outcome::decode(&committed.result) {
        Some(kv::Outcome::Done { databases }) if databases.len() == 1 => {
            Ok(BytesDatabase::new(core, databases[0], name))
        }
        _ => Err(WriteError::Interrupted { token: Some(committed.token) }),
    }
}

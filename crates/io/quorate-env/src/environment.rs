use crate::core::Core;
use crate::handle::Handle;
use crate::import::Importer;
use crate::limits::check_name;
use crate::parts::{EngineSource, Machine};
use crate::{
    BytesDatabase, CloseError, Commit, CreateDatabase, Database, DatabaseError, GroupStatus, ImportError,
    ImportOptions, ImportRow, Imported, Key, MasterAddress, OpenError, OpenSession, Parts, PendingRead,
    ReadError, RepConfig, RepStats, StateChangeEvent, StateChangeListener, WaitError, WriteRequest,
};
use quorate_codec::WriteBatch;
use quorate_core::NodeState;
use quorate_policy::{CommitDurability, ConsistencyPolicy};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use std::time::Duration;

/// Between two attempts at making a database.
const PAUSE: Duration = Duration::from_millis(20);

/// One node of a replicated group, and the databases that it holds.
///
/// Its methods can be called from any thread, blocking or asynchronous. It outlives every change of roles:
/// whatever cannot be done at the moment is refused with a typed error on that one call, and the handle
/// goes on working. It is closed by [`close`](Self::close) or when it is dropped.
pub struct Environment {
    pub(crate) core: Arc<Core>,
    handle: Handle,
}

impl Environment {
    /// Opens a node: its directory, its log and its engine; then it looks for the others by itself.
    ///
    /// # Errors
    /// [`OpenError`]; nothing runs.
    pub fn open(config: RepConfig, parts: Parts<'_>) -> Result<Self, OpenError> {
        let Parts { store, transport, vfs, wall_clock } = parts;
        let machine = Machine { vfs, wall_clock };
        let handle = Handle::open(config, EngineSource::Store(store), transport, machine)?;
        Ok(Self { core: Arc::clone(&handle.core), handle })
    }

    /// The node's state.
    #[must_use]
    pub fn state(&self) -> NodeState {
        self.handle.state()
    }

    /// Blocks until the node is in a state.
    ///
    /// # Errors
    /// [`WaitError`].
    pub fn wait_for_state(&self, state: NodeState, timeout: Duration) -> Result<StateChangeEvent, WaitError> {
        self.handle.wait_for_state(state, timeout)
    }

    /// Blocks until the node knows a master, which may be itself.
    ///
    /// # Errors
    /// [`WaitError`].
    pub fn wait_for_master(&self, timeout: Duration) -> Result<MasterAddress, WaitError> {
        self.handle.wait_for_master(timeout)
    }

    /// Opens a database of raw keys and values, and makes it through the master if there is none of that
    /// name. Every environment has one named `default`.
    ///
    /// Blocks while the database is made: at most the ack timeout to find a master that makes it, one after
    /// the other where masters change, and as long again for its answer.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub fn bytes(&self, name: &str) -> Result<BytesDatabase, DatabaseError> {
        let deadline = self.core.clock.now() + self.core.limits.ack_timeout;
        loop {
            if let Some(database) = self.find_database(name)? {
                return Ok(database);
            }
            if check_name(name).is_ok() {
                // Without one the write below is refused, and says so.
                let _ = self.wait_for_master(self.core.clock.until(deadline));
            }
            let error = match self.create_database(name).wait() {
                Ok(database) => return Ok(database),
                Err(error) => error,
            };
            let left = self.core.clock.until(deadline);
            if left.is_zero() || !self.core.may_pass(&error) {
                return Err(DatabaseError::Create { name: name.to_owned(), error });
            }
            let _ = self.core.pause(PAUSE.min(left)).wait();
        }
    }

    /// Opens a database with keys of type `K` and values of type `V`, as [`bytes`](Self::bytes) does.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub fn database<K: Key, V: Serialize + DeserializeOwned>(
        &self,
        name: &str,
    ) -> Result<Database<K, V>, DatabaseError> {
        self.bytes(name).map(BytesDatabase::typed)
    }

    /// The database of this name, if it is in what this node has applied. Never makes one, never waits.
    ///
    /// # Errors
    /// [`ReadError::Closed`], [`ReadError::Halted`], [`ReadError::Engine`].
    pub fn find_database(&self, name: &str) -> Result<Option<BytesDatabase>, ReadError> {
        let found = self.core.snapshot()?.find(name)?;
        Ok(found.map(|id| BytesDatabase::new(Arc::clone(&self.core), id, name)))
    }

    /// Makes a database, if there is none of that name: [`bytes`](Self::bytes) for callers that must not
    /// block.
    pub fn create_database(&self, name: &str) -> CreateDatabase {
        let commit = match check_name(name) {
            Ok(()) => {
                let mut batch = WriteBatch::new();
                batch.create_database(name);
                self.write(&batch, self.core.durability_with_result())
            }
            Err(error) => Commit::refused(error),
        };
        CreateDatabase::new(Arc::clone(&self.core), name.to_owned(), commit)
    }

    /// Writes operations on any databases, together or not at all; as durably as the environment says where
    /// `durability` is `None`.
    pub fn write(&self, batch: &WriteBatch, durability: impl Into<Option<CommitDurability>>) -> Commit {
        match self.core.limits.check_batch(batch) {
            Ok(()) => self.core.submit(batch, durability.into().unwrap_or(self.core.durability)),
            Err(error) => Commit::refused(error),
        }
    }

    /// Writes what a request asks for: as [`write`](Self::write), once at most for each number of a session,
    /// or only if what was read still holds.
    pub fn submit(&self, request: WriteRequest) -> Commit {
        match self.core.limits.check_request(&request) {
            Ok(()) => self.core.submit_request(&request),
            Err(error) => Commit::refused(error),
        }
    }

    /// Opens a session, whose requests are carried out at most once each.
    pub fn open_session(&self) -> OpenSession {
        self.core.open_session()
    }

    /// Puts rows into a database in batches, several of them under way at a time, and tells `progress` after
    /// each that was committed. Blocks until all of them are.
    ///
    /// It goes on through changes of master, and takes bounded memory. Rows are committed in their order, as
    /// durably as the environment says, and at least on a majority. If nobody else writes the same keys, it
    /// can be begun again from the start at any time.
    ///
    /// Rows are pairs of bytes, or results of such pairs, so that a source can fail with an error of its own.
    ///
    /// # Errors
    /// [`ImportError`]; it says how many rows were imported.
    pub fn import<R: ImportRow>(
        &self,
        database: &BytesDatabase,
        rows: impl IntoIterator<Item = R>,
        options: ImportOptions,
        progress: impl FnMut(&Imported),
    ) -> Result<Imported, ImportError> {
        Importer::new(&self.core, database.id(), options, Box::new(progress)).run(rows)
    }

    /// All databases at one position, as the policy asks; by the environment's own where it is `None`.
    pub fn read(&self, policy: impl Into<Option<ConsistencyPolicy>>) -> PendingRead {
        self.core.begin_read(policy.into().unwrap_or(self.core.consistency))
    }

    /// What the node has done since it was opened.
    #[must_use]
    pub fn stats(&self) -> RepStats {
        self.handle.stats()
    }

    /// The node and its group as the node sees them: states, positions, how far the replicas lag. `None`
    /// only if the node failed by a bug of ours.
    #[must_use]
    pub fn status(&self) -> Option<GroupStatus> {
        self.handle.status()
    }

    /// Adds a listener. It is told the state at hand and then every change, in order, once, on a thread of
    /// the environment. On a closed environment it hears nothing.
    pub fn add_listener(&self, listener: impl StateChangeListener + 'static) {
        self.handle.add_listener(listener);
    }

    /// Ends the node in order: writes under way are given up, the log is synced, the engine's data made
    /// durable, all threads ended. A second call does nothing.
    ///
    /// Called by a listener, or by a waker that the node runs, it returns at once, and the end comes by
    /// itself.
    ///
    /// # Errors
    /// [`CloseError`]; it is closed all the same.
    pub fn close(&self) -> Result<(), CloseError> {
        self.handle.close()
    }

    /// Ends the node at once, as a crash of its process would: for tests. Nothing more is written, nothing is
    /// synced or flushed, and no mark in the directory is cleared; what callers wait for is answered, and once
    /// this returns the directory can be opened again. What a store does by itself when it is dropped it
    /// still does.
    pub fn kill(&self) {
        self.handle.kill();
    }
}

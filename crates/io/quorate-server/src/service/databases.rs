use super::blocking;
use super::failure::Refusals;
use crate::NodeSettings;
use quorate::{BytesDatabase, ConsistencyPolicy, NodeState, ReplicatedEnvironment, WriteError};
use quorate_env::kv::DEFAULT_DATABASE_NAME;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tonic::Status;

/// The databases by name. Once found they are remembered: a database is never removed, and there is a limit
/// to their number.
pub(super) struct Databases {
    environment: Arc<ReplicatedEnvironment>,
    known: RwLock<HashMap<String, BytesDatabase>>,
    /// Writes are passed on to the master where this node does not lead.
    forwards_writes: bool,
    /// How long a write may wait until this node knows what the master knows.
    catch_up_timeout: Duration,
}

impl Databases {
    pub(super) fn new(environment: Arc<ReplicatedEnvironment>, settings: &NodeSettings) -> Self {
        Self {
            environment,
            known: RwLock::new(HashMap::new()),
            forwards_writes: settings.environment.forward_writes,
            catch_up_timeout: settings.environment.ack_timeout,
        }
    }

    /// The database of this name; the empty name stands for the default one.
    pub(super) async fn find(&self, name: &str, refusals: &Refusals) -> Result<BytesDatabase, Status> {
        let name = if name.is_empty() { DEFAULT_DATABASE_NAME } else { name };
        self.look_up(name, refusals).await?.ok_or_else(|| refusals.no_such_database(name))
    }

    /// As [`find`](Self::find), for a write. A node that does not lead may not have heard of the database
    /// yet: it looks again once it knows what the master knew when it was asked, or else refuses the write as
    /// one for the master.
    pub(super) async fn find_for_write(
        &self,
        name: &str,
        refusals: &Refusals,
    ) -> Result<BytesDatabase, Status> {
        let name = if name.is_empty() { DEFAULT_DATABASE_NAME } else { name };
        if let Some(database) = self.look_up(name, refusals).await? {
            return Ok(database);
        }
        let knows_all = match self.environment.state() {
            NodeState::Master => true,
            NodeState::Replica => self.catch_up().await,
            _ => false,
        };
        if knows_all {
            return self.find(name, refusals).await;
        }
        let environment = Arc::clone(&self.environment);
        let status = blocking(move || environment.status()).await?;
        let master = status.and_then(|status| status.master);
        Err(refusals.write(&WriteError::NotMaster { master }))
    }

    /// Waits until this node knows what its master knows now, if it takes writes for the master at all. False
    /// if it does not come to know it.
    async fn catch_up(&self) -> bool {
        let policy = ConsistencyPolicy::Linearizable { timeout: self.catch_up_timeout };
        self.forwards_writes && self.environment.read(policy).await.is_ok()
    }

    async fn look_up(&self, name: &str, refusals: &Refusals) -> Result<Option<BytesDatabase>, Status> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned();
        if known.is_some() {
            return Ok(known);
        }
        let (environment, wanted) = (Arc::clone(&self.environment), name.to_owned());
        let found = blocking(move || environment.find_database(&wanted)).await?;
        let found = found.map_err(|error| refusals.read_failed(&error))?;
        if let Some(database) = &found {
            let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
            known.insert(name.to_owned(), database.clone());
        }
        Ok(found)
    }
}

use super::blocking;
use super::failure::Refusals;
use quorate::{BytesDatabase, NodeState, ReplicatedEnvironment, WriteError};
use quorate_env::kv::DEFAULT_DATABASE_NAME;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use tonic::Status;

/// The databases by name. Once found they are remembered: a database is never removed, and there is a limit
/// to their number.
pub(super) struct Databases {
    environment: Arc<ReplicatedEnvironment>,
    known: RwLock<HashMap<String, BytesDatabase>>,
}

impl Databases {
    pub(super) fn new(environment: Arc<ReplicatedEnvironment>) -> Self {
        Self { environment, known: RwLock::new(HashMap::new()) }
    }

    /// The database of this name; the empty name stands for the default one.
    pub(super) async fn find(&self, name: &str, refusals: &Refusals) -> Result<BytesDatabase, Status> {
        let name = if name.is_empty() { DEFAULT_DATABASE_NAME } else { name };
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned();
        if let Some(database) = known {
            return Ok(database);
        }
        let (environment, wanted) = (Arc::clone(&self.environment), name.to_owned());
        let found = blocking(move || environment.find_database(&wanted)).await?;
        let found = found.map_err(|error| refusals.read_failed(&error))?;
        let database = found.ok_or_else(|| refusals.no_such_database(name))?;
        self.known.write().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), database.clone());
        Ok(database)
    }

    /// As [`find`](Self::find), for a write. A node that does not lead may not have heard of the database
    /// yet, so it refuses the write as such.
    pub(super) async fn find_for_write(
        &self,
        name: &str,
        refusals: &Refusals,
    ) -> Result<BytesDatabase, Status> {
        let found = self.find(name, refusals).await;
        if found.is_ok() || self.environment.state() == NodeState::Master {
            return found;
        }
        let environment = Arc::clone(&self.environment);
        let status = blocking(move || environment.status()).await?;
        let master = status.and_then(|status| status.master);
        Err(refusals.write(&WriteError::NotMaster { master }))
    }
}

use crate::core::Core;
use crate::kv;
use crate::{BytesDatabase, Commit, Committed, WriteError};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

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

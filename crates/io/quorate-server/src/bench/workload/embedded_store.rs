use super::load::{self, WorkloadLoad};
use super::store::Store;
use crate::bench::host::HostError;
use crate::bench::job::RunWorkload;
use crate::bench::load::Target;
use crate::client::ReadConsistency;
use quorate::{BytesDatabase, CommitToken, ConsistencyPolicy, ReplicatedEnvironment};
use std::ops::Bound;
use std::rc::Rc;
use std::time::Duration;
use tokio::runtime::Builder;

/// How long a read may wait for what it must have seen.
const READ_TIMEOUT: Duration = Duration::from_secs(10);

/// The default database of an environment in this process.
#[derive(Clone)]
struct EmbeddedStore {
    environment: Rc<ReplicatedEnvironment>,
    database: BytesDatabase,
    policy: ConsistencyPolicy,
}

/// Runs a workload's writers on this thread.
///
/// # Errors
/// [`HostError`].
pub(in crate::bench) fn run_embedded(
    environment: &Rc<ReplicatedEnvironment>,
    job: &RunWorkload,
) -> Result<WorkloadLoad, HostError> {
    let consistency: ReadConsistency = job.consistency.parse().map_err(HostError::malformed)?;
    let environment = Rc::clone(environment);
    let database = environment.bytes("default")?;
    let store = EmbeddedStore { environment, database, policy: policy(consistency) };
    let runtime = Builder::new_current_thread().build()?;
    runtime.block_on(load::run(&job.plan, &[store]))
}

const fn policy(consistency: ReadConsistency) -> ConsistencyPolicy {
    let timeout = READ_TIMEOUT;
    match consistency {
        ReadConsistency::Any => ConsistencyPolicy::NoConsistencyRequired,
        ReadConsistency::Time(lag) => ConsistencyPolicy::TimeConsistency { lag, timeout },
        ReadConsistency::Linearizable => ConsistencyPolicy::Linearizable { timeout },
        ReadConsistency::Token(token) => ConsistencyPolicy::CommitPointConsistency { token, timeout },
    }
}

impl Target for EmbeddedStore {
    type Token = CommitToken;
    type Error = HostError;

    async fn put(&self, key: &[u8], value: &[u8]) -> Result<CommitToken, HostError> {
        Ok(self.database.put(key, value).await?.token)
    }

    fn position(token: CommitToken) -> u64 {
        token.vlsn.as_u64()
    }
}

impl Store for EmbeddedStore {
    async fn get(&self, key: &[u8]) -> Result<bool, HostError> {
        let snapshot = self.environment.read(self.policy).await?;
        Ok(snapshot.get_bytes(&self.database, key)?.is_some())
    }

    async fn scan(&self, from: &[u8], rows: u64) -> Result<u64, HostError> {
        let snapshot = self.environment.read(self.policy).await?;
        let range = (Bound::Included(from), Bound::Unbounded);
        let mut found = 0;
        for row in snapshot.scan_bytes(&self.database, range).take(rows as usize) {
            row?;
            found += 1;
        }
        Ok(found)
    }
}

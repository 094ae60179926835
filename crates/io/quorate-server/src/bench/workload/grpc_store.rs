use super::Plan;
use super::load::{self, WorkloadLoad};
use super::store::Store;
use crate::EngineChoice;
use crate::bench::BenchError;
use crate::bench::load::Target;
use crate::bench::over_grpc::{OverGrpc, WRITERS_PER_CONNECTION};
use crate::client::ReadConsistency;
use crate::demo::{Cluster, Route};
use crate::v1::{Consistency, GetRequest, ScanRequest};
use bytes::Bytes;
use quorate::CommitDurability;
use std::path::Path;
use std::time::Duration;
use tonic::Status;

/// How long a read may wait for what it must have seen.
const READ_TIMEOUT: Duration = Duration::from_secs(10);
/// How long three new nodes may take to elect a master, and to stop.
const GROUP_TIMEOUT: Duration = Duration::from_secs(60);

/// The default database of the master, as a client sees it.
#[derive(Clone)]
struct GrpcStore {
    target: OverGrpc,
    consistency: Consistency,
}

/// Measures a workload on a new group of `quorate node` processes in `home`, with the writers in this process.
///
/// # Errors
/// [`BenchError`].
pub(super) async fn measure(
    durability: CommitDurability,
    plan: Plan,
    consistency: ReadConsistency,
    engine: EngineChoice,
    home: &Path,
) -> Result<WorkloadLoad, BenchError> {
    let program = std::env::current_exe().map_err(BenchError::system("finding this program"))?;
    let cluster = Cluster::start(&program, home, engine, "")?;
    let master = cluster.wait_for_master(&Route::new(), GROUP_TIMEOUT).await?;
    let address = format!("127.0.0.1:{}", cluster.client_ports()[master]);
    let consistency = consistency.demand(READ_TIMEOUT);
    let store = |_| {
        let target = OverGrpc::connect(&address, durability)?;
        Ok(GrpcStore { target, consistency: consistency.clone() })
    };
    let connections = plan.step.writers.div_ceil(WRITERS_PER_CONNECTION);
    let stores = (0..connections).map(store).collect::<Result<Vec<_>, BenchError>>()?;
    let failed = |status| BenchError::Write(Box::new(status));
    plan.keys().fill(&stores[0], plan.rows).await.map_err(failed)?;
    let load = load::run(&plan, &stores).await.map_err(|status| BenchError::Call(Box::new(status)))?;
    cluster.stop(GROUP_TIMEOUT).await?;
    Ok(load)
}

impl Target for GrpcStore {
    type Token = u64;
    type Error = Status;

    async fn put(&self, key: &[u8], value: &[u8]) -> Result<u64, Status> {
        self.target.put(key, value).await
    }

    fn position(token: u64) -> u64 {
        token
    }
}

impl Store for GrpcStore {
    async fn get(&self, key: &[u8]) -> Result<bool, Status> {
        let (key, consistency) = (Bytes::copy_from_slice(key), Some(self.consistency.clone()));
        let request = GetRequest { key, consistency, ..GetRequest::default() };
        Ok(self.target.calls().get(request).await?.get_ref().value.is_some())
    }

    async fn scan(&self, from: &[u8], rows: u64) -> Result<u64, Status> {
        let (start, consistency) = (Bytes::copy_from_slice(from), Some(self.consistency.clone()));
        let request = ScanRequest { start, limit: rows, consistency, ..ScanRequest::default() };
        let mut messages = self.target.calls().scan(request).await?.into_inner();
        let mut found = 0;
        while let Some(message) = messages.message().await? {
            found += message.rows.len() as u64;
        }
        Ok(found)
    }
}

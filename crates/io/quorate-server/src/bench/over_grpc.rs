use super::BenchError;
use super::load::{self, Load, Target};
use super::measured::Measured;
use super::memory::{self, MemoryWatch};
use super::processor_time;
use super::step::Step;
use crate::EngineChoice;
use crate::demo::{Cluster, NodeProcess, Route};
use crate::v1::quorate_client::QuorateClient;
use crate::v1::{AckPolicy, Durability, NodeState, PutRequest, StatusRequest, SyncPolicy};
use bytes::Bytes;
use quorate::{CommitDurability, ReplicaAckPolicy};
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::time::{interval, timeout};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};

/// How many writers share a connection.
pub(super) const WRITERS_PER_CONNECTION: u32 = 64;
/// How long new nodes may take to elect a master, and any to catch up with it.
const GROUP_TIMEOUT: Duration = Duration::from_secs(60);
const POLL_INTERVAL: Duration = Duration::from_millis(2);

/// Measures a step on a new group of `count` processes `quorate node` in `home`, with the writers in this process.
pub(super) async fn measure(
    step: &Step,
    count: u32,
    engine: EngineChoice,
    durability: CommitDurability,
    home: &Path,
) -> Result<Measured, BenchError> {
    let program = std::env::current_exe().map_err(BenchError::system("finding this program"))?;
    let cluster = Cluster::start_many(count as usize, &program, home, engine, "")?;
    let master = cluster.wait_for_master(&Route::new(), GROUP_TIMEOUT).await?;
    let addresses: Vec<String> =
        cluster.client_ports().iter().map(|port| format!("127.0.0.1:{port}")).collect();
    let nodes: Vec<u32> = cluster.processes().iter().filter_map(NodeProcess::id).collect();
    let (idle_bytes, memory) = (memory::largest(&nodes), MemoryWatch::start(&nodes));
    let processes = [&nodes[..], &[std::process::id()]].concat();
    let before = processor_time::of(&processes);
    let (load, last) = load_master(step, &addresses[master], durability).await?;
    let drain = drain(&addresses, last).await?;
    let processor = processor_time::of(&processes).zip(before).map(|(after, before)| after - before);
    let peak_bytes = memory.peak();
    cluster.stop(GROUP_TIMEOUT).await?;
    Ok(Measured { idle_bytes, peak_bytes, ..Measured::new(&load, drain, processor) })
}

/// Measures a step on the running group whose nodes serve clients at `endpoints`.
pub(super) async fn measure_endpoints(
    step: &Step,
    endpoints: &[String],
    durability: CommitDurability,
) -> Result<Measured, BenchError> {
    let master = find_master(endpoints).await?;
    let (load, last) = load_master(step, master, durability).await?;
    let drain = drain(endpoints, last).await?;
    Ok(Measured::new(&load, drain, None))
}

async fn find_master(endpoints: &[String]) -> Result<&String, BenchError> {
    let mut last = "there are no endpoints".to_owned();
    for endpoint in endpoints {
        match connect(endpoint)?.status(StatusRequest {}).await {
            Ok(answer) if answer.get_ref().state() == NodeState::Master => return Ok(endpoint),
            Ok(answer) => {
                last = format!("{endpoint} is no master: {}", answer.get_ref().state().as_str_name())
            }
            Err(status) => last = format!("{endpoint}: {}", status.message()),
        }
    }
    Err(BenchError::NoMasterAmongEndpoints { last })
}

/// Runs a step's writers on this thread, and returns the last write's position too.
async fn load_master(
    step: &Step,
    master: &str,
    durability: CommitDurability,
) -> Result<(Load, Option<u64>), BenchError> {
    let connections = step.writers.div_ceil(WRITERS_PER_CONNECTION);
    let targets = (0..connections).map(|_| OverGrpc::connect(master, durability));
    let targets = targets.collect::<Result<Vec<_>, BenchError>>()?;
    load::run(step, &targets).await.map_err(|status| BenchError::Write(Box::new(status)))
}

/// Waits until all nodes have applied a write, and says how long that took.
async fn drain(addresses: &[String], last: Option<u64>) -> Result<Duration, BenchError> {
    let start = Instant::now();
    let catch_up = async {
        for address in addresses {
            let mut client = connect(address)?;
            let mut ticks = interval(POLL_INTERVAL);
            while applied(&mut client).await? < last {
                ticks.tick().await;
            }
        }
        Ok(start.elapsed())
    };
    let late = || BenchError::Write(Box::new(Status::deadline_exceeded("the nodes do not catch up")));
    timeout(GROUP_TIMEOUT, catch_up).await.unwrap_or_else(|_| Err(late()))
}

async fn applied(client: &mut QuorateClient<Channel>) -> Result<Option<u64>, BenchError> {
    let answer = client.status(StatusRequest {}).await;
    let status = answer.map_err(|status| BenchError::Write(Box::new(status)))?;
    Ok(status.get_ref().watermarks.map(|marks| marks.applied))
}

/// A connection of its own, which is opened when it is first used.
fn connect(address: &str) -> Result<QuorateClient<Channel>, BenchError> {
    let channel = channel(address).map_err(|_| BenchError::Endpoint { endpoint: address.to_owned() })?;
    Ok(QuorateClient::new(channel))
}

/// A connection of its own to any service, which is opened when it is first used.
///
/// # Errors
/// If the address has no meaning.
pub(super) fn channel(address: &str) -> Result<Channel, tonic::transport::Error> {
    Ok(Endpoint::from_shared(format!("http://{address}"))?.tcp_nodelay(true).connect_lazy())
}

fn durability_message(durability: CommitDurability) -> Durability {
    let acks = match durability.acks {
        ReplicaAckPolicy::All => AckPolicy::All,
        ReplicaAckPolicy::SimpleMajority => AckPolicy::SimpleMajority,
        ReplicaAckPolicy::None => AckPolicy::None,
    };
    Durability {
        local: sync_policy(durability.local).into(),
        replica: sync_policy(durability.replica).into(),
        acks: acks.into(),
    }
}

const fn sync_policy(policy: quorate::SyncPolicy) -> SyncPolicy {
    match policy {
        quorate::SyncPolicy::Sync => SyncPolicy::Sync,
        quorate::SyncPolicy::WriteNoSync => SyncPolicy::WriteNoSync,
        quorate::SyncPolicy::NoSync => SyncPolicy::NoSync,
    }
}

/// The default database of a node, as a client sees it.
#[derive(Clone)]
pub(super) struct OverGrpc {
    client: QuorateClient<Channel>,
    durability: Durability,
}

impl OverGrpc {
    /// A connection of its own to the node that serves clients at `address`.
    ///
    /// # Errors
    /// [`BenchError::Endpoint`] if it is no address.
    pub(super) fn connect(address: &str, durability: CommitDurability) -> Result<Self, BenchError> {
        Ok(Self { client: connect(address)?, durability: durability_message(durability) })
    }

    /// The generated client.
    pub(super) fn calls(&self) -> QuorateClient<Channel> {
        self.client.clone()
    }
}

impl Target for OverGrpc {
    type Token = u64;
    type Error = Status;

    async fn put(&self, key: &[u8], value: &[u8]) -> Result<u64, Status> {
        let request = PutRequest {
            key: Bytes::copy_from_slice(key),
            value: Bytes::copy_from_slice(value),
            durability: Some(self.durability),
            ..PutRequest::default()
        };
        let answer = self.client.clone().put(request).await?.into_inner();
        let token = answer
            .token
            .ok_or_else(|| Status::new(Code::Internal, "a write was answered without a token"))?;
        Ok(token.vlsn)
    }

    fn position(token: u64) -> u64 {
        token
    }
}

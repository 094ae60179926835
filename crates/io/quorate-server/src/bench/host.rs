use super::job::{AppliedCount, FillNode, NodeLoad, OpenNode, ReadLocal, RunWorkload};
use super::load::{self, Target};
use super::reads::{self, LocalReads};
use super::step::Step;
use super::workload::{self, WorkloadLoad};
use quorate::{
    BytesDatabase, CommitDurability, CommitToken, ConsistencyPolicy, DatabaseError, NodeState, OpenError,
    ReadError, RepConfig, ReplicatedEnvironment, WriteError,
};
use quorate_core::EngineError;
use std::rc::Rc;
use std::time::Duration;
use tokio::runtime::Builder;

/// The group's name.
const GROUP: &str = "bench";
/// How long a node may take to apply what the master has.
const CATCH_UP_TIMEOUT: Duration = Duration::from_secs(600);

/// A node of a group in this process, and the load on it.
pub(super) struct Host(Rc<ReplicatedEnvironment>);

/// Why a node does not do what it is asked to.
#[derive(Debug, thiserror::Error)]
pub(super) enum HostError {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error("the node's database cannot be opened: {0}")]
    Database(#[from] DatabaseError),
    #[error("a write failed: {0}")]
    Write(#[from] WriteError),
    #[error("the node did not catch up: {0}")]
    Read(#[from] ReadError),
    #[error("the job is malformed: {0}")]
    Job(String),
    #[error("the operating system refused: {0}")]
    System(#[from] std::io::Error),
    #[error("the engine cannot be opened: {0}")]
    OpenEngine(#[from] quorate_engine::OpenError),
    #[error("the engine failed: {0}")]
    Engine(#[from] EngineError),
    #[error("a row that was written before is not there")]
    RowMissing,
}

impl Host {
    pub(super) fn open(job: OpenNode) -> Result<Self, HostError> {
        let durability: CommitDurability = job.durability.parse().map_err(HostError::malformed)?;
        let builder = RepConfig::builder(GROUP, job.name, "127.0.0.1")
            .data_dir(job.directory)
            .engine(job.engine.into())
            .compression(job.compression.into())
            .durability(durability);
        let builder =
            job.members.into_iter().fold(builder, |builder, (name, address)| builder.member(name, address));
        let builder = match job.lease_ms {
            Some(lease_ms) => builder.lease(Duration::from_millis(lease_ms)),
            None => builder,
        };
        Ok(Self(Rc::new(ReplicatedEnvironment::new(builder.build())?)))
    }

    pub(super) fn leads(&self) -> bool {
        self.0.state() == NodeState::Master
    }

    /// Runs a step's writers on this thread.
    pub(super) fn load(&self, step: &Step) -> Result<NodeLoad, HostError> {
        let database = self.0.bytes("default")?;
        let runtime = Builder::new_current_thread().build()?;
        let (load, last) = runtime.block_on(load::run(step, &[Embedded(database)]))?;
        Ok(NodeLoad { load, last: last.map(|last| last.to_string()) })
    }

    /// Writes the first rows of a key space, and returns the last write's token.
    pub(super) fn fill(&self, job: FillNode) -> Result<Option<String>, HostError> {
        let database = Embedded(self.0.bytes("default")?);
        let runtime = Builder::new_current_thread().build()?;
        let last = runtime.block_on(job.keys.fill(&database, job.rows))?;
        Ok(last.map(|last| last.to_string()))
    }

    /// Runs a workload's writers on this thread.
    pub(super) fn run_workload(&self, job: &RunWorkload) -> Result<WorkloadLoad, HostError> {
        workload::run_embedded(&self.0, job)
    }

    /// Reads rows of the node and of a bare engine, in turn.
    pub(super) fn read_local(&self, job: &ReadLocal) -> Result<LocalReads, HostError> {
        reads::measure_local(&self.0, job)
    }

    /// Waits until the node has applied a write.
    pub(super) fn await_write(&self, token: &str) -> Result<(), HostError> {
        let token: CommitToken = token.parse().map_err(HostError::malformed)?;
        let policy = ConsistencyPolicy::CommitPointConsistency { token, timeout: CATCH_UP_TIMEOUT };
        self.0.read(policy).wait()?;
        Ok(())
    }

    pub(super) fn count_applied(&self) -> AppliedCount {
        let stats = self.0.stats();
        AppliedCount {
            entries: stats.entries_applied,
            steps: stats.engine_steps,
            bytes_sent: stats.stream_bytes_sent,
            bytes_on_wire: stats.stream_bytes_on_wire,
        }
    }
}

impl HostError {
    /// What a job says has no meaning.
    pub(super) fn malformed(error: impl ToString) -> Self {
        Self::Job(error.to_string())
    }
}

/// The database that writers in this process write to.
#[derive(Clone)]
struct Embedded(BytesDatabase);

impl Target for Embedded {
    type Token = CommitToken;
    type Error = WriteError;

    async fn put(&self, key: &[u8], value: &[u8]) -> Result<CommitToken, WriteError> {
        self.0.put(key, value).await.map(|committed| committed.token)
    }

    fn position(token: CommitToken) -> u64 {
        token.vlsn.as_u64()
    }
}

use super::BenchError;
use super::job::{AppliedCount, AwaitWrite, CountApplied, LoadNode, OpenNode, SayWhetherLeading};
use super::measured::{Measured, TrafficPerWrite};
use super::memory::{self, MemoryWatch};
use super::processor_time;
use super::step::Step;
use super::worker_process::{WorkerProcess, ask_all};
use crate::demo::{free_ports, node_name};
use crate::{CompressionChoice, EngineChoice};
use quorate::CommitDurability;
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::time::{interval, timeout};

/// How long new nodes may take to elect a master.
const ELECTION_TIMEOUT: Duration = Duration::from_secs(60);
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// Measures a step on a new group in `home`, with the writers in the master's process.
pub(super) async fn measure(step: &Step, plan: &GroupPlan, home: &Path) -> Result<Measured, BenchError> {
    let (mut nodes, _) = open(plan, home).await?;
    let master = wait_for_master(&mut nodes).await?;
    let processes: Vec<u32> = nodes.iter().map(WorkerProcess::id).collect();
    let (idle_bytes, memory) = (memory::largest(&processes), MemoryWatch::start(&processes));
    let (processor_before, count_before) = (processor_time::of(&processes), count_applied(&mut nodes).await?);
    let loaded = nodes[master].ask(LoadNode(*step)).await?;
    let end = Instant::now();
    if let Some(token) = loaded.last {
        ask_all(&mut nodes, |_| AwaitWrite { token: token.clone() }).await?;
    }
    let drain = end.elapsed();
    let processor =
        processor_time::of(&processes).zip(processor_before).map(|(after, before)| after - before);
    let peak_bytes = memory.peak();
    let count_after = count_applied(&mut nodes).await?;
    let entries_per_step = entries_per_step(count_before, count_after);
    let writes = loaded.load.writes_with_warm_up;
    let traffic =
        (plan.compression != CompressionChoice::None).then(|| traffic(count_before, count_after, writes));
    let measured = Measured::new(&loaded.load, drain, processor);
    Ok(Measured { entries_per_step, idle_bytes, peak_bytes, traffic, ..measured })
}

/// A group that is to be opened.
#[derive(Clone, Copy, Debug)]
pub(super) struct GroupPlan {
    pub(super) nodes: u32,
    pub(super) engine: EngineChoice,
    pub(super) durability: CommitDurability,
    pub(super) compression: CompressionChoice,
    pub(super) lease_ms: Option<u64>,
}

impl GroupPlan {
    /// A group without compression and without leases.
    pub(super) const fn new(nodes: u32, engine: EngineChoice, durability: CommitDurability) -> Self {
        Self { nodes, engine, durability, compression: CompressionChoice::None, lease_ms: None }
    }
}

/// Opens a new group in `home`. Returns also what opens each of its nodes again.
pub(super) async fn open(
    plan: &GroupPlan,
    home: &Path,
) -> Result<(Vec<WorkerProcess>, Vec<OpenNode>), BenchError> {
    let GroupPlan { nodes: count, engine, durability, compression, lease_ms } = *plan;
    let mut nodes = WorkerProcess::start_many("node", count)?;
    let ports = free_ports(nodes.len()).map_err(BenchError::system("finding free ports"))?;
    let member = |(index, port)| (node_name(index), format!("127.0.0.1:{port}"));
    let members: Vec<_> = ports.into_iter().enumerate().map(member).collect();
    let job = |index| OpenNode {
        name: node_name(index),
        members: members.clone(),
        directory: home.join(node_name(index)),
        engine,
        compression,
        durability: durability.to_string(),
        lease_ms,
    };
    let jobs: Vec<OpenNode> = (0..nodes.len()).map(job).collect();
    ask_all(&mut nodes, |index| jobs[index].clone()).await?;
    Ok((nodes, jobs))
}

/// The index of the node that leads, once one does.
pub(super) async fn wait_for_master(nodes: &mut [WorkerProcess]) -> Result<usize, BenchError> {
    let search = async {
        let mut ticks = interval(POLL_INTERVAL);
        loop {
            ticks.tick().await;
            let leading = ask_all(nodes, |_| SayWhetherLeading).await?;
            if let Some(master) = leading.iter().position(|leads| *leads) {
                return Ok(master);
            }
        }
    };
    let found = timeout(ELECTION_TIMEOUT, search).await;
    found.unwrap_or(Err(BenchError::NoMaster { seconds: ELECTION_TIMEOUT.as_secs() }))
}

/// What the engines of all nodes were given so far.
async fn count_applied(nodes: &mut [WorkerProcess]) -> Result<AppliedCount, BenchError> {
    let counts = ask_all(nodes, |_| CountApplied).await?;
    let sum = |figure: fn(&AppliedCount) -> u64| counts.iter().map(figure).sum();
    Ok(AppliedCount {
        entries: sum(|count| count.entries),
        steps: sum(|count| count.steps),
        bytes_sent: sum(|count| count.bytes_sent),
        bytes_on_wire: sum(|count| count.bytes_on_wire),
    })
}

fn entries_per_step(before: AppliedCount, after: AppliedCount) -> Option<f64> {
    let steps = after.steps - before.steps;
    (steps > 0).then(|| (after.entries - before.entries) as f64 / steps as f64)
}

/// What all nodes together have sent each other of the log for each write.
fn traffic(before: AppliedCount, after: AppliedCount, writes: u64) -> TrafficPerWrite {
    let per_write = |bytes: u64| bytes as f64 / writes.max(1) as f64;
    TrafficPerWrite {
        bytes_sent: per_write(after.bytes_sent - before.bytes_sent),
        bytes_on_wire: per_write(after.bytes_on_wire - before.bytes_on_wire),
    }
}

use super::BenchError;
use super::job::{AppliedCount, AwaitWrite, CountApplied, LoadNode, OpenNode, SayWhetherLeading};
use super::measured::Measured;
use super::memory::{self, MemoryWatch};
use super::processor_time;
use super::step::Step;
use super::worker_process::{WorkerProcess, ask_all};
use crate::EngineChoice;
use crate::demo::{free_ports, node_name};
use quorate::CommitDurability;
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::time::{interval, timeout};

/// How long new nodes may take to elect a master.
const ELECTION_TIMEOUT: Duration = Duration::from_secs(60);
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// Measures a step on a new group of `count` nodes in `home`, with the writers in the master's process.
pub(super) async fn measure(
    step: &Step,
    count: u32,
    engine: EngineChoice,
    durability: CommitDurability,
    home: &Path,
) -> Result<Measured, BenchError> {
    let (mut nodes, _) = open(count, engine, durability, home).await?;
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
    let entries_per_step = entries_per_step(count_before, count_applied(&mut nodes).await?);
    Ok(Measured { entries_per_step, idle_bytes, peak_bytes, ..Measured::new(&loaded.load, drain, processor) })
}

/// Opens a new group of `count` nodes in `home`. Returns also what opens each of its nodes again.
pub(super) async fn open(
    count: u32,
    engine: EngineChoice,
    durability: CommitDurability,
    home: &Path,
) -> Result<(Vec<WorkerProcess>, Vec<OpenNode>), BenchError> {
    open_leased(count, engine, durability, None, home).await
}

/// As [`open`], with leases of so many milliseconds, if any.
pub(super) async fn open_leased(
    count: u32,
    engine: EngineChoice,
    durability: CommitDurability,
    lease_ms: Option<u64>,
    home: &Path,
) -> Result<(Vec<WorkerProcess>, Vec<OpenNode>), BenchError> {
    let mut nodes = WorkerProcess::start_many("node", count)?;
    let ports = free_ports(nodes.len()).map_err(BenchError::system("finding free ports"))?;
    let member = |(index, port)| (node_name(index), format!("127.0.0.1:{port}"));
    let members: Vec<_> = ports.into_iter().enumerate().map(member).collect();
    let job = |index| OpenNode {
        name: node_name(index),
        members: members.clone(),
        directory: home.join(node_name(index)),
        engine,
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
    Ok(AppliedCount { entries: sum(|count| count.entries), steps: sum(|count| count.steps) })
}

fn entries_per_step(before: AppliedCount, after: AppliedCount) -> Option<f64> {
    let steps = after.steps - before.steps;
    (steps > 0).then(|| (after.entries - before.entries) as f64 / steps as f64)
}

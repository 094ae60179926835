//! How fast a replica that was away catches up while writers go on.

mod arguments;
mod report;

pub use arguments::CatchUpArguments;

use super::BenchError;
use super::arguments::{BenchArguments, NODES};
use super::embedded::{self, GroupPlan};
use super::engine_limit;
use super::job::{AwaitWrite, CountApplied, FillNode, LoadNode, OpenNode};
use super::key_space::KeySpace;
use super::printed::Printed;
use super::step::Step;
use super::values::Values;
use super::worker_process::{WorkerProcess, ask_all};
use crate::EngineChoice;
use quorate::CommitToken;
use report::{CatchUpReport, Round};
use std::path::Path;
use std::time::{Duration, Instant};

/// The load during the catch-up comes in pieces of this length, one after the other.
const LOAD_SPAN: Duration = Duration::from_millis(500);

/// Measures a replica's catch-up over `entries` for each engine and each number of writers.
///
/// # Errors
/// [`BenchError`].
pub(super) async fn measure(
    arguments: &BenchArguments,
    entries: u64,
    workplace: &Path,
) -> Result<Printed, BenchError> {
    let mut report = CatchUpReport::new(arguments, entries);
    for number in 1..=arguments.repeat {
        for engine in &arguments.engine {
            for writers in &arguments.writers {
                let home = workplace.join("group");
                let set_up = SetUp { arguments, engine: *engine, writers: *writers, home: &home };
                let round = set_up.measure(entries).await?;
                eprintln!("[{number}/{}] {}, {writers} writers: {round}", arguments.repeat, engine.name());
                report.add(*engine, *writers, round);
                std::fs::remove_dir_all(&home).map_err(BenchError::system("removing a directory"))?;
            }
        }
    }
    report.printed()
}

/// One group of which a replica falls behind.
struct SetUp<'a> {
    arguments: &'a BenchArguments,
    engine: EngineChoice,
    writers: u32,
    home: &'a Path,
}

/// A replica's catch-up and what went on beside it.
struct CatchUp {
    /// Until the replica's environment was open.
    opened: Duration,
    elapsed: Duration,
    /// Writes of the load meanwhile, and how long it ran.
    writes: u64,
    load_elapsed: Duration,
}

impl SetUp<'_> {
    async fn measure(&self, entries: u64) -> Result<Round, BenchError> {
        let (mut nodes, jobs) =
            embedded::open(&GroupPlan::new(NODES, self.engine, self.arguments.durability()), self.home)
                .await?;
        let master = embedded::wait_for_master(&mut nodes).await?;
        let replica = (master + 1) % nodes.len();
        let begin = fill(&mut nodes[master], self.fill_job(1)).await?;
        ask_all(&mut nodes, |_| AwaitWrite { token: begin.to_string() }).await?;
        nodes[replica].end()?;
        let mut end = fill(&mut nodes[master], self.fill_job(entries)).await?;
        if self.arguments.warm_up > 0 {
            let warm_up = Duration::from_secs(self.arguments.warm_up.into());
            end = last(nodes[master].ask(LoadNode(self.step(warm_up))).await?.last)?.unwrap_or(end);
        }
        nodes[replica] = WorkerProcess::start("the replica that is back")?;
        let catch_up = self.catch_up(&mut nodes, [master, replica], &jobs[replica], end).await?;
        let applied = nodes[replica].ask(CountApplied).await?;
        drop(nodes);
        let batch = (applied.entries / applied.steps.max(1)).max(1);
        let keys = self.fill_job(0).keys;
        let engine_per_second =
            engine_limit::alone(self.engine, batch, keys, catch_up.elapsed, self.home).await?;
        let missed = end.vlsn.as_u64() - begin.vlsn.as_u64();
        Ok(Round::new(missed, &catch_up, batch, engine_per_second))
    }

    /// Lets the replica catch up to `end` under load.
    async fn catch_up(
        &self,
        nodes: &mut [WorkerProcess],
        [master, replica]: [usize; 2],
        job: &OpenNode,
        end: CommitToken,
    ) -> Result<CatchUp, BenchError> {
        let [master, replica] = nodes
            .get_disjoint_mut([master, replica])
            .expect("the master and the replica are two of the nodes");
        let begun = Instant::now();
        let catching_up = async {
            replica.ask(job.clone()).await?;
            let opened = begun.elapsed();
            replica.ask(AwaitWrite { token: end.to_string() }).await?;
            Ok::<_, BenchError>((opened, begun.elapsed()))
        };
        let mut catching_up = std::pin::pin!(catching_up);
        let (mut writes, mut caught_up) = (0, None);
        while caught_up.is_none() {
            master.order(LoadNode(self.step(LOAD_SPAN)))?;
            let loaded = tokio::select! {
                caught = &mut catching_up => {
                    caught_up = Some(caught?);
                    master.answer::<LoadNode>().await?
                }
                loaded = master.answer::<LoadNode>() => loaded?,
            };
            writes += loaded.load.writes;
        }
        let (opened, elapsed) = caught_up.unwrap_or_default();
        Ok(CatchUp { opened, elapsed, writes, load_elapsed: begun.elapsed() })
    }

    fn step(&self, span: Duration) -> Step {
        let (key_bytes, value_bytes) = (self.arguments.key_bytes, self.arguments.value_bytes());
        Step {
            writers: self.writers,
            warm_up: Duration::ZERO,
            span,
            key_bytes,
            value_bytes,
            values: Values::Alike,
        }
    }

    fn fill_job(&self, rows: u64) -> FillNode {
        let (key_bytes, value_bytes) = (self.arguments.key_bytes, self.arguments.value_bytes());
        FillNode { keys: KeySpace { key_bytes, value_bytes }, rows }
    }
}

/// Has a node filled, and returns its last write.
async fn fill(node: &mut WorkerProcess, job: FillNode) -> Result<CommitToken, BenchError> {
    let token = node.ask(job).await?;
    last(token)?.ok_or_else(|| malformed("nothing was written"))
}

fn last(token: Option<String>) -> Result<Option<CommitToken>, BenchError> {
    token.map(|token| token.parse().map_err(malformed)).transpose()
}

fn malformed(detail: impl ToString) -> BenchError {
    BenchError::Worker { who: "the master".to_owned(), detail: detail.to_string() }
}

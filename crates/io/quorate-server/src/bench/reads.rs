//! What reads cost: a local one on a replica next to one of the bare engine, and linearizable ones next to commits.

mod arguments;
mod local;

pub use arguments::ReadsArguments;
pub(in crate::bench) use local::{LocalReads, measure_local};

use super::BenchError;
use super::arguments::{BenchArguments, NODES};
use super::case::Case;
use super::embedded::{self, GroupPlan};
use super::job::{AwaitWrite, FillNode, ReadLocal, RunWorkload};
use super::printed::{Printed, Sheet};
use super::rounds::{Column, Figures, Rounds};
use super::worker_process::{WorkerProcess, ask_all};
use super::workload::{Plan, Workload};
use crate::EngineChoice;
use crate::client::ReadConsistency;
use serde::Serialize;
use serde_json::json;
use std::fmt;
use std::path::Path;
use std::time::Duration;

/// What one round has found.
#[derive(Clone, Copy, Debug, Serialize)]
struct Round {
    #[serde(flatten)]
    local: LocalReads,
    times_engine: f64,
    linearizable_reads_per_second: f64,
    commits_per_second: f64,
    reads_per_commit: f64,
}

impl Figures for Round {
    const COLUMNS: &'static [Column<Self>] = &[
        Column { head: "local us", digits: 3, figure: |round| Some(round.local.replica_ns / 1e3) },
        Column { head: "engine us", digits: 3, figure: |round| Some(round.local.engine_ns / 1e3) },
        Column { head: "x engine", digits: 2, figure: |round| Some(round.times_engine) },
        Column { head: "reads/s", digits: 0, figure: |round| Some(round.linearizable_reads_per_second) },
        Column { head: "commits/s", digits: 0, figure: |round| Some(round.commits_per_second) },
        Column { head: "x commits", digits: 2, figure: |round| Some(round.reads_per_commit) },
    ];
}

const MEANINGS: [(&str, &str); 6] = [
    ("local us", "a read of a replica in its own process, of what it has applied, in microseconds"),
    ("engine us", "the same read of the engine without a node, in the same process and in turn with it"),
    ("x engine", "the first over the second"),
    ("reads/s", "linearizable reads a second by so many readers in the master's process"),
    ("commits/s", "commits a second by as many writers there"),
    ("x commits", "the reads over the commits"),
];

impl Round {
    fn new(local: LocalReads, reads: f64, commits: f64) -> Self {
        Self {
            local,
            times_engine: local.replica_ns / local.engine_ns,
            linearizable_reads_per_second: reads,
            commits_per_second: commits,
            reads_per_commit: reads / commits,
        }
    }
}

impl fmt::Display for Round {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { times_engine, linearizable_reads_per_second: reads, commits_per_second: commits, .. } =
            self;
        write!(f, "a local read {times_engine:.2} times the engine's, {reads:.0} linearizable reads/s, ")?;
        write!(f, "{commits:.0} commits/s")
    }
}

/// Measures a new group for each engine and each number of readers.
///
/// # Errors
/// [`BenchError`].
pub(super) async fn measure(arguments: &BenchArguments, workplace: &Path) -> Result<Printed, BenchError> {
    let mut rounds = Rounds::new("readers");
    for number in 1..=arguments.repeat {
        for engine in &arguments.engine {
            for readers in &arguments.writers {
                let home = workplace.join("group");
                let round = measure_group(arguments, *engine, *readers, &home).await?;
                eprintln!("[{number}/{}] {}, {readers} readers: {round}", arguments.repeat, engine.name());
                rounds.add((*readers).into(), engine.name(), round);
                std::fs::remove_dir_all(&home).map_err(BenchError::system("removing a directory"))?;
            }
        }
    }
    let sheet = Sheet {
        title: "Reads",
        notes: vec![
            format!(
                "{} rows; local reads of a replica, then linearizable reads and commits; medians",
                arguments.workload.rows()
            ),
            arguments.rows_note(),
            arguments.reads.lease_note(),
        ],
        lines: rounds.lines(),
        meanings: &MEANINGS,
    };
    let json = json!({
        "settings": arguments.rows_settings(),
        "lease_ms": arguments.reads.lease_ms,
        "reads": rounds.json()?,
    });
    Ok(Printed::of(&sheet, serde_json::to_string_pretty(&json)?))
}

async fn measure_group(
    arguments: &BenchArguments,
    engine: EngineChoice,
    readers: u32,
    home: &Path,
) -> Result<Round, BenchError> {
    let lease_ms = arguments.reads.lease_ms;
    let group = GroupPlan { lease_ms, ..GroupPlan::new(NODES, engine, arguments.durability()) };
    let (mut nodes, _) = embedded::open(&group, home).await?;
    let master = embedded::wait_for_master(&mut nodes).await?;
    let replica = (master + 1) % nodes.len();
    let case = Case { value_bytes: arguments.value_bytes(), nodes: NODES, writers: readers };
    let step = case.step(arguments);
    let rows = arguments.workload.rows();
    let plan = |workload| Plan { workload, step, rows };
    let keys = plan(Workload::Read).keys();
    let filled = nodes[master].ask(FillNode { keys, rows }).await?;
    if let Some(token) = filled {
        ask_all(&mut nodes, |_| AwaitWrite { token: token.clone() }).await?;
    }
    let span = Duration::from_secs(arguments.seconds.into());
    let local = ReadLocal { directory: home.join("engine"), engine, keys, rows, span };
    let local = nodes[replica].ask(local).await?;
    let reads = run(&mut nodes[master], plan(Workload::Read)).await?;
    let commits = run(&mut nodes[master], plan(Workload::Write)).await?;
    Ok(Round::new(local, reads, commits))
}

/// How many operations a second a workload comes to in the master's process.
async fn run(master: &mut WorkerProcess, plan: Plan) -> Result<f64, BenchError> {
    let consistency = ReadConsistency::Linearizable.to_string();
    Ok(master.ask(RunWorkload { plan, consistency }).await?.operations_per_second())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_ratio_is_of_the_same_round() {
        let local = LocalReads { replica_ns: 1100.0, engine_ns: 1000.0 };
        let round = Round::new(local, 900.0, 300.0);
        assert_eq!((round.times_engine, round.reads_per_commit), (1.1, 3.0));
        let mut rounds = Rounds::new("readers");
        rounds.add(64, "fjall", round);
        let expected = ["64", "fjall", "1", "1.100", "1.000", "1.10", "900", "300", "3.00"];
        assert_eq!(rounds.lines()[1], expected.map(str::to_owned));
    }
}

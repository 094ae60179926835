//! What a replica that hangs costs the master: its memory with all nodes, and with a replica stopped by SIGSTOP.

mod arguments;

pub use arguments::StoppedArguments;

use super::BenchError;
use super::arguments::{BenchArguments, NODES};
use super::embedded::{self, GroupPlan};
use super::job::{AwaitWrite, LoadNode, NodeLoad};
use super::memory::{self, MemoryWatch};
use super::printed::{Printed, Sheet, mebibytes};
use super::rounds::{Column, Figures, Rounds};
use super::step::Step;
use super::values::Values;
use super::worker_process::{WorkerProcess, ask_all};
use crate::EngineChoice;
use rustix::process::Signal;
use serde::Serialize;
use serde_json::json;
use std::fmt;
use std::path::Path;
use std::time::{Duration, Instant};

/// What a load came to with all nodes, with a replica stopped, and with all nodes again. The memory is the master's.
#[derive(Clone, Copy, Debug, Serialize)]
struct Round {
    idle_bytes: Option<u64>,
    /// The most at a time while all nodes ran, before one was stopped.
    peak_bytes_before: Option<u64>,
    /// The most at a time while one was stopped.
    peak_bytes_stopped: Option<u64>,
    /// The most at a time while all nodes ran again.
    peak_bytes_after: Option<u64>,
    writes_per_second: f64,
    writes_per_second_stopped: f64,
    /// From the moment at which the replica went on until it had applied everything.
    return_seconds: f64,
}

impl Figures for Round {
    const COLUMNS: &'static [Column<Self>] = &[
        Column { head: "idle MiB", digits: 1, figure: |round| round.idle_bytes.map(mebibytes) },
        Column { head: "before MiB", digits: 1, figure: |round| round.peak_bytes_before.map(mebibytes) },
        Column { head: "stopped MiB", digits: 1, figure: |round| round.peak_bytes_stopped.map(mebibytes) },
        Column { head: "after MiB", digits: 1, figure: |round| round.peak_bytes_after.map(mebibytes) },
        Column { head: "extra MiB", digits: 1, figure: Self::extra_mebibytes },
        Column { head: "all/s", digits: 0, figure: |round| Some(round.writes_per_second) },
        Column { head: "stopped/s", digits: 0, figure: |round| Some(round.writes_per_second_stopped) },
        Column { head: "return s", digits: 2, figure: |round| Some(round.return_seconds) },
    ];
}

const MEANINGS: [(&str, &str); 8] = [
    ("idle MiB", "the master's memory before the load, without what it maps of files"),
    ("before MiB", "the most that it has at a time under load while all nodes run"),
    ("stopped MiB", "the most under the same load while a replica is stopped"),
    ("after MiB", "the most under the same load once it has returned"),
    ("extra MiB", "the most while it is stopped, less the mean of before and after"),
    ("all/s", "writes a second while all nodes run"),
    ("stopped/s", "writes a second while a replica is stopped"),
    ("return s", "from the moment at which the replica goes on until it has applied everything"),
];

impl Round {
    /// A node also grows with what it holds, so that the load before alone would not do to compare with.
    fn extra_mebibytes(&self) -> Option<f64> {
        let without = (mebibytes(self.peak_bytes_before?) + mebibytes(self.peak_bytes_after?)) / 2.0;
        Some(mebibytes(self.peak_bytes_stopped?) - without)
    }
}

impl fmt::Display for Round {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (all, stopped) = (self.writes_per_second, self.writes_per_second_stopped);
        write!(f, "{all:.0}/s, {stopped:.0}/s without a replica")?;
        self.extra_mebibytes().map_or(Ok(()), |extra| write!(f, ", {extra:+.1} MiB"))
    }
}

/// Measures a new group for each engine and each number of writers.
///
/// # Errors
/// [`BenchError`].
pub(super) async fn measure(arguments: &BenchArguments, workplace: &Path) -> Result<Printed, BenchError> {
    let mut rounds = Rounds::new("writers");
    for number in 1..=arguments.repeat {
        for engine in &arguments.engine {
            for writers in &arguments.writers {
                let home = workplace.join("group");
                let round = measure_group(arguments, *engine, *writers, &home).await?;
                eprintln!("[{number}/{}] {}, {writers} writers: {round}", arguments.repeat, engine.name());
                rounds.add((*writers).into(), engine.name(), round);
                std::fs::remove_dir_all(&home).map_err(BenchError::system("removing a directory"))?;
            }
        }
    }
    let sheet = Sheet {
        title: "A stopped replica",
        notes: vec![
            "the master's memory under load with all nodes, with a replica stopped (SIGSTOP), and with all again; medians"
                .to_owned(),
            arguments.rows_note(),
        ],
        lines: rounds.lines(),
        meanings: &MEANINGS,
    };
    let json = json!({ "settings": arguments.rows_settings(), "stopped_replicas": rounds.json()? });
    Ok(Printed::of(&sheet, serde_json::to_string_pretty(&json)?))
}

async fn measure_group(
    arguments: &BenchArguments,
    engine: EngineChoice,
    writers: u32,
    home: &Path,
) -> Result<Round, BenchError> {
    let (mut nodes, _) = embedded::open(&GroupPlan::new(NODES, engine, arguments.durability()), home).await?;
    let master = embedded::wait_for_master(&mut nodes).await?;
    let replica = (master + 1) % nodes.len();
    let idle_bytes = memory::largest(&[nodes[master].id()]);
    let step = |seconds: u32| Step {
        writers,
        warm_up: Duration::ZERO,
        span: Duration::from_secs(seconds.into()),
        key_bytes: arguments.key_bytes,
        value_bytes: arguments.value_bytes(),
        values: Values::Alike,
    };
    load(&mut nodes[master], step(arguments.warm_up)).await?;
    let (all, peak_bytes_before) = load(&mut nodes[master], step(arguments.seconds)).await?;
    catch_up(&mut nodes, &all).await?;
    nodes[replica].signal(Signal::STOP)?;
    let (stopped, peak_bytes_stopped) = load(&mut nodes[master], step(arguments.seconds)).await?;
    nodes[replica].signal(Signal::CONT)?;
    let begun = Instant::now();
    catch_up(&mut nodes, &stopped).await?;
    let return_seconds = begun.elapsed().as_secs_f64();
    let (_, peak_bytes_after) = load(&mut nodes[master], step(arguments.seconds)).await?;
    let rate = |load: &NodeLoad| load.load.writes as f64 / load.load.elapsed.as_secs_f64();
    Ok(Round {
        idle_bytes,
        peak_bytes_before,
        peak_bytes_stopped,
        peak_bytes_after,
        writes_per_second: rate(&all),
        writes_per_second_stopped: rate(&stopped),
        return_seconds,
    })
}

/// Loads the master, and returns the most memory that it had meanwhile.
async fn load(master: &mut WorkerProcess, step: Step) -> Result<(NodeLoad, Option<u64>), BenchError> {
    let memory = MemoryWatch::start(&[master.id()]);
    let load = master.ask(LoadNode(step)).await?;
    Ok((load, memory.peak()))
}

/// Waits until all nodes have applied the load's last write.
async fn catch_up(nodes: &mut [WorkerProcess], load: &NodeLoad) -> Result<(), BenchError> {
    if let Some(token) = &load.last {
        ask_all(nodes, |_| AwaitWrite { token: token.clone() }).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_stopped_replica_takes_is_told_against_the_loads_before_and_after_where_all_are_known() {
        let round = Round {
            idle_bytes: None,
            peak_bytes_before: Some(60 << 20),
            peak_bytes_stopped: Some(72 << 20),
            peak_bytes_after: Some(68 << 20),
            writes_per_second: 9.0,
            writes_per_second_stopped: 8.0,
            return_seconds: 0.5,
        };
        assert_eq!(round.extra_mebibytes(), Some(8.0));
        assert_eq!(round.to_string(), "9/s, 8/s without a replica, +8.0 MiB");
        assert_eq!(Round { peak_bytes_before: None, ..round }.extra_mebibytes(), None);
        assert_eq!(Round { peak_bytes_after: None, ..round }.extra_mebibytes(), None);
    }
}

//! How fast a node that starts applies what its log holds and its engine does not.

mod arguments;

pub use arguments::ReplayArguments;

use super::BenchError;
use super::arguments::BenchArguments;
use super::embedded::{self, GroupPlan};
use super::engine_limit;
use super::job::{AppliedCount, AwaitWrite, CountApplied, FillNode};
use super::key_space::KeySpace;
use super::printed::{Printed, Sheet};
use super::rounds::{Column, Figures, Rounds};
use super::worker_process::WorkerProcess;
use crate::EngineChoice;
use serde::Serialize;
use serde_json::json;
use std::fmt;
use std::path::Path;
use std::time::{Duration, Instant};

/// What one restart has found.
#[derive(Clone, Copy, Debug, Serialize)]
struct Round {
    /// From the start of the process until its environment was open, in milliseconds.
    open_ms: f64,
    /// From there until all was applied.
    seconds: f64,
    entries_per_second: f64,
    /// Entries in each step of the engine, on average.
    entries_per_engine_step: u64,
    /// What the engine takes alone, so many at a time.
    engine_per_second: f64,
    share_of_engine: f64,
}

impl Figures for Round {
    const COLUMNS: &'static [Column<Self>] = &[
        Column { head: "open ms", digits: 1, figure: |round| Some(round.open_ms) },
        Column { head: "seconds", digits: 2, figure: |round| Some(round.seconds) },
        Column { head: "entries/s", digits: 0, figure: |round| Some(round.entries_per_second) },
        Column { head: "at a time", digits: 0, figure: |round| Some(round.entries_per_engine_step as f64) },
        Column { head: "engine/s", digits: 0, figure: |round| Some(round.engine_per_second) },
        Column { head: "of engine", digits: 2, figure: |round| Some(round.share_of_engine) },
    ];
}

const MEANINGS: [(&str, &str); 5] = [
    ("open ms", "from the start of the node's process until its environment was open"),
    ("seconds", "from then until all was applied, the election of the node included"),
    ("at a time", "entries in each step of the engine, on average"),
    ("engine/s", "entries a second that the engine alone applies, as many at a time"),
    ("of engine", "the rate over that of the engine alone"),
];

impl Round {
    fn new(entries: u64, opened: Duration, replayed: Duration, batch: u64, engine_per_second: f64) -> Self {
        let entries_per_second = entries as f64 / replayed.as_secs_f64();
        Self {
            open_ms: opened.as_secs_f64() * 1e3,
            seconds: replayed.as_secs_f64(),
            entries_per_second,
            entries_per_engine_step: batch,
            engine_per_second,
            share_of_engine: entries_per_second / engine_per_second,
        }
    }
}

impl fmt::Display for Round {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seconds, entries_per_second, engine_per_second, .. } = self;
        write!(f, "{seconds:.2} s, {entries_per_second:.0}/s; the engine alone {engine_per_second:.0}/s")
    }
}

/// Measures a node's restart for each engine.
///
/// # Errors
/// [`BenchError`].
pub(super) async fn measure(
    arguments: &BenchArguments,
    entries: u64,
    workplace: &Path,
) -> Result<Printed, BenchError> {
    let mut rounds = Rounds::new("entries");
    for number in 1..=arguments.repeat {
        for engine in &arguments.engine {
            let home = workplace.join("node");
            let round = measure_node(arguments, *engine, entries, &home).await?;
            eprintln!("[{number}/{}] {}, {entries} entries: {round}", arguments.repeat, engine.name());
            rounds.add(entries, engine.name(), round);
            std::fs::remove_dir_all(&home).map_err(BenchError::system("removing a directory"))?;
        }
    }
    let (key_bytes, value_bytes) = (arguments.key_bytes, arguments.value_bytes());
    let sheet = Sheet {
        title: "Replay",
        notes: vec![
            "a node starts with all entries in its log and none in its engine; medians".to_owned(),
            format!("keys of {key_bytes} bytes, values of {value_bytes}"),
        ],
        lines: rounds.lines(),
        meanings: &MEANINGS,
    };
    let settings = json!({ "key_bytes": key_bytes, "value_bytes": value_bytes });
    let json = json!({ "settings": settings, "replays": rounds.json()? });
    Ok(Printed::of(&sheet, serde_json::to_string_pretty(&json)?))
}

async fn measure_node(
    arguments: &BenchArguments,
    engine: EngineChoice,
    entries: u64,
    home: &Path,
) -> Result<Round, BenchError> {
    let (mut nodes, jobs) = embedded::open(&GroupPlan::new(1, engine, arguments.durability()), home).await?;
    embedded::wait_for_master(&mut nodes).await?;
    let keys = KeySpace { key_bytes: arguments.key_bytes, value_bytes: arguments.value_bytes() };
    let token = nodes[0].ask(FillNode { keys, rows: entries }).await?.unwrap_or_default();
    drop(nodes);
    remove_engine(&jobs[0].directory)?;
    let begun = Instant::now();
    let mut node = WorkerProcess::start("the node that is back")?;
    node.ask(jobs[0].clone()).await?;
    let opened = begun.elapsed();
    node.ask(AwaitWrite { token }).await?;
    let replayed = begun.elapsed() - opened;
    let AppliedCount { entries: applied, steps, .. } = node.ask(CountApplied).await?;
    drop(node);
    let batch = (applied / steps.max(1)).max(1);
    let engine_per_second = engine_limit::alone(engine, batch, keys, replayed, home).await?;
    Ok(Round::new(entries, opened, replayed, batch, engine_per_second))
}

/// Takes away what a stopped node's engine keeps: a file or a folder, or nothing.
fn remove_engine(directory: &Path) -> Result<(), BenchError> {
    let engine = directory.join("engine");
    let removed = if engine.is_dir() {
        std::fs::remove_dir_all(&engine)
    } else if engine.exists() {
        std::fs::remove_file(&engine)
    } else {
        Ok(())
    };
    removed.map_err(BenchError::system("removing the engine's store"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_counts_from_the_moment_at_which_the_environment_is_open() {
        let round = Round::new(1000, Duration::from_millis(50), Duration::from_secs(2), 64, 1000.0);
        let mut rounds = Rounds::new("entries");
        rounds.add(1000, "redb", round);
        let expected = ["1000", "redb", "1", "50.0", "2.00", "500", "64", "1000", "0.50"];
        assert_eq!(rounds.lines()[1], expected.map(str::to_owned));
    }

    #[test]
    fn an_engine_is_taken_away_whether_it_is_a_file_or_a_folder_or_not_there() {
        let directory = tempfile::tempdir().unwrap();
        let engine = directory.path().join("engine");
        remove_engine(directory.path()).unwrap();
        std::fs::write(&engine, "rows").unwrap();
        remove_engine(directory.path()).unwrap();
        std::fs::create_dir(&engine).unwrap();
        std::fs::write(engine.join("rows"), "rows").unwrap();
        remove_engine(directory.path()).unwrap();
        assert!(!engine.exists());
    }
}

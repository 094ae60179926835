//! How the cost of a log grows with its length. One process writes it, another one opens it.

mod arguments;
mod opened;
mod written;

pub use arguments::HistoryArguments;
pub(in crate::bench) use opened::{OpenedLog, open};
pub(in crate::bench) use written::write;

use super::BenchError;
use super::arguments::BenchArguments;
use super::job::{OpenLog, WriteLog};
use super::printed::{Printed, Sheet, mebibytes};
use super::rounds::{Column, Figures, Rounds};
use super::worker_process::WorkerProcess;
use quorate_core::LogError;
use quorate_log::LogConfig;
use serde::Serialize;
use serde_json::json;
use std::fmt;
use std::path::Path;
use std::time::Duration;

/// Why a log was not measured.
#[derive(Debug, thiserror::Error)]
pub(super) enum HistoryError {
    #[error("the log fails: {0}")]
    Log(#[from] LogError),
    #[error("the log's directory cannot be used: {0}")]
    Directory(#[from] std::io::Error),
    #[error("the log ends before entry {expected}")]
    Short { expected: u64 },
}

/// How a node of a group lays out its log if nobody says otherwise.
const fn config() -> LogConfig {
    LogConfig::new(1)
}

/// What one round has found of a log.
#[derive(Clone, Copy, Debug, Serialize)]
struct Round {
    entries_written_per_second: f64,
    /// Of all index files, for each entry of the log.
    index_bytes_per_entry: f64,
    open_ms: f64,
    /// What the process had before it opened the log.
    idle_bytes: Option<u64>,
    /// What it had with the log open.
    open_bytes: Option<u64>,
    lookup_p50_us: f64,
    lookup_p99_us: f64,
}

impl Figures for Round {
    const COLUMNS: &'static [Column<Self>] = &[
        Column { head: "written/s", digits: 0, figure: |round| Some(round.entries_written_per_second) },
        Column { head: "index B", digits: 2, figure: |round| Some(round.index_bytes_per_entry) },
        Column { head: "open ms", digits: 1, figure: |round| Some(round.open_ms) },
        Column { head: "before MiB", digits: 1, figure: |round| round.idle_bytes.map(mebibytes) },
        Column { head: "open MiB", digits: 1, figure: |round| round.open_bytes.map(mebibytes) },
        Column { head: "lookup p50 us", digits: 2, figure: |round| Some(round.lookup_p50_us) },
        Column { head: "p99 us", digits: 2, figure: |round| Some(round.lookup_p99_us) },
    ];
}

const MEANINGS: [(&str, &str); 6] = [
    ("written/s", "entries a second, appended by thousands and synced"),
    ("index B", "bytes of the index files for each entry; the segment that is being written has none yet"),
    ("open ms", "until the log is open; nothing is applied"),
    ("before MiB", "memory of the process before that, without what it maps of files"),
    ("open MiB", "the same with the log open"),
    (
        "lookup p50 us",
        "the time in which an entry anywhere in the log is read and checked; its p99 stands behind it",
    ),
];

impl Round {
    fn new(entries: u64, written: Duration, opened: &OpenedLog) -> Self {
        let micros = |nanos: u64| nanos as f64 / 1e3;
        Self {
            entries_written_per_second: entries as f64 / written.as_secs_f64(),
            index_bytes_per_entry: opened.index_bytes as f64 / entries as f64,
            open_ms: opened.elapsed.as_secs_f64() * 1e3,
            idle_bytes: opened.memory_before,
            open_bytes: opened.memory,
            lookup_p50_us: micros(opened.lookup.p50),
            lookup_p99_us: micros(opened.lookup.p99),
        }
    }
}

impl fmt::Display for Round {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { open_ms, lookup_p50_us, index_bytes_per_entry, .. } = self;
        write!(
            f,
            "open in {open_ms:.1} ms, an entry in {lookup_p50_us:.2} us, index {index_bytes_per_entry:.2} B"
        )
    }
}

/// Measures a new log of each length.
///
/// # Errors
/// [`BenchError`].
pub(super) async fn measure(arguments: &BenchArguments, workplace: &Path) -> Result<Printed, BenchError> {
    let value_bytes = arguments.value_bytes();
    let mut rounds = Rounds::new("entries");
    for number in 1..=arguments.repeat {
        for entries in &arguments.history.history {
            let directory = workplace.join("log");
            let write =
                WriteLog { directory: directory.clone(), entries: *entries, payload_bytes: value_bytes };
            let written = WorkerProcess::start("the log's writer")?.ask(write).await?;
            let open = OpenLog { directory: directory.clone(), entries: *entries };
            let opened = WorkerProcess::start("the log's reader")?.ask(open).await?;
            let round = Round::new(*entries, written, &opened);
            eprintln!("[{number}/{}] {entries} entries: {round}", arguments.repeat);
            rounds.add(*entries, "log", round);
            std::fs::remove_dir_all(&directory).map_err(BenchError::system("removing a directory"))?;
        }
    }
    let sheet = Sheet {
        title: "History",
        notes: vec![format!(
            "logs with payloads of {value_bytes} bytes, written by one process and opened by another; medians"
        )],
        lines: rounds.lines(),
        meanings: &MEANINGS,
    };
    let json = json!({ "settings": { "payload_bytes": value_bytes }, "histories": rounds.json()? });
    Ok(Printed::of(&sheet, serde_json::to_string_pretty(&json)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::latencies::Percentiles;

    #[test]
    fn a_log_that_one_has_written_is_opened_and_read_by_another() {
        let directory = tempfile::tempdir().unwrap();
        let entries = 2 * written::ENTRIES_PER_GROUP + 5;
        let path = directory.path().join("log");
        write(&WriteLog { directory: path.clone(), entries, payload_bytes: 16 }).unwrap();
        let opened = open(&OpenLog { directory: path.clone(), entries }).unwrap();
        assert!(opened.lookup.p50 > 0 && opened.lookup.p50 <= opened.lookup.max, "{opened:?}");
        let longer = open(&OpenLog { directory: path, entries: entries + 1 });
        assert!(matches!(longer, Err(HistoryError::Short { .. })), "{longer:?}");
    }

    #[test]
    fn the_index_counts_for_each_entry() {
        let lookup = Percentiles { p50: 1_500, p99: 9_000, ..Percentiles::default() };
        let (elapsed, memory) = (Duration::from_millis(3), Some(5 << 20));
        let opened = OpenedLog { elapsed, index_bytes: 400, memory_before: None, memory, lookup };
        let round = Round::new(100, Duration::from_secs(2), &opened);
        let mut rounds = Rounds::new("entries");
        rounds.add(100, "log", round);
        let expected = ["100", "log", "1", "50", "4.00", "3.0", "-", "5.0", "1.50", "9.00"];
        assert_eq!(rounds.lines()[1], expected.map(str::to_owned));
    }
}

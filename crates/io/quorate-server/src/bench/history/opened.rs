use super::{HistoryError, config};
use crate::bench::job::OpenLog;
use crate::bench::latencies::{Latencies, Percentiles};
use crate::bench::memory;
use crate::bench::step::Step;
use quorate_core::{LogReader, LogStore, Random, Vlsn};
use quorate_log::Log;
use quorate_log::vfs::OsVfs;
use serde::{Deserialize, Serialize};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How many entries are looked up.
const LOOKUPS: u64 = 100_000;

/// What it took to open a log and to find entries in it.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(in crate::bench) struct OpenedLog {
    pub(super) elapsed: Duration,
    /// Length of all index files.
    pub(super) index_bytes: u64,
    /// Memory of this process before and after, in bytes, where it is known.
    pub(super) memory_before: Option<u64>,
    pub(super) memory: Option<u64>,
    pub(super) lookup: Percentiles,
}

/// Opens a log and reads entries anywhere in it, one at a time.
///
/// # Errors
/// [`HistoryError`].
pub(in crate::bench) fn open(job: &OpenLog) -> Result<OpenedLog, HistoryError> {
    let me = [std::process::id()];
    let memory_before = memory::largest(&me);
    let begun = Instant::now();
    let log = Log::open(Arc::new(OsVfs), &job.directory, config())?;
    let elapsed = begun.elapsed();
    let memory = memory::largest(&me);
    if log.summary().terms.last_vlsn().map(Vlsn::as_u64) < Some(job.entries) {
        return Err(HistoryError::Short { expected: job.entries });
    }
    let lookup = look_up(&*log.reader(), job.entries)?;
    Ok(OpenedLog { elapsed, index_bytes: index_bytes(&job.directory)?, memory_before, memory, lookup })
}

fn look_up(reader: &dyn LogReader, entries: u64) -> Result<Percentiles, HistoryError> {
    let (mut random, mut latencies) = (Random::new(Step::seed(0)), Latencies::new());
    for _ in 0..LOOKUPS {
        let Some(vlsn) = Vlsn::new(1 + random.below(entries)) else { continue };
        let begun = Instant::now();
        reader.read(vlsn, vlsn, 1)?;
        latencies.record(begun.elapsed());
    }
    Ok(latencies.percentiles())
}

fn index_bytes(directory: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    for file in std::fs::read_dir(directory)? {
        let file = file?;
        if file.path().extension().is_some_and(|extension| extension == "index") {
            bytes += file.metadata()?.len();
        }
    }
    Ok(bytes)
}

use super::BenchError;
use super::job::{AppliedLoad, Apply};
use super::key_space::KeySpace;
use super::step::{RandomRows, Step};
use super::values::Values;
use super::worker_process::WorkerProcess;
use crate::EngineChoice;
use bytes::Bytes;
use quorate_codec::{Envelope, PayloadKind, WriteBatch};
use quorate_core::{Committed, Engine, EngineError, EntryId, EntryKind, NodeId, Term, Vlsn};
use quorate_env::kv::{DEFAULT_DATABASE, KvEngine, SCHEMA_VERSION};
use std::path::Path;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

/// How often the engine is asked how far it is durable: as often as a node asks by default.
const FLUSH_INTERVAL: Duration = Duration::from_millis(500);

/// So many runs of entries are made up ahead.
const RUNS_READY: usize = 2;

/// Why an engine was not measured.
#[derive(Debug, thiserror::Error)]
pub(super) enum EngineLimitError {
    #[error("the engine cannot be opened: {0}")]
    Open(#[from] quorate_engine::OpenError),
    #[error("the engine does not apply: {0}")]
    Apply(#[from] EngineError),
    #[error("the engine's directory cannot be made: {0}")]
    Directory(#[from] std::io::Error),
}

/// The engine alone is measured for as long as what it is compared with took, and at least so long.
const SPAN_MIN: Duration = Duration::from_secs(1);

/// How many entries a second one engine takes alone in a process of its own, so many in each step.
///
/// # Errors
/// [`BenchError`].
pub(super) async fn alone(
    engine: EngineChoice,
    entries: u64,
    keys: KeySpace,
    span: Duration,
    home: &Path,
) -> Result<f64, BenchError> {
    let KeySpace { key_bytes, value_bytes } = keys;
    let span = span.max(SPAN_MIN);
    let step =
        Step { writers: 1, warm_up: Duration::ZERO, span, key_bytes, value_bytes, values: Values::Alike };
    let mut process = WorkerProcess::start("the engine alone")?;
    let load = process.ask(Apply { directory: home.join("engine"), engine, step, entries }).await?;
    Ok(load.entries as f64 / load.elapsed.as_secs_f64())
}

/// Applies entries to a new engine as fast as it takes them, after the step's warm-up for its span. Another thread makes
/// them up, as other threads bring them to an engine in a node.
pub(super) fn apply(job: &Apply) -> Result<AppliedLoad, EngineLimitError> {
    std::fs::create_dir_all(&job.directory)?;
    let mut engine = KvEngine::open(crate::demo::open_store(&job.directory, job.engine)?)?;
    let (count, mut entries) = (job.entries as usize, Entries { last: 0, rows: job.step.rows(0) });
    thread::scope(|scope| {
        let (sender, runs) = mpsc::sync_channel(RUNS_READY);
        scope.spawn(move || while sender.send(entries.by_ref().take(count).collect()).is_ok() {});
        apply_for(&mut engine, &runs, job.step.warm_up)?;
        apply_for(&mut engine, &runs, job.step.span)
        // Here nobody takes in runs any more, which ends the other thread.
    })
}

fn apply_for(
    engine: &mut KvEngine,
    runs: &Receiver<Vec<Committed>>,
    span: Duration,
) -> Result<AppliedLoad, EngineLimitError> {
    let (start, mut entries, mut results) = (Instant::now(), 0, Vec::new());
    let mut flush_due = start + FLUSH_INTERVAL;
    let mut now = start;
    while now < start + span
        && let Ok(run) = runs.recv()
    {
        entries += run.len() as u64;
        engine.apply(&run, &mut results)?;
        results.clear();
        now = Instant::now();
        if now >= flush_due {
            engine.checkpoint()?;
            flush_due = now + FLUSH_INTERVAL;
        }
    }
    Ok(AppliedLoad { entries, elapsed: start.elapsed() })
}

/// Entries that each set a random key, for ever.
struct Entries {
    last: u64,
    rows: RandomRows,
}

impl Iterator for Entries {
    type Item = Committed;

    fn next(&mut self) -> Option<Committed> {
        self.last += 1;
        let (key, value) = self.rows.next();
        let mut batch = WriteBatch::new();
        batch.put(DEFAULT_DATABASE, key, value);
        let (kind, body) = (PayloadKind::WriteBatch, batch.encoded());
        let mut payload = Vec::new();
        Envelope { kind, schema_version: SCHEMA_VERSION, session: None, body }.encode_into(&mut payload);
        let id = EntryId { term: Term::new(1, NodeId::new(1)), vlsn: Vlsn::new(self.last)? };
        Some(Committed { id, kind: EntryKind::Data, payload: Bytes::from(payload) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_engine_is_given_whole_batches() {
        let directory = tempfile::tempdir().unwrap();
        let (warm_up, span) = (Duration::ZERO, Duration::from_millis(5));
        let step = Step { writers: 1, warm_up, span, key_bytes: 16, value_bytes: 100, values: Values::Alike };
        let directory = directory.path().join("engine");
        let job = Apply { directory, engine: EngineChoice::Memory, step, entries: 7 };
        let applied = apply(&job).unwrap();
        assert!(applied.entries >= 7 && applied.entries.is_multiple_of(7), "{applied:?}");
    }
}

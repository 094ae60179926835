use crate::bench::host::HostError;
use crate::bench::job::ReadLocal;
use crate::bench::key_space::KeySpace;
use crate::bench::measured::median;
use crate::bench::step::Step;
use quorate::{ConsistencyPolicy, ReplicatedEnvironment};
use quorate_core::{EngineError, KvOperation, KvStore, Random};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How many rows are read at a time of the node, then of the engine.
const BLOCK: usize = 500;
/// How many rows are written at a time to the engine.
const ROWS_PER_WRITE: u64 = 256;

/// What one read takes, in nanoseconds: the median of the means of many blocks of reads.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(in crate::bench) struct LocalReads {
    pub(in crate::bench) replica_ns: f64,
    pub(in crate::bench) engine_ns: f64,
}

/// Reads random rows of an environment and of an engine with the same rows, in turn, on this thread.
///
/// # Errors
/// [`HostError`]; [`HostError::RowMissing`] if one of the rows is not there.
pub(in crate::bench) fn measure_local(
    environment: &ReplicatedEnvironment,
    job: &ReadLocal,
) -> Result<LocalReads, HostError> {
    let store = fill(job)?;
    let database = environment.bytes("default")?;
    let has = |key: &[u8]| Ok(database.get(key, ConsistencyPolicy::NoConsistencyRequired)?.is_some());
    let (mut random, mut replica, mut engine) = (Random::new(Step::seed(0)), Vec::new(), Vec::new());
    let end = Instant::now() + job.span;
    while replica.is_empty() || Instant::now() < end {
        let keys: Vec<Vec<u8>> = (0..BLOCK).map(|_| job.keys.key(random.below(job.rows))).collect();
        replica.push(time(&keys, has)?);
        engine.push(time(&keys, |key| Ok(store.snapshot()?.get(key)?.is_some()))?);
    }
    let nanos = |times: &[Duration]| median(times, |time| time.as_nanos() as f64 / BLOCK as f64);
    Ok(LocalReads { replica_ns: nanos(&replica), engine_ns: nanos(&engine) })
}

/// How long it takes to read all of the keys.
fn time(
    keys: &[Vec<u8>],
    mut has: impl FnMut(&[u8]) -> Result<bool, HostError>,
) -> Result<Duration, HostError> {
    let (begun, mut found) = (Instant::now(), 0);
    for key in keys {
        found += usize::from(has(key)?);
    }
    let elapsed = begun.elapsed();
    if found == keys.len() { Ok(elapsed) } else { Err(HostError::RowMissing) }
}

/// A store of the engine with the rows that the node has.
fn fill(job: &ReadLocal) -> Result<Arc<dyn KvStore>, HostError> {
    std::fs::create_dir_all(&job.directory)?;
    let store = crate::demo::open_store(&job.directory, job.engine)?;
    for first in (0..job.rows).step_by(ROWS_PER_WRITE as usize) {
        write(&*store, job.keys, first..job.rows.min(first + ROWS_PER_WRITE))?;
    }
    store.flush()?;
    Ok(store)
}

fn write(store: &dyn KvStore, keys: KeySpace, numbers: std::ops::Range<u64>) -> Result<(), EngineError> {
    let rows: Vec<(Vec<u8>, Vec<u8>)> = numbers
        .map(|number| {
            let key = keys.key(number);
            let value = keys.value(key[0]);
            (key, value)
        })
        .collect();
    let operations: Vec<KvOperation<'_>> =
        rows.iter().map(|(key, value)| KvOperation::Put { key, value }).collect();
    store.write(&operations)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::EngineChoice;

    #[test]
    fn the_bare_engine_holds_every_row_under_its_key() {
        let directory = tempfile::tempdir().unwrap();
        let keys = KeySpace { key_bytes: 16, value_bytes: 5 };
        let (engine, span) = (EngineChoice::Memory, Duration::ZERO);
        let rows = ROWS_PER_WRITE + 3;
        let store =
            fill(&ReadLocal { directory: directory.path().to_owned(), engine, keys, rows, span }).unwrap();
        let snapshot = store.snapshot().unwrap();
        let found = |number| snapshot.get(&keys.key(number)).unwrap();
        assert!((0..rows).all(|number| found(number).is_some_and(|value| value.len() == 5)));
        assert_eq!(found(rows), None);
    }

    #[test]
    fn a_row_that_is_not_there_is_no_fast_read() {
        let keys = [vec![1], vec![2]];
        assert!(time(&keys, |_| Ok(true)).is_ok());
        let missing = time(&keys, |key| Ok(key[0] == 1));
        assert!(matches!(missing, Err(HostError::RowMissing)), "{missing:?}");
    }
}

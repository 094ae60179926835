//! Measures what engines cost when several share a machine: `measure_engines [ENGINE [BATCH [SECONDS
//! [ENGINES]]]]`; without more, three memory engines, batches of 64, one second.
//!
//! Each engine has a thread of its own that applies runs of BATCH entries, each of which sets a random key of
//! 16 bytes to 100 bytes, as fast as it can, and flushes every 100 ms. ENGINE is `redb`, `fjall`, `memory`,
//! or `none` for a store that forgets all: the cost of the rest. Processor time, memory and bytes written
//! come from Linux's `/proc`.

use bytes::Bytes;
use quorate_codec::{Envelope, PayloadKind, WriteBatch};
use quorate_core::{
    Committed, Engine, EngineError, EntryId, EntryKind, KvOperation, KvSnapshot, KvStore, NodeId, Random,
    Term, Vlsn,
};
use quorate_engine::MemoryStore;
use quorate_env::kv::{DEFAULT_DATABASE, KvEngine, SCHEMA_VERSION};
use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use std::{env, fs, thread};

const FLUSH_INTERVAL: Duration = Duration::from_millis(100);
/// What `/proc` counts processor time in.
const TICKS_PER_SECOND: f64 = 100.0;

type Failure = Box<dyn Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let name = arguments.first().map_or("memory", String::as_str);
    let batch: u64 = arguments.get(1).map_or(Ok(64), |batch| batch.parse())?;
    let seconds: f64 = arguments.get(2).map_or(Ok(1.0), |seconds| seconds.parse())?;
    let engines: u64 = arguments.get(3).map_or(Ok(3), |engines| engines.parse())?;
    let directory = tempfile::tempdir_in(env::current_dir()?)?;
    let stores: Vec<_> = (0..engines)
        .map(|number| open(name, &directory.path().join(number.to_string())))
        .collect::<Result<_, _>>()?;
    println!("{name}: {engines} idle engines take {} KiB", memory_kib()?);
    measure(&stores, name, batch, Duration::from_secs_f64(seconds))
}

fn open(name: &str, path: &Path) -> Result<Arc<dyn KvStore>, Failure> {
    Ok(match name {
        "none" => Arc::new(Forgetful(MemoryStore::new())),
        "memory" => Arc::new(MemoryStore::new()),
        "redb" => Arc::new(quorate_engine::RedbStore::open(path, &quorate_engine::RedbConfig::default())?),
        "fjall" => Arc::new(quorate_engine::FjallStore::open(path, &quorate_engine::FjallConfig::default())?),
        _ => return Err(format!("no engine {name:?} for {}", path.display()).into()),
    })
}

fn measure(stores: &[Arc<dyn KvStore>], name: &str, batch: u64, span: Duration) -> Result<(), Failure> {
    let (processor_before, written_before, start) = (processor_seconds()?, bytes_written()?, Instant::now());
    let threads: Vec<_> = (1..)
        .zip(stores)
        .map(|(seed, store)| {
            let store = Arc::clone(store);
            thread::spawn(move || load(store, seed, batch, start + span))
        })
        .collect();
    let mut loads = Vec::new();
    for thread in threads {
        loads.push(thread.join().map_err(|_| "an engine's thread panicked")??);
    }
    let (elapsed, processor) = (start.elapsed().as_secs_f64(), processor_seconds()? - processor_before);
    let entries = loads.iter().map(|load| load.entries).sum::<u64>() as f64;
    let slowest_flush = loads.iter().map(|load| load.slowest_flush).max().unwrap_or_default();
    println!(
        "{name} batch {batch}: {:.0} entries/s an engine, {:.1} us processor time and {:.0} B written an \
         entry, slowest flush {} ms, {} KiB",
        entries / elapsed / stores.len() as f64,
        processor / entries * 1e6,
        (bytes_written()? - written_before) / entries,
        slowest_flush.as_millis(),
        memory_kib()?
    );
    Ok(())
}

struct Load {
    entries: u64,
    slowest_flush: Duration,
}

fn load(store: Arc<dyn KvStore>, seed: u64, batch: u64, end: Instant) -> Result<Load, EngineError> {
    let (mut engine, mut random, mut results) = (KvEngine::open(store)?, Random::new(seed), Vec::new());
    let mut load = Load { entries: 0, slowest_flush: Duration::ZERO };
    let mut flush_due = Instant::now() + FLUSH_INTERVAL;
    while Instant::now() < end {
        let entries: Vec<_> = (1..=batch).map(|number| entry(load.entries + number, &mut random)).collect();
        engine.apply(&entries, &mut results)?;
        results.clear();
        load.entries += batch;
        if Instant::now() >= flush_due {
            let start = Instant::now();
            engine.flush()?;
            load.slowest_flush = load.slowest_flush.max(start.elapsed());
            flush_due = Instant::now() + FLUSH_INTERVAL;
        }
    }
    Ok(load)
}

fn entry(vlsn: u64, random: &mut Random) -> Committed {
    let mut key = [0; 16];
    key[..8].copy_from_slice(&random.next_u64().to_le_bytes());
    key[8..].copy_from_slice(&random.next_u64().to_le_bytes());
    let mut batch = WriteBatch::new();
    batch.put(DEFAULT_DATABASE, &key, &[key[0]; 100]);
    let (kind, body) = (PayloadKind::WriteBatch, batch.encoded());
    let mut payload = Vec::new();
    Envelope { kind, schema_version: SCHEMA_VERSION, session: None, body }.encode_into(&mut payload);
    let vlsn = Vlsn::new(vlsn).expect("entries are counted from 1");
    let id = EntryId { term: Term::new(1, NodeId::new(1)), vlsn };
    Committed { id, kind: EntryKind::Data, payload: Bytes::from(payload) }
}

/// Takes every write and keeps none.
struct Forgetful(MemoryStore);

impl KvStore for Forgetful {
    fn write(&self, _operations: &[KvOperation<'_>]) -> Result<(), EngineError> {
        Ok(())
    }

    fn flush(&self) -> Result<bool, EngineError> {
        Ok(false)
    }

    fn snapshot(&self) -> Result<Arc<dyn KvSnapshot>, EngineError> {
        self.0.snapshot()
    }
}

/// Processor time of this process so far, in user and kernel mode, in seconds.
fn processor_seconds() -> Result<f64, Failure> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let (_, numbers) = stat.rsplit_once(')').ok_or("/proc/self/stat has no name")?;
    let ticks = |at: usize| {
        numbers
            .split_whitespace()
            .nth(at)
            .ok_or("/proc/self/stat is short")?
            .parse::<f64>()
            .map_err(Failure::from)
    };
    Ok((ticks(11)? + ticks(12)?) / TICKS_PER_SECOND)
}

/// Memory of this process that no file backs, in KiB.
fn memory_kib() -> Result<String, Failure> {
    field("/proc/self/status", "RssAnon:")
}

/// Bytes that this process has sent to the disk.
fn bytes_written() -> Result<f64, Failure> {
    Ok(field("/proc/self/io", "write_bytes:")?.parse()?)
}

fn field(path: &str, name: &str) -> Result<String, Failure> {
    let text = fs::read_to_string(path)?;
    let line = text.lines().find_map(|line| line.strip_prefix(name)).ok_or("a field is missing in /proc")?;
    Ok(line.split_whitespace().next().ok_or("a field is empty in /proc")?.to_owned())
}

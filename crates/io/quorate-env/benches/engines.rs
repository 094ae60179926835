//! What applying a run of entries and reading cost in each store, one engine at a time.

use bytes::Bytes;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use quorate_codec::{Envelope, PayloadKind, WriteBatch};
use quorate_core::{Committed, Engine, EntryId, EntryKind, KvStore, NodeId, Random, Term, Vlsn};
use quorate_engine::{FjallConfig, FjallStore, MemoryStore, RedbConfig, RedbStore};
use quorate_env::kv::{DEFAULT_DATABASE, KvEngine, SCHEMA_VERSION};
use std::hint::black_box;
use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

const BATCHES: [u64; 4] = [1, 16, 64, 256];
const ROWS_READ: u64 = 50_000;

fn stores(directory: &Path) -> [(&'static str, Arc<dyn KvStore>); 3] {
    let redb = RedbStore::open(&directory.join("redb"), &RedbConfig::default()).expect("a new file");
    let fjall = FjallStore::open(&directory.join("fjall"), &FjallConfig::default()).expect("a new directory");
    [("memory", Arc::new(MemoryStore::new())), ("redb", Arc::new(redb)), ("fjall", Arc::new(fjall))]
}

/// Applies random rows without end.
struct Writer {
    engine: KvEngine,
    random: Random,
    vlsn: u64,
}

impl Writer {
    fn new(store: Arc<dyn KvStore>) -> Self {
        Self {
            engine: KvEngine::open(store).expect("a store of this version"),
            random: Random::new(1),
            vlsn: 0,
        }
    }

    fn entries(&mut self, count: u64) -> Vec<Committed> {
        (0..count).map(|_| self.entry()).collect()
    }

    fn entry(&mut self) -> Committed {
        self.vlsn += 1;
        let key = self.random.next_u64().to_le_bytes().repeat(2);
        let mut batch = WriteBatch::new();
        batch.put(DEFAULT_DATABASE, &key, &[key[0]; 100]);
        let (kind, body) = (PayloadKind::WriteBatch, batch.encoded());
        let mut payload = Vec::new();
        Envelope { kind, schema_version: SCHEMA_VERSION, session: None, body }.encode_into(&mut payload);
        let vlsn = Vlsn::new(self.vlsn).expect("entries are counted from 1");
        let id = EntryId { term: Term::new(1, NodeId::new(1)), vlsn };
        Committed { id, kind: EntryKind::Data, payload: Bytes::from(payload) }
    }

    fn apply(&mut self, entries: &[Committed]) {
        self.engine.apply(entries, &mut Vec::new()).expect("an engine that works");
    }
}

fn apply(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("apply");
    for batch in BATCHES {
        let directory = tempfile::tempdir_in(".").expect("a directory");
        for (name, store) in stores(directory.path()) {
            let mut writer = Writer::new(store);
            group.throughput(Throughput::Elements(batch));
            group.bench_function(BenchmarkId::new(name, batch), |bencher| {
                bencher.iter_custom(|iterations| {
                    let mut spent = Duration::ZERO;
                    for _ in 0..iterations {
                        let entries = writer.entries(batch);
                        let start = std::time::Instant::now();
                        writer.apply(&entries);
                        spent += start.elapsed();
                    }
                    writer.engine.flush().expect("a disk that works");
                    spent
                });
            });
        }
    }
    group.finish();
}

fn read(criterion: &mut Criterion) {
    let directory = tempfile::tempdir_in(".").expect("a directory");
    let mut group = criterion.benchmark_group("read");
    for (name, store) in stores(directory.path()) {
        let mut writer = Writer::new(store);
        let entries = writer.entries(ROWS_READ);
        writer.apply(&entries);
        let reader = writer.engine.reader();
        let mut random = Random::new(1);
        group.bench_function(BenchmarkId::new("snapshot and get", name), |bencher| {
            bencher.iter(|| {
                let key = random.next_u64().to_le_bytes().repeat(2);
                black_box(reader.snapshot().expect("a store that works").get(DEFAULT_DATABASE, &key))
            });
        });
        group.bench_function(BenchmarkId::new("scan 100", name), |bencher| {
            bencher.iter(|| {
                let snapshot = reader.snapshot().expect("a store that works");
                let start = Bound::Included(&[128_u8][..]);
                let rows =
                    snapshot.scan(DEFAULT_DATABASE, start, Bound::Unbounded).expect("a store that works");
                black_box(rows.take(100).count())
            });
        });
    }
    group.finish();
}

criterion_group! {
    name = engines;
    config = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    targets = apply, read
}
criterion_main!(engines);

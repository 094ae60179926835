use super::Plan;
use super::choices::{Choices, Field, Operation};
use super::store::Store;
use crate::bench::closed_loop::run_all;
use crate::bench::key_space::KeySpace;
use crate::bench::latencies::{Latencies, Percentiles};
use crate::bench::step::Step;
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// What the writers of a workload have done after the warm-up.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(in crate::bench) struct WorkloadLoad {
    /// From the end of the warm-up until the last operation was done.
    pub(super) elapsed: Duration,
    /// Whole operations: a read that is followed by a write of the same row is one.
    pub(super) operations: u64,
    /// Reads, with scans.
    pub(super) reads: Side,
    pub(super) writes: Side,
    /// Reads of rows that had been there from the beginning, and were not found.
    pub(super) missed: u64,
}

/// The reads or the writes.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct Side {
    pub(super) count: u64,
    pub(super) latencies: Percentiles,
}

/// Runs a workload's writers, all on this thread. Writer number `n` uses `stores[n % stores.len()]`.
///
/// # Errors
/// The first failure of an operation; the other writers are given up.
pub(super) async fn run<S: Store>(plan: &Plan, stores: &[S]) -> Result<WorkloadLoad, S::Error> {
    let begin = Instant::now() + plan.step.warm_up;
    let span = Span { begin, end: begin + plan.step.span };
    let (field, counts) = (Rc::new(Field::new(plan)), Rc::<RefCell<Counts>>::default());
    let writer = |(number, store): (u32, &S)| {
        let choices = Choices::new(Rc::clone(&field), Step::seed(number.into()));
        let (store, field, counts) = (store.clone(), Rc::clone(&field), Rc::clone(&counts));
        Writer { span, store, keys: plan.keys(), field, counts }.run(choices)
    };
    run_all((0..plan.step.writers).zip(stores.iter().cycle()).map(writer)).await?;
    Ok(counts.borrow().load(span.begin.elapsed()))
}

#[derive(Clone, Copy)]
struct Span {
    begin: Instant,
    end: Instant,
}

struct Writer<S> {
    span: Span,
    store: S,
    keys: KeySpace,
    field: Rc<Field>,
    counts: Rc<RefCell<Counts>>,
}

impl<S: Store> Writer<S> {
    async fn run(self, mut choices: Choices) -> Result<(), S::Error> {
        while Instant::now() < self.span.end {
            let begun = Instant::now();
            self.carry_out(choices.next()).await?;
            self.counts.borrow_mut().operations += u64::from(begun >= self.span.begin);
        }
        Ok(())
    }

    async fn carry_out(&self, operation: Operation) -> Result<(), S::Error> {
        match operation {
            Operation::Read(row) => self.read(row).await,
            Operation::Scan { from, rows } => self.scan(from, rows).await,
            Operation::Update(row) => self.write(row).await,
            Operation::Insert(row) => {
                self.write(row).await?;
                self.field.inserted(row);
                Ok(())
            }
            Operation::Modify(row) => {
                self.read(row).await?;
                self.write(row).await
            }
        }
    }

    async fn read(&self, row: u64) -> Result<(), S::Error> {
        let (begun, key) = (Instant::now(), self.keys.key(row));
        let is_found = self.store.get(&key).await?;
        self.done_reading(begun, is_found || !self.field.is_old(row));
        Ok(())
    }

    async fn scan(&self, from: u64, rows: u64) -> Result<(), S::Error> {
        let (begun, key) = (Instant::now(), self.keys.key(from));
        let found = self.store.scan(&key, rows).await?;
        self.done_reading(begun, found > 0);
        Ok(())
    }

    async fn write(&self, row: u64) -> Result<(), S::Error> {
        let (begun, key) = (Instant::now(), self.keys.key(row));
        self.store.put(&key, &self.keys.value(row as u8)).await?;
        if begun >= self.span.begin {
            self.counts.borrow_mut().writes.record(begun.elapsed());
        }
        Ok(())
    }

    fn done_reading(&self, begun: Instant, is_found: bool) {
        let mut counts = self.counts.borrow_mut();
        counts.missed += u64::from(!is_found);
        if begun >= self.span.begin {
            counts.reads.record(begun.elapsed());
        }
    }
}

/// The running counts.
#[derive(Default)]
struct Counts {
    operations: u64,
    reads: Tally,
    writes: Tally,
    missed: u64,
}

struct Tally {
    count: u64,
    latencies: Latencies,
}

impl Default for Tally {
    fn default() -> Self {
        Self { count: 0, latencies: Latencies::new() }
    }
}

impl Tally {
    fn record(&mut self, latency: Duration) {
        self.count += 1;
        self.latencies.record(latency);
    }

    fn side(&self) -> Side {
        Side { count: self.count, latencies: self.latencies.percentiles() }
    }
}

impl Counts {
    fn load(&self, elapsed: Duration) -> WorkloadLoad {
        let Self { operations, missed, .. } = *self;
        WorkloadLoad { elapsed, operations, reads: self.reads.side(), writes: self.writes.side(), missed }
    }
}

impl WorkloadLoad {
    pub(in crate::bench) fn operations_per_second(&self) -> f64 {
        self.operations as f64 / self.elapsed.as_secs_f64()
    }
}

impl fmt::Display for WorkloadLoad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let p50 = |side: &Side| side.latencies.p50 as f64 / 1e6;
        let (reads, writes) = (p50(&self.reads), p50(&self.writes));
        let rate = self.operations_per_second();
        write!(f, "{rate:.0} operations/s, p50 of reads {reads:.3} ms, of writes {writes:.3} ms")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::load::Target;
    use crate::bench::values::Values;
    use crate::bench::workload::Workload;
    use std::collections::BTreeMap;
    use std::convert::Infallible;

    #[derive(Clone, Default)]
    struct Map(Rc<RefCell<BTreeMap<Vec<u8>, Vec<u8>>>>);

    impl Target for Map {
        type Token = u64;
        type Error = Infallible;

        async fn put(&self, key: &[u8], value: &[u8]) -> Result<u64, Infallible> {
            tokio::task::yield_now().await;
            self.0.borrow_mut().insert(key.to_vec(), value.to_vec());
            Ok(0)
        }

        fn position(token: u64) -> u64 {
            token
        }
    }

    impl Store for Map {
        async fn get(&self, key: &[u8]) -> Result<bool, Infallible> {
            tokio::task::yield_now().await;
            Ok(self.0.borrow().contains_key(key))
        }

        async fn scan(&self, from: &[u8], rows: u64) -> Result<u64, Infallible> {
            tokio::task::yield_now().await;
            Ok(self.0.borrow().range(from.to_vec()..).take(rows as usize).count() as u64)
        }
    }

    fn run_on(map: &Map, workload: Workload, rows: u64) -> WorkloadLoad {
        let step = Step {
            writers: 3,
            warm_up: Duration::ZERO,
            span: Duration::from_millis(20),
            key_bytes: 8,
            value_bytes: 4,
            values: Values::Alike,
        };
        let plan = Plan { workload, step, rows };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            if map.0.borrow().is_empty() {
                let Ok(_) = plan.keys().fill(map, 100).await;
            }
            let Ok(load) = run(&plan, std::slice::from_ref(map)).await;
            load
        })
    }

    #[test]
    fn each_operation_counts_as_the_reads_and_writes_that_it_is() {
        let map = Map::default();
        let read = run_on(&map, Workload::YcsbC, 100);
        assert!(read.operations > 0 && read.operations == read.reads.count, "{read:?}");
        assert_eq!((read.writes.count, read.missed), (0, 0));
        let modified = run_on(&map, Workload::YcsbF, 100);
        assert_eq!(modified.operations, modified.reads.count);
        assert!(modified.writes.count > 0 && modified.writes.count < modified.reads.count, "{modified:?}");
        assert_eq!(map.0.borrow().len(), 100);
        let scanned = run_on(&map, Workload::YcsbE, 100);
        assert_eq!(scanned.operations, scanned.reads.count + scanned.writes.count);
        assert_eq!(map.0.borrow().len() as u64, 100 + scanned.writes.count);
    }

    #[test]
    fn rows_that_should_be_there_and_are_not_are_counted() {
        let map = Map::default();
        assert_eq!(run_on(&map, Workload::Read, 100).missed, 0);
        assert!(run_on(&map, Workload::Read, 200).missed > 0);
    }
}

use super::closed_loop::run_all;
use super::latencies::{Latencies, Percentiles};
use super::step::Step;
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// Where closed-loop writers write to.
pub(super) trait Target: Clone + 'static {
    /// What names a write that was done.
    type Token: Copy;
    type Error;

    /// Writes one row and waits until that is done.
    async fn put(&self, key: &[u8], value: &[u8]) -> Result<Self::Token, Self::Error>;

    /// Where the write stands in the group's log.
    fn position(token: Self::Token) -> u64;
}

/// What the writers of a step have done.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Load {
    /// Writes that were begun after the warm-up.
    pub(super) writes: u64,
    /// All writes.
    pub(super) writes_with_warm_up: u64,
    /// From the end of the warm-up until the last write was done.
    pub(super) elapsed: Duration,
    pub(super) latencies: Percentiles,
}

/// The running counts of a step.
struct Counts<T: Target> {
    writes: u64,
    writes_with_warm_up: u64,
    latencies: Latencies,
    last: Option<T::Token>,
}

/// Runs a step's writers, all on this thread, and returns the last write with what they did. Writer number
/// `n` writes to `targets[n % targets.len()]`.
///
/// # Errors
/// The first failure of a write; the other writers are given up.
pub(super) async fn run<T: Target>(step: &Step, targets: &[T]) -> Result<(Load, Option<T::Token>), T::Error> {
    let begin = Instant::now() + step.warm_up;
    let span = Span { begin, end: begin + step.span };
    let counts = Rc::new(RefCell::new(Counts::<T>::new()));
    let writer = |(number, target): (u32, &T)| {
        write(span, target.clone(), step.rows(number.into()), Rc::clone(&counts))
    };
    run_all((0..step.writers).zip(targets.iter().cycle()).map(writer)).await?;
    let counts = counts.borrow();
    Ok((counts.load(span.begin.elapsed()), counts.last))
}

#[derive(Clone, Copy)]
struct Span {
    begin: Instant,
    end: Instant,
}

async fn write<T: Target>(
    span: Span,
    target: T,
    mut rows: super::step::RandomRows,
    counts: Rc<RefCell<Counts<T>>>,
) -> Result<(), T::Error> {
    let mut start = Instant::now();
    while start < span.end {
        let (key, value) = rows.next();
        let token = target.put(key, value).await?;
        let end = Instant::now();
        counts.borrow_mut().add(token, (start >= span.begin).then_some(end - start));
        start = end;
    }
    Ok(())
}

impl<T: Target> Counts<T> {
    fn new() -> Self {
        Self { writes: 0, writes_with_warm_up: 0, latencies: Latencies::new(), last: None }
    }

    /// Counts a write. One of the warm-up has no latency.
    fn add(&mut self, token: T::Token, latency: Option<Duration>) {
        self.writes_with_warm_up += 1;
        if self.last.is_none_or(|last| T::position(last) < T::position(token)) {
            self.last = Some(token);
        }
        if let Some(latency) = latency {
            self.writes += 1;
            self.latencies.record(latency);
        }
    }

    fn load(&self, elapsed: Duration) -> Load {
        Load {
            writes: self.writes,
            writes_with_warm_up: self.writes_with_warm_up,
            elapsed,
            latencies: self.latencies.percentiles(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::values::Values;
    use std::cell::Cell;

    /// Takes a number of writes, and counts those under way.
    #[derive(Clone)]
    struct Counter {
        writes_max: u64,
        writes: Rc<Cell<u64>>,
        under_way: Rc<Cell<usize>>,
        under_way_max: Rc<Cell<usize>>,
    }

    impl Counter {
        fn new(writes_max: u64) -> Self {
            let (writes, under_way, under_way_max) = Default::default();
            Self { writes_max, writes, under_way, under_way_max }
        }
    }

    impl Target for Counter {
        type Token = u64;
        type Error = u64;

        async fn put(&self, _: &[u8], _: &[u8]) -> Result<u64, u64> {
            let token = self.writes.get() + 1;
            self.writes.set(token);
            self.under_way.set(self.under_way.get() + 1);
            self.under_way_max.set(self.under_way_max.get().max(self.under_way.get()));
            tokio::task::yield_now().await;
            self.under_way.set(self.under_way.get() - 1);
            if token < self.writes_max { Ok(token) } else { Err(token) }
        }

        fn position(token: u64) -> u64 {
            token
        }
    }

    fn step(warm_up: Duration, span: Duration) -> Step {
        Step { writers: 3, warm_up, span, key_bytes: 8, value_bytes: 8, values: Values::Alike }
    }

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
    }

    #[test]
    fn each_writer_has_one_write_under_way_and_a_failure_ends_the_load() {
        let target = Counter::new(100);
        let failed =
            block_on(run(&step(Duration::ZERO, Duration::from_secs(3600)), std::slice::from_ref(&target)));
        assert!(failed.unwrap_err() >= 100);
        assert!(target.writes.get() < 200);
        assert_eq!(target.under_way_max.get(), 3);
    }

    #[test]
    fn writes_of_the_warm_up_are_done_and_not_measured() {
        let target = Counter::new(u64::MAX);
        let step = step(Duration::from_millis(1), Duration::ZERO);
        let (load, last) = block_on(run(&step, std::slice::from_ref(&target))).unwrap();
        assert_eq!(load.writes, 0);
        assert_eq!(load.writes_with_warm_up, target.writes.get());
        assert_eq!(last.unwrap_or(0), target.writes.get());
    }
}

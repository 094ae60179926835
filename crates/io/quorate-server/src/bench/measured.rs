use super::latencies::Percentiles;
use super::load::Load;
use serde::Serialize;
use std::time::Duration;

/// What one step came to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Measured {
    /// Writes a second, the time to catch up included.
    pub(super) rate: f64,
    pub(super) latencies: Percentiles,
    /// From the last write until every node had applied it.
    pub(super) drain: Duration,
    /// Processor time of the nodes and of the writers for each write, where it is known.
    pub(super) processor_per_write: Option<Duration>,
    /// Entries in each of the engines' steps, on average, where it is known.
    pub(super) entries_per_step: Option<f64>,
    /// What was sent of the log for each write, where it is asked for.
    pub(super) traffic: Option<TrafficPerWrite>,
    /// The memory of the node that had most before the load, in bytes, where it is known.
    pub(super) idle_bytes: Option<u64>,
    /// The most that a node had at a time, in bytes, where it is known.
    pub(super) peak_bytes: Option<u64>,
}

/// What nodes have sent each other of the log for each write, all replicas together.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct TrafficPerWrite {
    /// Before compression.
    pub(super) bytes_sent: f64,
    /// As it went over the wire.
    pub(super) bytes_on_wire: f64,
}

impl Measured {
    pub(super) fn new(load: &Load, drain: Duration, processor: Option<Duration>) -> Self {
        Self {
            rate: load.writes as f64 / (load.elapsed + drain).as_secs_f64(),
            latencies: load.latencies,
            drain,
            processor_per_write: processor.map(|time| time.div_f64(load.writes_with_warm_up.max(1) as f64)),
            entries_per_step: None,
            traffic: None,
            idle_bytes: None,
            peak_bytes: None,
        }
    }

    /// Each figure's median on its own.
    ///
    /// # Panics
    /// If there is none.
    pub(super) fn median(rounds: &[Self]) -> Self {
        let nanos = |of: fn(&Percentiles) -> u64| median(rounds, |round| of(&round.latencies) as f64) as u64;
        let latencies = Percentiles {
            p50: nanos(|latencies| latencies.p50),
            p99: nanos(|latencies| latencies.p99),
            p999: nanos(|latencies| latencies.p999),
            max: nanos(|latencies| latencies.max),
        };
        let bytes = |of: fn(&Self) -> Option<u64>| {
            median_of_known(rounds, |round| of(round).map(|bytes| bytes as f64)).map(|bytes| bytes as u64)
        };
        Self {
            rate: median(rounds, |round| round.rate),
            latencies,
            drain: Duration::from_secs_f64(median(rounds, |round| round.drain.as_secs_f64())),
            processor_per_write: median_of_known(rounds, |round| {
                round.processor_per_write.map(|time| time.as_secs_f64())
            })
            .map(Duration::from_secs_f64),
            entries_per_step: median_of_known(rounds, |round| round.entries_per_step),
            traffic: TrafficPerWrite::median(rounds),
            idle_bytes: bytes(|round| round.idle_bytes),
            peak_bytes: bytes(|round| round.peak_bytes),
        }
    }
}

impl TrafficPerWrite {
    fn median(rounds: &[Measured]) -> Option<Self> {
        let of =
            |figure: fn(&Self) -> f64| median_of_known(rounds, |round| round.traffic.as_ref().map(figure));
        Some(Self {
            bytes_sent: of(|traffic| traffic.bytes_sent)?,
            bytes_on_wire: of(|traffic| traffic.bytes_on_wire)?,
        })
    }
}

/// The median of a figure; of two in the middle their mean.
///
/// # Panics
/// If there is none.
pub(super) fn median<T>(items: &[T], figure: impl Fn(&T) -> f64) -> f64 {
    let mut figures: Vec<f64> = items.iter().map(figure).collect();
    assert!(!figures.is_empty(), "something was measured");
    figures.sort_by(f64::total_cmp);
    let middle = figures.len() / 2;
    if figures.len() % 2 == 1 { figures[middle] } else { f64::midpoint(figures[middle - 1], figures[middle]) }
}

fn median_of_known<T>(items: &[T], figure: impl Fn(&T) -> Option<f64>) -> Option<f64> {
    let known: Vec<f64> = items.iter().filter_map(figure).collect();
    (!known.is_empty()).then(|| median(&known, |figure| *figure))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(rate: f64, processor: Option<u64>) -> Measured {
        Measured {
            rate,
            latencies: Percentiles { p50: rate as u64, ..Percentiles::default() },
            drain: Duration::from_secs(1),
            processor_per_write: processor.map(Duration::from_micros),
            entries_per_step: None,
            traffic: None,
            idle_bytes: Some(rate as u64 * 10),
            peak_bytes: None,
        }
    }

    #[test]
    fn the_drain_counts_as_time_and_the_warm_ups_writes_count_for_the_processor_only() {
        let latencies = Percentiles::default();
        let load = Load { writes: 90, writes_with_warm_up: 100, elapsed: Duration::from_secs(8), latencies };
        let found = Measured::new(&load, Duration::from_secs(1), Some(Duration::from_millis(1)));
        assert_eq!(found.rate, 10.0);
        assert_eq!(found.processor_per_write, Some(Duration::from_micros(10)));
    }

    #[test]
    fn a_median_is_taken_of_each_figure_as_far_as_it_is_known() {
        let found = Measured::median(&[measured(3.0, None), measured(1.0, Some(8)), measured(2.0, Some(4))]);
        assert_eq!((found.rate, found.latencies.p50), (2.0, 2));
        assert_eq!(found.processor_per_write, Some(Duration::from_micros(6)));
        assert_eq!((found.idle_bytes, found.peak_bytes), (Some(20), None));
        assert_eq!(found.entries_per_step, None);
    }
}

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How long many operations took, each to three significant digits.
pub(super) struct Latencies(Histogram<u64>);

/// The distribution in four figures, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Percentiles {
    pub(super) p50: u64,
    pub(super) p99: u64,
    pub(super) p999: u64,
    pub(super) max: u64,
}

impl Percentiles {
    /// How many times the median the p99 is. None without a median.
    pub(super) fn spread(&self) -> Option<f64> {
        (self.p50 > 0).then(|| self.p99 as f64 / self.p50 as f64)
    }
}

/// Longer operations count as this long, in nanoseconds: ten minutes.
const NANOS_MAX: u64 = 600_000_000_000;
const SIGNIFICANT_DIGITS: u8 = 3;

impl Latencies {
    pub(super) fn new() -> Self {
        let histogram = Histogram::new_with_max(NANOS_MAX, SIGNIFICANT_DIGITS);
        Self(histogram.expect("the bounds are ones that a histogram takes"))
    }

    pub(super) fn record(&mut self, latency: Duration) {
        self.record_many(latency, 1);
    }

    /// Counts `count` operations that took the same time.
    pub(super) fn record_many(&mut self, latency: Duration, count: u64) {
        let nanos = u64::try_from(latency.as_nanos()).unwrap_or(NANOS_MAX);
        self.0.saturating_record_n(nanos, count);
    }

    pub(super) fn percentiles(&self) -> Percentiles {
        Percentiles {
            p50: self.0.value_at_quantile(0.5),
            p99: self.0.value_at_quantile(0.99),
            p999: self.0.value_at_quantile(0.999),
            max: self.0.max(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_percentiles_are_those_of_what_was_recorded() {
        let mut latencies = Latencies::new();
        latencies.record_many(Duration::from_micros(100), 989);
        latencies.record_many(Duration::from_micros(500), 10);
        latencies.record(Duration::from_secs(1));
        let found = latencies.percentiles();
        let micros = [found.p50, found.p99, found.p999, found.max].map(|nanos| nanos / 1000);
        assert_eq!([micros[0], micros[1], micros[2]], [100, 500, 500]);
        assert!((1_000_000..1_001_000).contains(&micros[3]), "{micros:?}");
    }

    #[test]
    fn what_takes_for_ever_is_counted_all_the_same() {
        let mut latencies = Latencies::new();
        latencies.record(Duration::MAX);
        assert!(latencies.percentiles().p50 >= NANOS_MAX);
    }
}

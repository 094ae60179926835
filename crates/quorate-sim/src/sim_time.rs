use quorate_core::{Random, Time};
use std::fmt;
use std::ops::Add;
use std::time::Duration;

/// Nanoseconds since the beginning of a simulated history: the time that no node can see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct SimTime(u64);

impl SimTime {
    /// The beginning.
    pub const ZERO: Self = Self(0);

    /// The time `microseconds` after the beginning.
    #[must_use]
    pub const fn from_micros(microseconds: u64) -> Self {
        Self(microseconds * 1_000)
    }

    /// Microseconds since the beginning.
    #[must_use]
    pub const fn as_micros(self) -> u64 {
        self.0 / 1_000
    }

    /// How long ago `earlier` was; zero if it is not earlier.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for SimTime {
    type Output = Self;
    fn add(self, span: Duration) -> Self {
        Self(self.0 + span.as_nanos() as u64)
    }
}

impl fmt::Display for SimTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>3}.{:06}", self.0 / 1_000_000_000, self.0 / 1_000 % 1_000_000)
    }
}

/// The monotonic clock of one process: it starts at zero and may run too fast or too slow.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LocalClock {
    started: SimTime,
    rate_per_mille: u64,
}

impl LocalClock {
    /// A clock that starts now and counts `rate_per_mille` milliseconds a second.
    pub(crate) const fn new(started: SimTime, rate_per_mille: u64) -> Self {
        Self { started, rate_per_mille }
    }

    pub(crate) const fn local(&self, at: SimTime) -> Time {
        Time::from_nanos((at.0 - self.started.0) / 1_000 * self.rate_per_mille)
    }

    /// The first moment at which this clock shows `local` or more, in steps of a microsecond.
    pub(crate) fn global(&self, local: Time) -> SimTime {
        SimTime(self.started.0 + local.as_nanos().div_ceil(self.rate_per_mille) * 1_000)
    }
}

/// A span drawn evenly from `low..high` microseconds.
pub(crate) fn micros_between(random: &mut Random, low: u64, high: u64) -> Duration {
    Duration::from_micros(low + random.below(high.saturating_sub(low)))
}

/// Whether something happens that has `per_mille` chances in a thousand.
pub(crate) fn happens(random: &mut Random, per_mille: u64) -> bool {
    random.below(1_000) < per_mille
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_skewed_clock_reaches_every_local_time_at_the_moment_it_names() {
        for rate in [900, 1_000, 1_100] {
            let clock = LocalClock::new(SimTime::from_micros(77), rate);
            for nanos in [0, 1, 999, 1_000_000, 123_456_789] {
                let moment = clock.global(Time::from_nanos(nanos));
                assert!(clock.local(moment) >= Time::from_nanos(nanos), "rate {rate}, {nanos} ns");
            }
        }
    }
}

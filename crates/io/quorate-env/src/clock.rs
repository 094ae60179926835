use quorate_core::Time;
use std::time::{Duration, Instant, SystemTime};

/// The node's monotonic clock. Copies agree.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    start: Instant,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self { start: Instant::now() }
    }

    /// The time since the node's start.
    pub(crate) fn now(self) -> Time {
        Time::ZERO + self.start.elapsed()
    }

    /// How long it is until `deadline`; zero if that is past.
    pub(crate) fn until(self, deadline: Time) -> Duration {
        deadline.since(self.now())
    }
}

/// The wall clock in microseconds since 1970: for people who read the log, never for decisions.
pub(crate) fn wall_clock_micros() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

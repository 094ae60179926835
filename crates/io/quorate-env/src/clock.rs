use quorate_core::Time;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

/// Tells the time of day, in microseconds since 1970: for people who read the log, never for decisions. It
/// may be wrong, and may jump.
pub type WallClock = Arc<dyn Fn() -> u64 + Send + Sync>;

/// The machine's time of day.
#[must_use]
pub fn system_wall_clock() -> WallClock {
    Arc::new(|| {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
    })
}

/// The node's clocks: a monotonic one, by which everything is decided, and the time of day.
pub(crate) struct Clock {
    start: Instant,
    wall: WallClock,
}

impl Clock {
    pub(crate) fn start(wall: WallClock) -> Self {
        Self { start: Instant::now(), wall }
    }

    /// The time of day in microseconds since 1970.
    pub(crate) fn wall_micros(&self) -> u64 {
        (self.wall)()
    }

    /// The time since the node's start.
    pub(crate) fn now(&self) -> Time {
        Time::ZERO + self.start.elapsed()
    }

    /// How long it is until `deadline`; zero if that is past.
    pub(crate) fn until(&self, deadline: Time) -> Duration {
        deadline.since(self.now())
    }
}

use quorate_core::Time;
#[cfg(target_os = "linux")]
use rustix::time::{ClockId, clock_gettime};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

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
///
/// The monotonic one never jumps, and counts the time for which the process was stopped. On Linux it counts the time for which the machine was
/// suspended too; elsewhere it may not. Nothing counts the time for which a hypervisor has stopped a virtual machine together with its clocks.
pub(crate) struct Clock {
    start: Instant,
    wall: WallClock,
}

/// The monotonic clock's present time.
#[cfg(target_os = "linux")]
type Instant = Duration;
#[cfg(not(target_os = "linux"))]
type Instant = std::time::Instant;

impl Clock {
    pub(crate) fn start(wall: WallClock) -> Self {
        Self { start: monotonic(), wall }
    }

    /// The time of day in microseconds since 1970.
    pub(crate) fn wall_micros(&self) -> u64 {
        (self.wall)()
    }

    /// The time since the node's start.
    pub(crate) fn now(&self) -> Time {
        Time::ZERO + since(self.start)
    }

    /// How long it is until `deadline`; zero if that is past.
    pub(crate) fn until(&self, deadline: Time) -> Duration {
        deadline.since(self.now())
    }
}

#[cfg(target_os = "linux")]
fn monotonic() -> Instant {
    let now = clock_gettime(ClockId::Boottime);
    // Since the machine's start: neither part is ever negative.
    Duration::new(now.tv_sec.unsigned_abs(), now.tv_nsec.unsigned_abs() as u32)
}

#[cfg(not(target_os = "linux"))]
fn monotonic() -> Instant {
    Instant::now()
}

#[cfg(target_os = "linux")]
fn since(start: Instant) -> Duration {
    monotonic().saturating_sub(start)
}

#[cfg(not(target_os = "linux"))]
fn since(start: Instant) -> Duration {
    start.elapsed()
}

use std::time::Duration;
use tokio::time::{Instant, sleep};

/// The first pause before an operation is tried again; each further one is twice as long.
const PAUSE_MIN: Duration = Duration::from_millis(10);
const PAUSE_MAX: Duration = Duration::from_millis(250);

/// How long one operation goes on trying.
#[derive(Clone, Debug)]
pub(super) struct Patience {
    began: Instant,
    deadline: Instant,
    pause: Duration,
}

impl Patience {
    pub(super) fn new(timeout: Duration) -> Self {
        let began = Instant::now();
        // A timeout beyond what the clock can tell is as good as none: a century.
        let century = Duration::from_secs(100 * 365 * 24 * 3600);
        Self { began, deadline: began + timeout.min(century), pause: PAUSE_MIN }
    }

    /// How long one attempt may take: `limit` at most, and no longer than is left.
    pub(super) fn attempt(&self, limit: Duration) -> Duration {
        self.left().min(limit)
    }

    pub(super) fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    pub(super) fn waited(&self) -> Duration {
        self.began.elapsed()
    }

    /// Pauses before the next attempt. False if there is no time for another one.
    pub(super) async fn pause(&mut self) -> bool {
        if self.left().is_zero() {
            return false;
        }
        sleep(self.pause.min(self.left())).await;
        self.pause = (self.pause * 2).min(PAUSE_MAX);
        !self.left().is_zero()
    }
}

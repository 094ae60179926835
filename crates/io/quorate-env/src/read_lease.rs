use crate::clock::Clock;
use quorate_core::Time;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Until when what is applied here may be read as a linearizable read: told by the event loop, asked by every such read before it asks the loop.
///
/// 1. Whoever finds the lease running and *then* takes a snapshot has read linearizably. At the moment when it found so, this node led and no other
///    did, and everything that anybody could have heard of was applied here. 2. That holds although the loop may take the lease back a moment
///    later: it does so before it carries out whatever could let another node lead, or tell anybody of a commit that is not applied here.
/// 3. A process that was stopped finds the lease over when it goes on, since it looks at the clock last.
#[derive(Debug, Default)]
pub(crate) struct ReadLease {
    /// In nanoseconds since the node's start; 0 without a lease.
    until: AtomicU64,
    /// Somebody has read by it since the loop asked last.
    is_used: AtomicBool,
}

impl ReadLease {
    /// The node's word has changed, or may have.
    pub(crate) fn publish(&self, until: Option<Time>) {
        self.until.store(until.map_or(0, Time::as_nanos), Ordering::SeqCst);
    }

    /// Whether a snapshot that is taken from now on shows everything that was acknowledged before.
    pub(crate) fn is_running(&self, clock: &Clock) -> bool {
        let until = Time::from_nanos(self.until.load(Ordering::SeqCst));
        let is_running = until > Time::ZERO && clock.now() < until;
        if is_running && !self.is_used.load(Ordering::Relaxed) {
            self.is_used.store(true, Ordering::Relaxed);
        }
        is_running
    }

    /// Whether somebody has read by the lease since this was asked last.
    pub(crate) fn take_use(&self) -> bool {
        self.is_used.load(Ordering::Relaxed) && self.is_used.swap(false, Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::system_wall_clock;
    use std::time::Duration;

    #[test]
    fn a_lease_runs_until_its_time_is_over_or_it_is_taken_back() {
        let (lease, clock) = (ReadLease::default(), Clock::start(system_wall_clock()));
        assert!(!lease.is_running(&clock), "there is none yet");
        assert!(!lease.take_use());
        lease.publish(Some(clock.now() + Duration::from_secs(3_600)));
        assert!(lease.is_running(&clock));
        assert!(lease.take_use() && !lease.take_use(), "each use is told once");
        lease.publish(None);
        assert!(!lease.is_running(&clock));
        lease.publish(Some(clock.now()));
        assert!(!lease.is_running(&clock), "its time is over");
        assert!(!lease.take_use(), "what was refused is no use");
    }
}

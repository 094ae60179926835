use quorate_core::Term;
use std::time::{Duration, Instant};

/// What all writers of a round have seen together.
#[derive(Debug, Default)]
pub(super) struct Watch {
    under_way: u32,
    acknowledged: u64,
    /// The highest term of an acknowledged write up to the blow, then that term.
    term: Option<Term>,
    struck: Option<Struck>,
    /// When a write of a later term was first acknowledged after the blow.
    resumed: Option<Instant>,
    last: Option<Instant>,
    gap: Duration,
    stale: u64,
}

#[derive(Clone, Copy, Debug)]
struct Struck {
    at: Instant,
    under_way: u32,
}

/// What a failover meant to the writers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    /// From the blow until a write of a later term was acknowledged.
    pub(super) first_write: Duration,
    /// The longest time in which no write was acknowledged.
    pub(super) gap: Duration,
    /// How many writes were under way at the blow.
    pub(super) under_way: u32,
}

impl Watch {
    /// A write is being sent.
    pub(super) const fn begin(&mut self) {
        self.under_way += 1;
    }

    /// A write that was begun at `begun` was acknowledged at `at`, under this term.
    pub(super) fn acknowledge(&mut self, begun: Instant, at: Instant, term: Term) {
        assert!(self.under_way > 0, "only what was begun is acknowledged");
        self.under_way -= 1;
        self.acknowledged += 1;
        if let Some(last) = self.last {
            self.gap = self.gap.max(at.saturating_duration_since(last));
        }
        self.last = Some(at);
        self.judge(begun, at, term);
    }

    /// Judges the term of an acknowledged write. One that was begun after the new master's first one was
    /// acknowledged must not be the old master's.
    pub(super) fn judge(&mut self, begun: Instant, at: Instant, term: Term) {
        if self.struck.is_none() {
            self.term = self.term.max(Some(term));
        } else if self.term < Some(term) {
            self.resumed = self.resumed.or(Some(at));
        } else if self.resumed.is_some_and(|resumed| resumed < begun) {
            self.stale += 1;
        }
    }

    /// The master fails now.
    pub(super) const fn strike(&mut self, at: Instant) {
        self.struck = Some(Struck { at, under_way: self.under_way });
    }

    pub(super) const fn acknowledged(&self) -> u64 {
        self.acknowledged
    }

    /// How many writes the old master has acknowledged that were begun after the new master's first one.
    pub(super) const fn stale(&self) -> u64 {
        self.stale
    }

    /// What was seen up to `now`, once a write of a later term was acknowledged.
    pub(super) fn seen(&self, now: Instant) -> Option<Seen> {
        let (struck, resumed) = (self.struck?, self.resumed?);
        let silence = now.saturating_duration_since(self.last?);
        Some(Seen {
            first_write: resumed.saturating_duration_since(struck.at),
            gap: self.gap.max(silence),
            under_way: struck.under_way,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quorate_core::NodeId;

    /// A clock that is told the time, in milliseconds.
    struct Clock(Instant);

    impl Clock {
        fn at(&self, millis: u64) -> Instant {
            self.0 + Duration::from_millis(millis)
        }

        fn write(&self, watch: &mut Watch, begun: u64, at: u64, round: u64) {
            watch.begin();
            watch.acknowledge(self.at(begun), self.at(at), Term::new(round, NodeId::new(1)));
        }
    }

    #[test]
    fn the_first_write_is_of_a_later_term_and_late_answers_of_the_old_master_only_shorten_the_gap() {
        let (mut watch, clock) = (Watch::default(), Clock(Instant::now()));
        clock.write(&mut watch, 0, 5, 1);
        clock.write(&mut watch, 5, 10, 1);
        watch.begin();
        watch.strike(clock.at(11));
        watch.acknowledge(clock.at(10), clock.at(20), Term::new(1, NodeId::new(1)));
        assert_eq!(watch.seen(clock.at(100)), None);
        clock.write(&mut watch, 20, 111, 2);
        clock.write(&mut watch, 20, 120, 2);
        let seen = watch.seen(clock.at(121)).unwrap();
        assert_eq!((seen.first_write, seen.gap), (Duration::from_millis(100), Duration::from_millis(91)));
        assert_eq!((seen.under_way, watch.stale()), (1, 0));
        assert_eq!(watch.seen(clock.at(320)).unwrap().gap, Duration::from_millis(200));
    }

    #[test]
    fn a_write_that_the_old_master_accepts_after_the_new_ones_first_is_noticed() {
        let (mut watch, clock) = (Watch::default(), Clock(Instant::now()));
        clock.write(&mut watch, 0, 5, 1);
        watch.strike(clock.at(6));
        clock.write(&mut watch, 6, 50, 2);
        clock.write(&mut watch, 10, 60, 1);
        assert_eq!(watch.stale(), 0, "it was under way when the new master had acknowledged nothing");
        clock.write(&mut watch, 51, 70, 1);
        assert_eq!(watch.stale(), 1);
    }
}

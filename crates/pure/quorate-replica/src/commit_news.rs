use core::time::Duration;
use quorate_core::Time;

/// When replicas that have everything are told of a commit: at once, or with the entries that come next.
///
/// Entries carry word of what is committed before them. Where they follow each other quickly, word of a commit
/// waits for them: that saves each replica a packet and a few turns, and what it has to apply comes while the
/// master syncs, not while it answers. A batch may be as late again as it took to come after the one before it.
#[derive(Debug, Default)]
pub(crate) struct CommitNews {
    appended_at: Option<Time>,
    /// From the batch before the last one to the last one.
    gap: Option<Duration>,
    /// When a replica is to be told that nothing else has told by then.
    due_at: Option<Time>,
}

/// After a longer gap than this nothing waits for the next batch.
const GAP_MAX: Duration = Duration::from_millis(2);

impl CommitNews {
    /// A batch was appended.
    pub(crate) fn appended(&mut self, now: Time) {
        self.gap = self.appended_at.map(|before| now.since(before));
        self.appended_at = Some(now);
    }

    /// Until when word of a commit waits for the next batch; `None` if it does not.
    pub(crate) fn held_until(&self, now: Time) -> Option<Time> {
        let gap = self.gap.filter(|gap| *gap <= GAP_MAX)?;
        let until = self.appended_at? + gap.saturating_mul(2);
        (now < until).then_some(until)
    }

    /// Some replica is still to be told, by this time; or none is.
    pub(crate) const fn plan(&mut self, due_at: Option<Time>) {
        self.due_at = due_at;
    }

    pub(crate) const fn deadline(&self) -> Option<Time> {
        self.due_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after_micros(micros: u64) -> Time {
        Time::from_nanos(1_000_000_000) + Duration::from_micros(micros)
    }

    #[test]
    fn word_waits_for_the_next_batch_for_twice_the_gap_between_the_last_two() {
        let mut news = CommitNews::default();
        assert_eq!(news.held_until(after_micros(0)), None);
        news.appended(after_micros(0));
        assert_eq!(news.held_until(after_micros(100)), None, "one batch says nothing of the next");
        news.appended(after_micros(300));
        assert_eq!(news.held_until(after_micros(500)), Some(after_micros(900)));
        assert_eq!(news.held_until(after_micros(900)), None);
    }

    #[test]
    fn word_goes_at_once_where_batches_come_seldom() {
        let mut news = CommitNews::default();
        news.appended(after_micros(0));
        news.appended(after_micros(2_001));
        assert_eq!(news.held_until(after_micros(2_002)), None);
    }
}

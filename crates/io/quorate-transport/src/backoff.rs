use quorate_core::Random;
use std::time::Duration;

/// The pauses between attempts to open a link: exponential, with jitter so that nodes do not call in step.
pub(crate) struct Backoff {
    min: Duration,
    max: Duration,
    attempts: u32,
    random: Random,
}

impl Backoff {
    pub(crate) fn new(min: Duration, max: Duration, seed: u64) -> Self {
        Self { min, max, attempts: 0, random: Random::new(seed) }
    }

    /// The next pause: the full one, less up to a half.
    pub(crate) fn next(&mut self) -> Duration {
        let doubled = self.min.saturating_mul(1_u32.checked_shl(self.attempts).unwrap_or(u32::MAX));
        self.attempts = self.attempts.saturating_add(1);
        let full = doubled.min(self.max);
        let half = u64::try_from(full.as_nanos() / 2).unwrap_or(u64::MAX);
        full - Duration::from_nanos(self.random.below(half))
    }

    /// Starts anew from the shortest pause.
    pub(crate) fn reset(&mut self) {
        self.attempts = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_start_anew_after_a_reset() {
        let (min, max) = (Duration::from_millis(10), Duration::from_secs(1));
        let mut backoff = Backoff::new(min, max, 3);
        let mut full = min;
        for _ in 0..70 {
            let pause = backoff.next();
            assert!(pause <= full && pause >= full / 2, "{pause:?} of {full:?}");
            full = (full * 2).min(max);
        }
        backoff.reset();
        assert!(backoff.next() <= min);
    }

    #[test]
    fn one_seed_gives_one_sequence_of_pauses() {
        let pauses = |seed| {
            let mut backoff = Backoff::new(Duration::from_millis(10), Duration::from_secs(1), seed);
            (0..8).map(|_| backoff.next()).collect::<Vec<_>>()
        };
        assert_eq!(pauses(1), pauses(1));
        assert_ne!(pauses(1), pauses(2));
    }
}

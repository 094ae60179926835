use core::time::Duration;
use quorate_core::{Term, Time};

/// How long leases are, and how far clocks are trusted.
///
/// A voter that grants a lease promises no other term for its `span`, counted by its own clock from the moment when the request arrives. The master
/// counts by its own clock, from the moment when it *sent* the request, and less: see [`held`](Self::held). No two clocks are ever compared; all that
/// is asked of them is that they run at nearly the rate of true time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeaseTerms {
    /// For how long a voter promises nothing else; a voter grants no longer ones. Above 0.
    pub span: Duration,
    /// How far the rate of any node's clock is off at most, in thousandths: below 500.
    pub drift_per_mille: u16,
}

impl LeaseTerms {
    /// For how long a master relies on a grant: the span, less twice what a clock drifts within it.
    ///
    /// With a drift of d, a span of L on the fastest clock is L/(1+d) of true time, and a span of H on the slowest is H/(1-d). L(1-2d) is no more than
    /// L(1-d)/(1+d), so that the master's time is over no later than the voter's.
    #[must_use]
    pub fn held(&self) -> Duration {
        let margin = self.span.saturating_mul(u32::from(self.drift_per_mille) * 2) / 1_000;
        self.span.saturating_sub(margin)
    }
}

/// What a voter has granted.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Grants {
    current: Option<Grant>,
    /// What an earlier run of the process may have granted is over then.
    earlier_until: Time,
}

#[derive(Clone, Copy, Debug)]
struct Grant {
    term: Term,
    /// The newest heartbeat that asked.
    sequence: u64,
    until: Time,
}

impl Grants {
    pub(crate) fn keep_earlier_until(&mut self, until: Time) {
        self.earlier_until = self.earlier_until.max(until);
    }

    /// Until when nothing may be promised.
    pub(crate) fn until(&self) -> Time {
        self.current.map_or(self.earlier_until, |grant| grant.until.max(self.earlier_until))
    }

    /// Grants what a heartbeat asks for. One that was overtaken shortens nothing.
    pub(crate) fn renew(&mut self, term: Term, sequence: u64, until: Time) {
        let earlier = self.current.filter(|grant| grant.term == term);
        let (sequence, until) =
            earlier.map_or((sequence, until), |grant| (grant.sequence.max(sequence), grant.until.max(until)));
        self.current = Some(Grant { term, sequence, until });
    }

    /// The master of `term` needs nothing any more that its heartbeats up to `sequence` have asked for.
    pub(crate) fn release(&mut self, term: Term, sequence: u64) {
        if self.current.is_some_and(|grant| grant.term == term && grant.sequence <= sequence) {
            self.current = None;
        }
    }

    /// The mistake of taking any release for one of the grant that runs.
    #[cfg(feature = "mutations")]
    pub(crate) fn release_any(&mut self) {
        self.current = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quorate_core::NodeId;

    fn term(round: u64) -> Term {
        Term::new(round, NodeId::new(1))
    }
    fn at(milliseconds: u64) -> Time {
        Time::from_nanos(milliseconds * 1_000_000)
    }

    #[test]
    fn the_slowest_masters_time_is_over_before_the_fastest_voters() {
        for drift in [0, 1, 10, 100, 333, 499] {
            let terms = LeaseTerms { span: Duration::from_secs(1), drift_per_mille: drift };
            let drift = f64::from(drift) / 1_000.0;
            let master = terms.held().as_secs_f64() / (1.0 - drift);
            let voter = terms.span.as_secs_f64() / (1.0 + drift);
            assert!(master <= voter, "{drift}: {master} and {voter}");
        }
    }

    #[test]
    fn a_release_ends_the_grant_that_it_names_and_no_newer_one() {
        let mut grants = Grants::default();
        grants.renew(term(1), 1, at(100));
        grants.renew(term(1), 2, at(200));
        grants.release(term(1), 1);
        assert_eq!(grants.until(), at(200), "the second heartbeat asked for more");
        grants.renew(term(3), 1, at(300));
        grants.release(term(1), 9);
        assert_eq!(grants.until(), at(300), "it was an earlier master's");
        grants.release(term(3), 1);
        assert_eq!(grants.until(), Time::ZERO);
    }

    #[test]
    fn a_heartbeat_that_was_overtaken_shortens_no_grant() {
        let mut grants = Grants::default();
        grants.renew(term(1), 5, at(500));
        grants.renew(term(1), 4, at(400));
        assert_eq!(grants.until(), at(500));
        grants.release(term(1), 4);
        assert_eq!(grants.until(), at(500));
    }

    #[test]
    fn nothing_releases_what_an_earlier_run_may_have_granted() {
        let mut grants = Grants::default();
        grants.keep_earlier_until(at(500));
        grants.renew(term(1), 1, at(100));
        assert_eq!(grants.until(), at(500));
        grants.release(term(1), 1);
        assert_eq!(grants.until(), at(500));
    }
}

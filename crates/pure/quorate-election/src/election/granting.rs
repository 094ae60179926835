//! A voter's part in leases: while one runs that it has granted, it promises nothing and encourages nobody.
//!
//! What it has granted it need not weigh when it *accepts* something of a master of a higher term. That master was elected by an election quorum of
//! promises, a lease holds by a write quorum of grants, and these two meet: whoever is in both promised only once its grant was over, so no lease of a
//! lower term holds any more.

use super::{EAGER_CANVASSES, Election, jitter};
use core::time::Duration;
use quorate_core::{Term, Time};

/// After a lease, voters wait for so long at most before they canvass, each its own time.
const PAUSE_AFTER_LEASE: Duration = Duration::from_millis(20);

impl Election {
    /// Leases that an earlier run of this process may have granted are over then: until then nothing is promised.
    pub fn keep_earlier_grants(&mut self, until: Time) {
        if !breaks!(self.config.mutation, GrantForgottenAtRestart) {
            self.grants.keep_earlier_until(until);
        }
    }

    /// Grants the master of the promised term the lease that its heartbeat of this number asks for: nothing is promised for `span` from now. False if
    /// another term is promised by now, or the lease is longer than any that this voter grants.
    pub fn grant(&mut self, now: Time, term: Term, sequence: u64, span: Duration) -> bool {
        let longest = self.config.lease.map_or(Duration::ZERO, |terms| terms.span);
        let grants = term == self.promised && span <= longest;
        if grants {
            self.grants.renew(term, sequence, now + span);
        }
        grants
    }

    /// The master of `term` releases what its heartbeats up to `sequence` have asked for. A later grant runs on.
    pub fn release(&mut self, term: Term, sequence: u64) {
        #[cfg(feature = "mutations")]
        if breaks!(self.config.mutation, StaleReleaseHonoured) {
            self.grants.release_any();
        }
        self.grants.release(term, sequence);
    }

    /// Whether a lease runs that this voter has granted: it promises nothing now.
    #[must_use]
    pub fn is_bound(&self, now: Time) -> bool {
        now < self.grants.until() && !breaks!(self.config.mutation, PromiseDuringGrant)
    }

    /// The master was silent for longer than patience lasts, and the lease that was granted to it is still to be waited for: nothing else is then.
    pub(super) fn wait_for_lease(&mut self, now: Time) {
        self.eager_canvasses = EAGER_CANVASSES;
        self.wait(now);
    }

    /// When to canvass at the earliest: a little after what was granted is over, since others granted the same a moment later.
    pub(super) fn after_lease(&mut self, canvass_at: Time) -> Time {
        let until = self.grants.until();
        if until <= canvass_at {
            return canvass_at;
        }
        until + jitter(&mut self.random, PAUSE_AFTER_LEASE)
    }
}

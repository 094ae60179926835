//! Rules of elections that may be broken on purpose, so that whoever checks them can be seen to notice.

/// Whether a rule is broken. Without the feature `mutations` none ever is, which the compiler knows.
#[cfg(feature = "mutations")]
macro_rules! breaks {
    ($mutation:expr, $rule:ident) => {
        $mutation == Some($crate::Mutation::$rule)
    };
}
#[cfg(not(feature = "mutations"))]
macro_rules! breaks {
    ($mutation:expr, $rule:ident) => {
        false
    };
}

/// A rule of elections that is broken.
#[cfg(feature = "mutations")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutation {
    /// A nomination is taken whenever it comes, also a second time and after a restart.
    NominationTakenTwice,
    /// A silent master is followed by a ballot at once: nobody is asked whether they suspect it too.
    CanvassSkipped,
    /// A promise counts for whatever ballot its proposer is at when it comes.
    PromiseOfAnotherBallotCounts,
    /// What a master sends is accepted, and its term not promised by it.
    AcceptedTermNotPromised,
    /// A voter promises another term although a lease runs that it has granted.
    PromiseDuringGrant,
    /// Whoever was granted a lease before the voter's process was started anew is forgotten.
    GrantForgottenAtRestart,
    /// Any release ends the lease that runs, whosever it was.
    StaleReleaseHonoured,
}

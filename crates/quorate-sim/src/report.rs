use crate::checker::{Rule, Violation};
use crate::profile::Profile;
use crate::trace::Trace;
use crate::world::World;
use crate::{FaultCounts, OutcomeCounts};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

/// What one seed came to.
#[derive(Clone, Debug)]
pub struct Report {
    /// The seed.
    pub seed: u64,
    /// How long the history took in its own time.
    pub simulated: Duration,
    /// What went wrong.
    pub faults: FaultCounts,
    /// What clients were told.
    pub outcomes: OutcomeCounts,
    /// Entries committed.
    pub committed: usize,
    /// Terms that had a master.
    pub masters: usize,
    /// A hash of everything that happened: equal for equal histories.
    pub trace_hash: u64,
    /// What was found broken.
    pub failure: Option<Failure>,
}

/// A history that broke a rule.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Which rule, and how.
    pub violation: Violation,
    /// The last events before.
    pub latest: Vec<String>,
}

/// Plays the ordinary history of a seed; `print` prints every event as it happens.
#[must_use]
pub fn run_seed(seed: u64, print: bool) -> Report {
    run_profile(seed, Profile::drawn(seed), print)
}

/// Plays the history of a seed under a profile.
#[must_use]
pub fn run_profile(seed: u64, profile: Profile, print: bool) -> Report {
    play(seed, profile, if print { Trace::printed() } else { Trace::hashed() }).0
}

/// Plays the history of a seed under a profile and returns every event of it, a line each.
#[must_use]
pub fn trace_of(seed: u64, profile: Profile) -> String {
    play(seed, profile, Trace::kept()).1
}

fn play(seed: u64, profile: Profile, trace: Trace) -> (Report, String) {
    let mut world = World::new(seed, profile, trace);
    let result = catch_unwind(AssertUnwindSafe(|| world.run())).unwrap_or_else(|panic| {
        let words = panic.downcast_ref::<String>().map(String::as_str);
        let words = words.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic without words");
        Rule::NoPanic.broken(words)
    });
    let failure = result.err().map(|violation| Failure { violation, latest: world.trace.latest() });
    let report = Report {
        seed,
        simulated: world.now.since(crate::SimTime::ZERO),
        faults: world.faults,
        outcomes: world.outcomes,
        committed: world.checker.committed(),
        masters: world.checker.masters(),
        trace_hash: world.trace.hash(),
        failure,
    };
    (report, world.trace.text().to_owned())
}

use crate::checker::{Rule, Violation};
use crate::profile::Profile;
use crate::trace::Trace;
use crate::world::World;
use crate::{FaultCounts, Judged, OutcomeCounts, Shortage, Strike};
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook};
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
    /// The faults that struck one by one.
    pub strikes: Vec<Strike>,
    /// How many nodes had to stop for good, having been damaged beyond what they can repair.
    pub retired: u64,
    /// What clients were told.
    pub outcomes: OutcomeCounts,
    /// What of it was judged at the end.
    pub judged: Judged,
    /// Engines that were refused as damaged when they were opened.
    pub engines_refused: u64,
    /// Writes that replicas have passed on to their master.
    pub forwarded: u64,
    /// Entries committed.
    pub committed: usize,
    /// Terms that had a master.
    pub masters: usize,
    /// A hash of everything that happened: equal for equal histories.
    pub trace_hash: u64,
    /// What it should have told of, and did not in all the time that it may take.
    pub lacks: Option<Shortage>,
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

thread_local! {
    /// What the last panic of this thread said, and where.
    static LAST_PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Keeps panics from being printed where they happen: a history that panics reports it as its failure.
pub fn report_panics_quietly() {
    set_hook(Box::new(|panic| LAST_PANIC.set(Some(panic.to_string()))));
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

/// Takes a panic in what is done for what it is: an assertion of the product that does not hold.
pub(crate) fn catching<T>(act: impl FnOnce() -> Result<T, Violation>) -> Result<T, Violation> {
    catch_unwind(AssertUnwindSafe(act)).unwrap_or_else(|panic| {
        let words = LAST_PANIC.take().or_else(|| panic.downcast_ref::<String>().cloned());
        Rule::NoPanic.broken(words.unwrap_or_else(|| "a panic without words".to_owned()))
    })
}

fn play(seed: u64, profile: Profile, trace: Trace) -> (Report, String) {
    let mut world = World::new(seed, profile, trace);
    let result = catching(|| world.run());
    let failure = result.err().map(|violation| Failure { violation, latest: world.trace.latest() });
    let report = Report {
        seed,
        simulated: world.now.since(crate::SimTime::ZERO),
        faults: world.faults,
        strikes: world.strikes,
        retired: world.retired,
        outcomes: world.outcomes,
        judged: world.judged,
        engines_refused: world.engines_refused,
        forwarded: world.forwarded,
        committed: world.checker.committed(),
        masters: world.checker.masters(),
        trace_hash: world.trace.hash(),
        lacks: world.lacks,
        failure,
    };
    (report, world.trace.text().to_owned())
}

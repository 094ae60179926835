//! The checkers notice: rules that are broken on purpose are found broken within a few seeds, and none is where
//! all are kept. `cargo xtask mutants` breaks every rule there is, and hunts for longer.

use quorate_sim::{BrokenRule, Hunt, Profile, hunt, run_profile, run_seed};

/// Rules that are found broken at once, one or more of every place in which they are planted.
const QUICK: [&str; 16] = [
    "promise-not-persisted",
    "state-not-synced",
    "accepted-term-not-promised",
    "sync-skipped",
    "own-copy-counts-unsynced",
    "durable-counts-handed",
    "half-taken-for-majority",
    "stale-acknowledgement-counts",
    "canvass-skipped",
    "promise-of-another-ballot-counts",
    "lease-without-margin",
    "grant-forgotten-at-restart",
    "retry-applied-again",
    "incarnation-ignored",
    "matchpoint-by-position",
    "no-backpressure",
];

#[test]
fn rules_that_are_broken_on_purpose_are_noticed_within_3_seeds() {
    for name in QUICK {
        let broken = BrokenRule::named(name).unwrap();
        let catch = hunt(Hunt { broken, from: 0, seeds_max: 3 });
        assert!(catch.is_some(), "{name} is not noticed");
    }
}

#[test]
fn the_same_kinds_of_history_are_clean_with_every_rule_kept() {
    for name in ["nomination-taken-twice", "half-taken-for-majority", "mark-ignored", "damage-taken-for-end"]
    {
        for seed in 0..3 {
            let mut intact = Profile::hunting(BrokenRule::named(name).unwrap(), seed);
            intact.broken = None;
            let failure = run_profile(seed, intact, false).failure;
            assert!(failure.is_none(), "{name}, seed {seed}: {failure:?}");
        }
    }
}

#[test]
fn ordinary_histories_are_clean_and_full() {
    for seed in 0..6 {
        let report = run_seed(seed, false);
        assert!(report.failure.is_none(), "seed {seed}: {:?}", report.failure);
        assert!(report.simulated.as_secs() >= 120, "seed {seed}");
        assert!(report.outcomes.total() >= 2_000, "seed {seed}: {:?}", report.outcomes);
        assert!(report.faults.total() >= 20, "seed {seed}: {:?}", report.faults);
    }
}

/// In this history a nomination comes so late that a later term has committed more by then.
#[test]
fn a_master_is_owed_only_what_earlier_terms_have_committed() {
    let report = run_seed(165, false);
    assert!(report.failure.is_none(), "{:?}", report.failure);
}

#[test]
fn several_faults_of_one_disk_are_told_apart() {
    for seed in [976, 5202, 5640, 5706, 5739] {
        let report = run_seed(seed, false);
        assert!(report.failure.is_none(), "seed {seed}: {:?}", report.failure);
    }
}

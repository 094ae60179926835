//! The checkers notice: each rule that is broken on purpose is found broken within a few seeds, and none is
//! where all are kept.

use quorate_sim::{BrokenRule, Profile, Rule, run_profile, run_seed};

/// The first seed below `seeds` whose history shows that `rule` is broken, and how it shows.
fn hunt(rule: BrokenRule, seeds: u64) -> Option<Rule> {
    (0..seeds).find_map(|seed| {
        let report = run_profile(seed, Profile::hunting(rule, seed), false);
        report.failure.map(|failure| failure.violation.rule)
    })
}

#[test]
fn a_promise_that_is_not_persisted_is_noticed_within_3_seeds() {
    assert_eq!(hunt(BrokenRule::PromiseNotPersisted, 3), Some(Rule::PromisesSurvive));
}

#[test]
fn an_acknowledgement_before_the_fsync_is_noticed_within_3_seeds() {
    assert_eq!(hunt(BrokenRule::AckBeforeDurable, 3), Some(Rule::NothingCommittedIsLost));
}

#[test]
fn a_nomination_taken_twice_is_noticed_within_30_seeds() {
    assert_eq!(hunt(BrokenRule::NominationTakenTwice, 30), Some(Rule::OneMasterPerTerm));
}

#[test]
fn an_older_terms_entry_committed_by_counting_is_noticed_within_10_seeds() {
    assert!(hunt(BrokenRule::OlderTermCommittedByCounting, 10).is_some());
}

#[test]
fn the_same_kinds_of_history_are_clean_with_every_rule_kept() {
    for rule in BrokenRule::ALL {
        for seed in 0..4 {
            let mut intact = Profile::hunting(rule, seed);
            intact.broken = None;
            let failure = run_profile(seed, intact, false).failure;
            assert!(failure.is_none(), "seed {seed}: {failure:?}");
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

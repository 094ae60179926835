//! A small group, searched to the end; and what happens where a rule is left out.

use quorate_model::{Bounds, Group, Pace, Rule};
use stateright::{Checker, HasDiscoveries, Model};

const SINGLE_STEPS: Bounds = Bounds { nodes: 3, rounds: 1, ballots: Some(2), writes: 1, crashes: 1 };
const STRIDES: Bounds = Bounds { nodes: 3, rounds: 2, ballots: Some(4), writes: 1, crashes: 1 };

fn assert_sound(bounds: Bounds, pace: Pace) {
    let search = Group::new(bounds, pace, None).expect("bounds").checker();
    let search = if pace == Pace::Strides { search.symmetry() } else { search };
    let checker = search.spawn_dfs().join();
    checker.assert_no_discovery("one master per term");
    checker.assert_no_discovery("logs match");
    checker.assert_no_discovery("nothing committed is lost");
    checker.assert_any_discovery("something commits");
    checker.assert_any_discovery("a second master commits");
    assert!(checker.is_done());
}

/// Whether a search for what is broken without the rule finds a loss.
fn loses(bounds: Bounds, pace: Pace, broken: Rule) -> bool {
    let search = Group::new(bounds, pace, Some(broken)).expect("bounds").checker();
    let checker = search.finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join();
    checker.discovery("nothing committed is lost").is_some()
}

#[test]
fn a_group_that_keeps_its_rules_keeps_its_promises_in_single_steps() {
    assert_sound(SINGLE_STEPS, Pace::SingleSteps);
}

#[test]
fn a_group_that_keeps_its_rules_keeps_its_promises_in_strides() {
    assert_sound(STRIDES, Pace::Strides);
}

#[test]
fn promises_that_are_not_kept_lose_what_is_committed() {
    let bounds = Bounds { writes: 0, crashes: 0, ..SINGLE_STEPS };
    assert!(loses(bounds, Pace::SingleSteps, Rule::PromiseKept));
    assert!(loses(STRIDES, Pace::Strides, Rule::PromiseKept));
}

#[test]
fn entries_of_earlier_terms_that_commit_by_counting_are_lost_after_three_more_elections() {
    let bounds = Bounds { writes: 0, crashes: 0, ..STRIDES };
    assert!(loses(bounds, Pace::Strides, Rule::OwnTermCommits));
    let fewer = Bounds { ballots: Some(3), ..bounds };
    assert!(!loses(fewer, Pace::Strides, Rule::OwnTermCommits));
}

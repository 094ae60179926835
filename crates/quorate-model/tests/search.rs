//! A small group, searched to the end; and what happens where a rule is left out.

use quorate_core::{NodeId, Term};
use quorate_model::{Bounds, Group, Rule, State, Step};
use stateright::{Checker, HasDiscoveries, Model};

const SMALL: Bounds = Bounds { nodes: 3, rounds: 1, writes: 0, crashes: 0 };

#[test]
fn a_small_group_that_keeps_its_rules_keeps_its_promises() {
    let checker = Group::new(SMALL, None).checker().spawn_bfs().join();
    checker.assert_no_discovery("one master per term");
    checker.assert_no_discovery("logs match");
    checker.assert_no_discovery("nothing committed is lost");
    checker.assert_any_discovery("something commits");
    checker.assert_any_discovery("a second master commits");
    assert!(checker.is_done());
}

#[test]
fn the_search_finds_what_is_lost_where_promises_are_not_kept() {
    let search = Group::new(SMALL, Some(Rule::PromiseKept)).checker();
    let checker = search.finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join();
    checker.assert_any_discovery("nothing committed is lost");
}

/// Steps of nodes 1 and 2, each elected with the promise of node 3: node 1 leads and is heard by nobody, then
/// node 2, then node 1 again, which hands node 3 its first entry; then node 2 wins again, with the later entry.
#[test]
fn entries_of_earlier_terms_that_commit_by_counting_are_lost() {
    let (one, two, three) = (NodeId::new(1), NodeId::new(2), NodeId::new(3));
    let elected = |node: NodeId, round| {
        let term = Term::new(round, node);
        let voters = 1 << node.as_u16() | 1 << three.as_u16();
        [
            Step::Propose(node),
            Step::Promise(three, term),
            Step::Nominate(node, voters),
            Step::TakeNomination(0),
        ]
    };
    let handed_on = [Step::Append(three, Term::new(2, one)), Step::Commit(one)];
    let steps =
        [&elected(one, 1)[..], &elected(two, 1), &elected(one, 2), &handed_on, &elected(two, 2)].concat();
    let bounds = Bounds { rounds: 2, ..SMALL };
    let (kept, broken) = (Group::new(bounds, None), Group::new(bounds, Some(Rule::OwnTermCommits)));
    let lost = steps.iter().try_fold(State::new(3), |state, step| broken.next_state(&state, *step));
    assert!(lost.is_some_and(|state| !state.masters_hold_what_is_committed()));
    let stopped = steps.iter().position(|step| matches!(step, Step::Commit(_)));
    let before: Vec<Step> = steps.into_iter().take(stopped.unwrap_or(0)).collect();
    let state = before.iter().try_fold(State::new(3), |state, step| kept.next_state(&state, *step));
    assert!(state.is_some_and(|state| kept.next_state(&state, Step::Commit(one)).is_none()));
}

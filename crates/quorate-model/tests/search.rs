//! A small group, searched to the end; and what happens where a rule is left out.

use quorate_model::{Bounds, Group, Rule};
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

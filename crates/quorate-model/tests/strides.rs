//! What strides leave out loses nothing: both ways of searching reach the same.

use quorate_core::{EntryId, NodeId, NodeSet, Term, Vlsn};
use quorate_election::{Promise, choose};
use quorate_model::{Bounds, Group, Outcomes, Pace};

fn assert_strides_reach_what_single_steps_reach(bounds: Bounds) {
    let outcomes = |pace| Outcomes::of(&Group::new(bounds, pace, None).expect("bounds"));
    let (steps, strides) = (outcomes(Pace::SingleSteps), outcomes(Pace::Strides));
    assert!(strides.count() > 5, "there is something to compare");
    assert_eq!(strides.cover(&steps), Ok(()), "strides reach what single steps reach");
    assert_eq!(steps.contain(&strides), Ok(()), "single steps reach what strides reach");
}

#[test]
fn strides_reach_what_single_steps_reach_with_a_write() {
    let bounds = Bounds { nodes: 3, rounds: 2, ballots: Some(2), writes: 1, crashes: 0 };
    assert_strides_reach_what_single_steps_reach(bounds);
}

#[test]
fn strides_reach_what_single_steps_reach_with_crashes() {
    let bounds = Bounds { nodes: 3, rounds: 2, ballots: Some(2), writes: 0, crashes: 1 };
    assert_strides_reach_what_single_steps_reach(bounds);
}

#[test]
fn strides_reach_what_single_steps_reach_with_three_ballots() {
    let bounds = Bounds { nodes: 3, rounds: 3, ballots: Some(3), writes: 0, crashes: 0 };
    assert_strides_reach_what_single_steps_reach(bounds);
}

#[test]
fn whom_three_promises_elect_any_two_elect_that_are_the_winners_and_anothers() {
    let electable: NodeSet = (1..=3).map(NodeId::new).collect();
    let members = Bounds { nodes: 3, rounds: 1, ballots: None, writes: 0, crashes: 0 };
    let group = Group::new(members, Pace::Strides, None).expect("bounds that can be searched");
    let winner =
        |promises: &[Promise]| choose(promises, &electable, group.quorums()).map(|winner| winner.node);
    let kinds: Vec<(u64, bool)> = (0..=4).flat_map(|rank| [(rank, false), (rank, true)]).collect();
    for (first, second, third) in triples(&kinds) {
        let all = [promise(1, first), promise(2, second), promise(3, third)];
        let best = winner(&all).expect("three promises elect somebody");
        for other in (1..=3).map(NodeId::new).filter(|other| *other != best) {
            let pair: Vec<Promise> =
                all.iter().filter(|promise| [best, other].contains(&promise.voter)).cloned().collect();
            assert_eq!(winner(&pair), Some(best), "{pair:?} of {all:?}");
        }
    }
}

fn triples<T: Copy>(values: &[T]) -> impl Iterator<Item = (T, T, T)> + '_ {
    values.iter().flat_map(move |a| values.iter().flat_map(move |b| values.iter().map(move |c| (*a, *b, *c))))
}

/// With a rank of two terms with two entries each, or none.
fn promise(voter: u16, (rank, reaches_write_quorum): (u64, bool)) -> Promise {
    let term = Term::new(rank.div_ceil(2), NodeId::new(1));
    Promise {
        voter: NodeId::new(voter),
        term: Term::new(9, NodeId::new(1)),
        rank: Vlsn::new(rank).map(|vlsn| EntryId { term, vlsn }),
        priority: 1,
        reaches_write_quorum,
        recovering: false,
        damaged: false,
    }
}

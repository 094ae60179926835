//! What strides leave out loses nothing: both ways of searching reach the same.

use quorate_core::{EntryId, NodeId, NodeSet, Term, Vlsn};
use quorate_election::{Promise, choose};
use quorate_model::{Bounds, Group, Log, Pace, State};
use stateright::{Model, Representative};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

/// The nodes' logs, and for each such the longest logs that are committed while they are so.
type Outcomes = BTreeMap<Vec<Log>, BTreeSet<Log>>;

fn assert_strides_reach_what_single_steps_reach(bounds: Bounds) {
    let (steps, strides) = (outcomes(bounds, Pace::SingleSteps), outcomes(bounds, Pace::Strides));
    for (logs, commits) in &steps {
        let in_strides = strides.get(logs).unwrap_or_else(|| panic!("strides do not reach {logs:?}"));
        for committed in commits {
            let covered = in_strides.iter().any(|more| more.starts_with(committed));
            assert!(covered, "strides do not commit {committed:?} with {logs:?}");
        }
    }
    for (logs, commits) in &strides {
        let in_steps = steps.get(logs).unwrap_or_else(|| panic!("only strides reach {logs:?}"));
        assert!(commits.is_subset(in_steps), "only strides commit so much with {logs:?}: {commits:?}");
    }
}

fn outcomes(bounds: Bounds, pace: Pace) -> Outcomes {
    let group = Group::new(bounds, pace, None).expect("bounds that can be searched");
    let mut outcomes = Outcomes::new();
    let mut visited = HashSet::new();
    let mut waiting = group.init_states();
    while let Some(state) = waiting.pop() {
        let (logs, committed) = outcome(&state);
        outcomes.entry(logs).or_default().insert(committed);
        let mut actions = Vec::new();
        group.actions(&state, &mut actions);
        let next = actions.into_iter().filter_map(|action| group.next_state(&state, action));
        waiting.extend(next.filter(|next| visited.insert(fingerprint(next, pace))));
    }
    outcomes
}

fn fingerprint(state: &State, pace: Pace) -> u64 {
    let mut hasher = DefaultHasher::new();
    match pace {
        Pace::SingleSteps => state.hash(&mut hasher),
        Pace::Strides => state.representative().hash(&mut hasher),
    }
    hasher.finish()
}

/// Behind what all logs share, with the terms numbered by their order, whichever node holds which log.
fn outcome(state: &State) -> (Vec<Log>, Log) {
    let first = &state.nodes[0].log;
    let shared = state.nodes.iter().map(|node| node.log.shared(first)).min().unwrap_or(0);
    let logs = state.nodes.iter().map(|node| node.log).chain([state.longest_committed()]);
    let all: Vec<Log> = logs.map(|log| log.behind(shared)).collect();
    let terms: BTreeSet<Term> = all.iter().flat_map(Log::terms).collect();
    let number = |term: Term| Term::new(terms.range(..=term).count() as u64, NodeId::new(1));
    let mut logs: Vec<Log> = all.iter().map(|log| log.terms().map(number).collect()).collect();
    let committed = logs.pop().unwrap_or_default();
    logs.sort_unstable();
    (logs, committed)
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

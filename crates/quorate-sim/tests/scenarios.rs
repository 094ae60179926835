//! Stories of whole groups under clients, every step of them checked.

use quorate_core::{EntryId, NodeId, NodeSet, Term, Vlsn};
use quorate_election::{Candidate, Promise, choose};
use quorate_policy::Quorums;
use quorate_sim::Rehearsal;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// A group that has elected a master and takes writes.
fn serving(seed: u64, nodes: u16) -> Rehearsal {
    let mut group = Rehearsal::begin(seed, nodes).unwrap();
    group.run(5 * SECOND).unwrap();
    assert_eq!(group.masters().len(), 1, "seed {seed}");
    assert!(group.outcomes().done > 0, "seed {seed}");
    group
}

#[test]
fn without_an_election_quorum_there_is_no_master_and_terms_do_not_grow() {
    for (nodes, killed) in [(3, vec![1, 2]), (5, vec![1, 3, 5]), (2, vec![2])] {
        let mut group = serving(1, nodes);
        killed.iter().for_each(|node| group.kill(*node));
        group.run(10 * SECOND).unwrap();
        let round = group.round();
        group.run(600 * SECOND).unwrap();
        assert_eq!(group.masters(), [], "{nodes} nodes without {killed:?}");
        assert_eq!(group.round(), round, "{nodes} nodes without {killed:?}");
        killed.iter().for_each(|node| group.start(*node));
        group.run(10 * SECOND).unwrap();
        assert_eq!(group.masters().len(), 1, "{nodes} nodes with {killed:?} again");
        group.converge().unwrap();
    }
}

#[test]
fn a_group_in_three_parts_without_a_majority_waits_and_a_majority_goes_on() {
    let mut group = serving(2, 5);
    group.part(&[&[1, 2], &[3, 4], &[5]]);
    group.run(20 * SECOND).unwrap();
    let (masters, round) = (group.masters(), group.round());
    group.run(60 * SECOND).unwrap();
    assert_eq!((masters, group.round()), (vec![], round));
    group.heal();
    group.part(&[&[1, 2, 4]]);
    group.run(10 * SECOND).unwrap();
    assert_eq!(group.masters().len(), 1);
    group.converge().unwrap();
}

#[test]
fn duelling_proposers_settle_on_one_master() {
    for seed in 0..12 {
        let mut group = Rehearsal::begin(seed, 5).unwrap();
        group.run(4 * SECOND).unwrap();
        let masters = group.masters();
        assert_eq!(masters.len(), 1, "seed {seed}");
        group.kill(masters[0]);
        group.run(4 * SECOND).unwrap();
        assert_eq!(group.masters().len(), 1, "seed {seed}");
    }
}

#[test]
fn power_loss_of_any_minority_or_of_all_loses_nothing_acknowledged() {
    for nodes in [3_u16, 5] {
        for struck in 1_u16..1 << nodes {
            let struck: Vec<u16> = (1..=nodes).filter(|node| struck >> (node - 1) & 1 == 1).collect();
            if struck.len() > usize::from(nodes) / 2 && struck.len() < usize::from(nodes) {
                continue;
            }
            let mut group = serving(u64::from(nodes), nodes);
            group.lose_power(&struck);
            group.run(2 * SECOND).unwrap();
            struck.iter().for_each(|node| group.start(*node));
            group.run(3 * SECOND).unwrap();
            group.converge().unwrap_or_else(|violation| panic!("power loss of {struck:?}: {violation}"));
        }
    }
}

#[test]
fn a_master_that_dies_is_followed_by_one_with_everything_it_acknowledged() {
    for seed in 0..8 {
        let mut group = serving(seed, 3);
        for _ in 0..3 {
            let master = group.masters()[0];
            group.kill(master);
            group.run(3 * SECOND).unwrap();
            assert_ne!(group.masters(), [], "seed {seed}");
            group.start(master);
            group.run(2 * SECOND).unwrap();
        }
        group.converge().unwrap();
    }
}

/// What a voter holds (as term and position, 0 for nothing), whether it reaches a write quorum, and its
/// priority.
type Voter = (u64, u64, bool, u32);

fn chosen(voters: &[Voter]) -> Option<u16> {
    let members = quorate_sim::script::members(voters.len() as u16);
    let term = Term::new(9, NodeId::new(1));
    let promise = |(number, (round, vlsn, reaches, priority)): (u16, &Voter)| Promise {
        voter: NodeId::new(number),
        term,
        rank: Vlsn::new(*vlsn).map(|vlsn| EntryId { term: Term::new(*round, NodeId::new(1)), vlsn }),
        priority: *priority,
        reaches_write_quorum: *reaches,
        recovering: false,
        damaged: false,
    };
    let promises: Vec<Promise> = (1..).zip(voters).map(promise).collect();
    let electable: NodeSet = members.electable();
    let quorums = Quorums::new(&members).unwrap();
    choose(&promises, &electable, &quorums).map(|Candidate { node, .. }| node.as_u16())
}

#[test]
fn the_better_log_wins_then_who_reaches_a_quorum_then_priority_then_name() {
    let table: [(&str, [Voter; 3], u16); 7] = [
        ("the later term", [(1, 9, true, 9), (2, 3, true, 1), (1, 9, true, 9)], 2),
        ("the longer log", [(2, 3, true, 9), (2, 4, true, 1), (2, 3, true, 9)], 2),
        ("any log before none", [(0, 0, true, 9), (0, 0, true, 9), (1, 1, true, 1)], 3),
        ("who reaches a write quorum", [(2, 4, false, 9), (2, 4, true, 1), (2, 4, false, 9)], 2),
        ("the higher priority", [(2, 4, true, 1), (2, 4, true, 1), (2, 4, true, 2)], 3),
        ("the first name", [(2, 4, true, 2), (2, 4, true, 2), (2, 4, true, 2)], 1),
        ("the log before all else", [(2, 4, true, 9), (2, 4, true, 9), (3, 1, false, 1)], 3),
    ];
    for (what, voters, winner) in table {
        assert_eq!(chosen(&voters), Some(winner), "{what}");
    }
}

//! Stories of whole groups under clients, every step of them checked.

use quorate_core::{EntryId, NodeId, NodeSet, Term, Vlsn};
use quorate_election::{Candidate, Promise, choose};
use quorate_policy::Quorums;
use quorate_sim::{BrokenRule, Rehearsal, Violation};
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

/// A replica loses its power, and with it what it has acknowledged without a sync; the master dies. The third
/// node alone may hold now what two were acknowledged to hold. What the two that are left come to, before the
/// master is back and after.
fn forget_and_go_on(seed: u64, broken: Option<BrokenRule>) -> Result<Vec<u16>, Violation> {
    let mut group = Rehearsal::begin_relaxed(seed, 3, broken)?;
    group.run(5 * SECOND)?;
    let master = group.masters()[0];
    let forgetful = master % 3 + 1;
    group.lose_power(&[forgetful]);
    group.kill(master);
    group.start(forgetful);
    group.run(20 * SECOND)?;
    let without = group.masters();
    group.start(master);
    group.run(10 * SECOND)?;
    assert_eq!(group.masters().len(), 1, "seed {seed}");
    group.converge()?;
    Ok(without)
}

#[test]
fn a_node_that_lost_what_it_acknowledged_does_not_count_until_it_is_refilled() {
    for seed in 0..12 {
        let masters = forget_and_go_on(seed, None);
        assert_eq!(masters, Ok(vec![]), "seed {seed}: one node that counts is no quorum");
    }
}

#[test]
fn a_node_that_counts_although_it_lost_what_it_acknowledged_elects_a_master() {
    let broken = BrokenRule::named("mark-ignored");
    assert!(broken.is_some());
    assert!((0..4).all(|seed| forget_and_go_on(seed, broken) != Ok(vec![])));
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

#[test]
fn a_deposed_master_whose_log_rots_around_the_place_where_it_is_to_be_cut_comes_back() {
    let mut put_off = 0;
    for seed in 0..30 {
        let mut group = serving(seed, 3);
        let old = group.masters()[0];
        let others: Vec<u16> = (1..=3).filter(|node| *node != old).collect();
        group.part(&[&[old], &others]);
        group.run(SECOND / 5).unwrap();
        group.kill(old);
        group.run(3 * SECOND).unwrap();
        for _ in 0..3 {
            group.damage_log(old);
        }
        group.heal();
        group.start(old);
        group.run(5 * SECOND).unwrap_or_else(|violation| panic!("seed {seed}: {violation}"));
        put_off += group.cuts_put_off();
        group.converge().unwrap_or_else(|violation| panic!("seed {seed}: {violation}"));
    }
    assert!(put_off > 0, "no log was damaged where it was to be cut");
}

/// Bits of a replica's engine flip while it is down, after the group has run for so long: how often the engine
/// was refused, and how often the node had to stop for good.
fn engines_rot(span: Duration) -> (u64, u64) {
    let (mut refused, mut stopped) = (0, 0);
    for seed in 0..6 {
        let mut group = Rehearsal::begin_on_redb(seed, 3).unwrap();
        group.run(span).unwrap();
        let Some(master) = group.masters().first().copied() else { continue };
        let replica = master % 3 + 1;
        group.kill(replica);
        group.run(SECOND).unwrap();
        for _ in 0..16 {
            group.damage_engine(replica);
        }
        group.start(replica);
        group.run(5 * SECOND).unwrap();
        assert_eq!(group.masters().len(), 1, "seed {seed}: the others go on");
        refused += group.engines_refused();
        stopped += group.retired();
        group.converge().unwrap_or_else(|violation| panic!("seed {seed}: {violation}"));
    }
    (refused, stopped)
}

#[test]
fn an_engine_that_rots_is_refused_and_filled_again_from_a_log_that_has_everything() {
    let (refused, stopped) = engines_rot(SECOND * 3 / 2);
    assert!(refused > stopped, "{stopped} of {refused} nodes stopped");
}

#[test]
fn an_engine_that_rots_stops_a_node_whose_log_has_been_trimmed_and_the_others_go_on() {
    let (refused, stopped) = engines_rot(15 * SECOND);
    assert!(stopped > 0, "{stopped} of {refused} nodes stopped");
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

//! Which sets of nodes decide, and how far a write quorum has come.
use proptest::prelude::*;
use quorate_core::{Member, MemberList, NodeId, NodeSet, NodeType, QuorumPolicy, QuorumSystem, Vlsn};
use quorate_policy::{
    QuorumError, Quorums, ReplicaAckPolicy, Shortfall, Verdict, ack_verdict, acks_possible, quorum_position,
};

/// Nodes `1..=electable` are electable; `secondaries` more follow them in name order.
fn group(electable: u16, secondaries: u16, quorum: QuorumPolicy) -> MemberList {
    let member = |number: u16| Member {
        id: NodeId::default(),
        name: format!("n{number:03}"),
        address: format!("host{number}:7000"),
        node_type: if number <= electable { NodeType::Electable } else { NodeType::Secondary },
        priority: 1,
    };
    MemberList::found((1..=electable + secondaries).map(member).collect(), quorum).unwrap()
}

fn majority(electable: u16, secondaries: u16) -> Quorums {
    Quorums::new(&group(electable, secondaries, QuorumPolicy::SimpleMajority)).unwrap()
}

fn nodes(numbers: impl IntoIterator<Item = u16>) -> NodeSet {
    numbers.into_iter().map(NodeId::new).collect()
}

/// All sets of nodes `1..=count`.
fn subsets(count: u16) -> Vec<NodeSet> {
    (0..1_u32 << count).map(|bits| nodes((1..=count).filter(|n| bits >> (n - 1) & 1 == 1))).collect()
}

fn meet(a: &NodeSet, b: &NodeSet) -> bool {
    a.iter().any(|node| b.contains(node))
}

/// Whether some set of `a` nodes and some set of `b` nodes, of `count`, have no node in common.
fn some_pair_misses(count: u16, a: usize, b: usize) -> bool {
    let sets = subsets(count);
    let sized = |size: usize| sets.iter().filter(move |set| set.len() == size);
    sized(a).any(|first| sized(b).any(|second| !meet(first, second)))
}

#[test]
fn every_accepted_pair_of_sizes_always_meets_and_every_refused_pair_can_fail() {
    for count in 1..=7 {
        for election in 0..=count + 1 {
            for write in 0..=count + 1 {
                judge(count, election, write);
            }
        }
    }
}

fn judge(count: u16, election: u16, write: u16) {
    let (size_e, size_w, electable) = (election.into(), write.into(), count.into());
    match Quorums::new(&group(count, 0, QuorumPolicy::Flexible { election, write })) {
        Ok(quorums) => assert_all_meet(&quorums, count),
        Err(QuorumError::ElectionSize { size, electable: n }) => {
            assert_eq!((size, n), (size_e, electable));
            assert!(election == 0 || election > count);
        }
        Err(QuorumError::WriteSize { size, electable: n }) => {
            assert_eq!((size, n), (size_w, electable));
            assert!(write == 0 || write > count);
        }
        Err(QuorumError::CanMiss { election: e, write: w, electable: n }) => {
            assert_eq!((e, w, n), (size_e, size_w, electable));
            assert!(some_pair_misses(count, e, w), "{election} + {write} of {count} was refused and is safe");
        }
        Err(other) => panic!("{other}"),
    }
}

fn assert_all_meet(quorums: &Quorums, count: u16) {
    let all = subsets(count);
    let writes: Vec<&NodeSet> = all.iter().filter(|set| quorums.is_write_quorum(set)).collect();
    let mut elections = all.iter().filter(|set| quorums.is_election_quorum(set)).peekable();
    assert!(elections.peek().is_some() && !writes.is_empty(), "both kinds of quorum can be had");
    for election in elections {
        assert!(
            writes.iter().all(|write| meet(election, write)),
            "{election:?} of {quorums:?} can be missed"
        );
    }
}

#[test]
fn a_simple_majority_is_more_than_half_and_always_meets() {
    for count in 1..=7 {
        let quorums = majority(count, 0);
        assert_eq!(
            (quorums.election_size(), quorums.write_size()),
            (usize::from(count) / 2 + 1, usize::from(count) / 2 + 1)
        );
        assert_all_meet(&quorums, count);
    }
}

#[test]
fn secondaries_never_count() {
    let quorums = majority(3, 2);
    assert!(!quorums.is_write_quorum(&nodes([1, 4, 5])));
    assert!(!quorums.is_election_quorum(&nodes([1, 4, 5])));
    assert!(quorums.is_write_quorum(&nodes([1, 2])));
    assert_eq!(quorums.electable(), &nodes([1, 2, 3]));
}

#[test]
fn refused_sizes_say_what_to_do() {
    let refusal = |election, write| {
        Quorums::new(&group(5, 0, QuorumPolicy::Flexible { election, write })).unwrap_err().to_string()
    };
    assert_eq!(
        refusal(3, 2),
        "an election quorum of 3 and a write quorum of 2 can miss each other among 5 electable nodes: \
         make their sum at least 6"
    );
    assert_eq!(refusal(6, 2), "an election quorum of 6 cannot be had from 5 electable nodes: use 1 to 5");
}

#[test]
fn a_commit_is_accepted_only_if_its_acknowledgements_can_be_had() {
    let quorums = majority(5, 1);
    let possible =
        |policy, reachable: &[u16]| acks_possible(policy, &quorums, &nodes(reachable.iter().copied()));
    assert_eq!(possible(ReplicaAckPolicy::SimpleMajority, &[1, 2, 3]), Ok(()));
    assert_eq!(
        possible(ReplicaAckPolicy::SimpleMajority, &[1, 2, 6]),
        Err(Shortfall { needed: 3, available: 2 })
    );
    assert_eq!(possible(ReplicaAckPolicy::All, &[1, 2, 3, 4, 5]), Ok(()));
    assert_eq!(possible(ReplicaAckPolicy::All, &[1, 2, 3, 4, 6]), Err(Shortfall { needed: 5, available: 4 }));
    assert_eq!(possible(ReplicaAckPolicy::None, &[1]), Ok(()));
}

#[test]
fn a_small_write_quorum_is_enough_where_the_group_has_one() {
    let flexible = Quorums::new(&group(5, 0, QuorumPolicy::Flexible { election: 4, write: 2 })).unwrap();
    assert_eq!(acks_possible(ReplicaAckPolicy::SimpleMajority, &flexible, &nodes([1, 5])), Ok(()));
}

#[test]
fn a_caller_is_released_by_what_its_policy_waits_for() {
    use Verdict::{Impossible, Met, Pending};
    let quorums = majority(3, 1);
    let verdict = |policy, held_by: &[u16], commit| {
        ack_verdict(policy, &quorums, &nodes(held_by.iter().copied()), commit)
    };
    for commit in [Pending, Met, Impossible] {
        assert_eq!(verdict(ReplicaAckPolicy::None, &[1], commit), Met);
        assert_eq!(verdict(ReplicaAckPolicy::SimpleMajority, &[1], commit), commit);
        assert_eq!(verdict(ReplicaAckPolicy::All, &[1, 2, 3], commit), commit);
    }
    assert_eq!(verdict(ReplicaAckPolicy::All, &[1, 2, 4], Met), Pending);
    assert_eq!(verdict(ReplicaAckPolicy::All, &[1, 2], Impossible), Impossible);
}

#[test]
fn a_write_quorum_holds_what_its_slowest_member_holds() {
    let quorums = majority(3, 0);
    let position = |held: [u64; 3]| {
        let holds: Vec<_> = (1..).map(NodeId::new).zip(held.map(Vlsn::new)).collect();
        Vlsn::number(quorum_position(&quorums, &holds))
    };
    assert_eq!(position([9, 7, 3]), 7);
    assert_eq!(position([9, 0, 3]), 3);
    assert_eq!(position([9, 0, 0]), 0);
    assert_eq!(quorum_position(&quorums, &[]), None);
}

proptest! {
    #[test]
    fn the_quorum_position_is_the_largest_one_that_a_naive_search_finds(
        electable in 1_u16..8,
        write in 1_u16..8,
        held in proptest::collection::vec(0_u64..12, 10),
    ) {
        let write = write.min(electable);
        let rule = QuorumPolicy::Flexible { election: electable + 1 - write, write };
        let quorums = Quorums::new(&group(electable, 2, rule)).unwrap();
        let holds: Vec<_> = (1..).map(NodeId::new).zip(held.iter().map(|n| Vlsn::new(*n))).collect();
        let naive = (1..12).rev().filter_map(Vlsn::new).find(|vlsn| {
            let holders = holds.iter().filter(|(_, held)| *held >= Some(*vlsn));
            let holders: NodeSet = holders.map(|(node, _)| *node).collect();
            quorums.is_write_quorum(&holders)
        });
        prop_assert_eq!(quorum_position(&quorums, &holds), naive);
    }
}

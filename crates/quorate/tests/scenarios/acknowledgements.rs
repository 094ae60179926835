//! Every policy in every group with every number of nodes down or silent, against a table worked out by
//! hand's rules.

use crate::cluster::{Cluster, LONG, patient};
use quorate::{
    Commit, CommitDurability, CommitExtent, NodeState, Outcome, RepConfigBuilder, ReplicaAckPolicy,
    WriteError,
};
use std::time::Duration;

const POLICIES: [ReplicaAckPolicy; 3] =
    [ReplicaAckPolicy::None, ReplicaAckPolicy::SimpleMajority, ReplicaAckPolicy::All];

/// A master without a majority leads on for longer than its writes wait.
fn settings(config: RepConfigBuilder) -> RepConfigBuilder {
    patient(config).election_timeout(Duration::from_secs(6)).ack_timeout(Duration::from_secs(1))
}

/// How many nodes must hold a write, the master included.
const fn needed(acks: ReplicaAckPolicy, size: usize) -> usize {
    match acks {
        ReplicaAckPolicy::None => 1,
        ReplicaAckPolicy::SimpleMajority => size / 2 + 1,
        ReplicaAckPolicy::All => size,
    }
}

const fn extent(acks: ReplicaAckPolicy) -> CommitExtent {
    match acks {
        ReplicaAckPolicy::None => CommitExtent::Written,
        ReplicaAckPolicy::SimpleMajority | ReplicaAckPolicy::All => CommitExtent::Committed,
    }
}

fn put(cluster: &Cluster, master: usize, acks: ReplicaAckPolicy) -> Commit {
    let durability = CommitDurability { acks, ..CommitDurability::default() };
    cluster.database(master).put_with(b"key", b"value", durability)
}

/// Some nodes are dead and known to be: what cannot be acknowledged is refused before it is written.
fn check_with_dead_nodes(size: usize) {
    let mut cluster = Cluster::running(size, settings);
    let (master, replicas) = cluster.roles();
    for (dead, next) in replicas.iter().copied().map(Some).chain([None]).enumerate() {
        let alive = size - dead;
        cluster.await_fed(master, alive - 1);
        for acks in POLICIES {
            let before = cluster.written(master);
            let outcome = put(&cluster, master, acks).wait();
            let (needed, context) = (needed(acks, size), format!("{acks:?}, {alive} of {size}"));
            if alive >= needed {
                assert_eq!(outcome.expect(&context).extent, extent(acks), "{context}");
            } else {
                let refusal = WriteError::InsufficientReplicas { needed, available: alive };
                assert_eq!(refusal.outcome(), Outcome::NotDone);
                assert_eq!(outcome, Err(refusal), "{context}");
                assert_eq!(cluster.written(master), before, "nothing was written: {context}");
            }
        }
        if let Some(next) = next {
            cluster.kill(next);
            drop(cluster.take(next));
        }
    }
    if size > 1 {
        cluster.node(master).wait_for_state(NodeState::Unknown, LONG).unwrap();
        for acks in POLICIES {
            assert_eq!(put(&cluster, master, acks).wait(), Err(WriteError::NotMaster { master: None }));
        }
    }
}

/// Some nodes fall silent without anybody noticing: what is not acknowledged in time was written, and may
/// be committed yet.
fn check_with_silent_nodes(size: usize) {
    let cluster = Cluster::running(size, settings);
    let (master, replicas) = cluster.roles();
    for (silent, next) in replicas.iter().copied().map(Some).chain([None]).enumerate() {
        let heard = size - silent;
        let writes = POLICIES.map(|acks| (acks, put(&cluster, master, acks)));
        for (acks, write) in writes {
            let (outcome, expected) = (write.wait(), needed(acks, size));
            let context = format!("{acks:?}, {heard} of {size}");
            if heard >= expected {
                assert_eq!(outcome.expect(&context).extent, extent(acks), "{context}");
                continue;
            }
            let error = outcome.expect_err(&context);
            let WriteError::InsufficientAcks { needed, received, token } = error else {
                panic!("{context}: {error}")
            };
            assert_eq!((needed, received), (expected, heard), "{context}");
            assert_eq!(error.outcome(), Outcome::Unknown { token: Some(token) });
            assert!(cluster.written(master) >= Some(token.vlsn), "it was written: {context}");
        }
        if let Some(next) = next {
            cluster.isolate(next);
        }
    }
}

#[test]
fn a_group_of_one_acknowledges_by_itself() {
    check_with_dead_nodes(1);
}

#[test]
fn with_dead_nodes_a_group_of_two_refuses_what_cannot_be_acknowledged() {
    check_with_dead_nodes(2);
}

#[test]
fn with_dead_nodes_a_group_of_three_refuses_what_cannot_be_acknowledged() {
    check_with_dead_nodes(3);
}

#[test]
fn with_dead_nodes_a_group_of_four_refuses_what_cannot_be_acknowledged() {
    check_with_dead_nodes(4);
}

#[test]
fn with_dead_nodes_a_group_of_five_refuses_what_cannot_be_acknowledged() {
    check_with_dead_nodes(5);
}

#[test]
fn with_silent_nodes_a_group_of_two_names_what_was_not_acknowledged_in_time() {
    check_with_silent_nodes(2);
}

#[test]
fn with_silent_nodes_a_group_of_three_names_what_was_not_acknowledged_in_time() {
    check_with_silent_nodes(3);
}

#[test]
fn with_silent_nodes_a_group_of_four_names_what_was_not_acknowledged_in_time() {
    check_with_silent_nodes(4);
}

#[test]
fn with_silent_nodes_a_group_of_five_names_what_was_not_acknowledged_in_time() {
    check_with_silent_nodes(5);
}

//! No read waits past its timeout, whatever it asks for and wherever.

use crate::cluster::{Cluster, LONG, eventually, patient};
use crate::watchdog::Watchdog;
use quorate::{
    CommitToken, ConsistencyPolicy, NodeState, ReadError, RepConfigBuilder, ReplicatedEnvironment,
};
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_millis(200);
/// A hundred times as long as any read here may wait.
const PATIENCE: Duration = Duration::from_secs(20);

fn settings(config: RepConfigBuilder) -> RepConfigBuilder {
    patient(config).election_timeout(Duration::from_secs(3))
}

/// Neither the blocking nor the asynchronous read waits any longer; reads that wait at the same time do not
/// add up.
fn assert_times_out(node: &ReplicatedEnvironment, policy: ConsistencyPolicy) {
    let _watchdog = Watchdog::start(PATIENCE);
    let timed_out = ReadError::TimedOut { timeout: TIMEOUT };
    assert_eq!(node.read(policy).wait().err(), Some(timed_out.clone()));
    let before = node.stats().reads_timed_out;
    let reads: Vec<_> = (0..1000).map(|_| node.read(policy)).collect();
    for read in reads {
        assert_eq!(read.wait().err(), Some(timed_out.clone()));
    }
    assert_eq!(node.stats().reads_timed_out - before, 1000);
}

const LINEARIZABLE: ConsistencyPolicy = ConsistencyPolicy::Linearizable { timeout: TIMEOUT };

const fn seeing(token: CommitToken) -> ConsistencyPolicy {
    ConsistencyPolicy::CommitPointConsistency { token, timeout: TIMEOUT }
}

#[test]
fn a_token_of_the_future_is_waited_for_no_longer_than_asked() {
    let cluster = Cluster::running(3, settings);
    let token = cluster.database(cluster.master()).put(b"key", b"value").wait().unwrap().token;
    let future = CommitToken { vlsn: token.vlsn.advance(1_000_000), ..token };
    for (_, node) in cluster.nodes() {
        assert_times_out(node, seeing(future));
    }
}

#[test]
fn a_linearizable_read_without_a_quorum_ends_in_time_on_the_master_and_on_replicas() {
    let cluster = Cluster::running(3, settings);
    let (master, _) = cluster.roles();
    (0..3).for_each(|index| cluster.isolate(index));
    for (_, node) in cluster.nodes() {
        assert_times_out(node, LINEARIZABLE);
    }
    cluster.node(master).wait_for_state(NodeState::Unknown, LONG).unwrap();
    assert_times_out(cluster.node(master), LINEARIZABLE);
    cluster.heal();
    let policy = ConsistencyPolicy::Linearizable { timeout: LONG };
    cluster.nodes().for_each(|(_, node)| drop(node.read(policy).wait().unwrap()));
}

#[test]
fn a_node_that_never_met_its_group_serves_no_read_that_asks_for_anything() {
    let mut cluster = Cluster::declared(3, settings);
    cluster.start(0);
    let node = cluster.node(0);
    assert_times_out(node, LINEARIZABLE);
    let anything = node.read(ConsistencyPolicy::NoConsistencyRequired).wait().unwrap();
    assert_eq!(anything.position(), None);
    cluster.start(1);
    cluster.start(2);
    eventually("the group is founded", || cluster.status(0).uuid.is_some());
}

#[test]
fn reads_that_wait_are_answered_as_soon_as_they_can_be() {
    let cluster = Cluster::running(3, settings);
    let (_, replicas) = cluster.roles();
    cluster.isolate(replicas[0]);
    let policy = ConsistencyPolicy::Linearizable { timeout: LONG };
    let reads: Vec<_> = (0..100).map(|_| cluster.node(replicas[0]).read(policy)).collect();
    cluster.heal();
    for read in reads {
        assert!(read.wait().unwrap().position().is_some());
    }
}

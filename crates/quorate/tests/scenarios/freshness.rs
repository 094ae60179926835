//! A read that bounds the age of what it sees is served by a node that knows how old that is, and by no
//! other.

use crate::cluster::{Cluster, LONG, patient};
use quorate::{ConsistencyPolicy, ReadError, ReplicatedEnvironment};
use std::time::{Duration, Instant};

const fn within(lag: Duration, timeout: Duration) -> ConsistencyPolicy {
    ConsistencyPolicy::TimeConsistency { lag, timeout }
}

/// How long a read waits that is to wait in vain.
const SHORT: Duration = Duration::from_millis(200);
const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn every_node_shows_what_was_acknowledged_longer_ago_than_the_lag() {
    let cluster = Cluster::running(3, patient);
    let database = cluster.database(cluster.master());
    let lag = Duration::from_millis(20);
    let mut acknowledged = Vec::new();
    for round in 0..100_u8 {
        database.put(b"round", &[round]).wait().unwrap();
        acknowledged.push(Instant::now());
        for (index, _) in cluster.nodes() {
            let began = Instant::now();
            let value = cluster.database(index).get(b"round", within(lag, LONG)).unwrap();
            let shown = value.map_or(0, |value| usize::from(value[0]) + 1);
            let due = acknowledged.iter().filter(|at| began.duration_since(**at) >= lag).count();
            assert!(shown >= due, "{shown} rounds are shown, {due} were acknowledged long ago");
        }
    }
    assert!(cluster.nodes().all(|(_, node)| node.stats().reads_time == 100));
}

#[test]
fn no_lag_shows_whatever_was_acknowledged_before() {
    let cluster = Cluster::running(3, patient);
    let database = cluster.database(cluster.master());
    for round in 0..20_u8 {
        database.put(b"round", &[round]).wait().unwrap();
        for (index, _) in cluster.nodes() {
            let value = cluster.database(index).get(b"round", within(Duration::ZERO, LONG)).unwrap();
            assert_eq!(value.as_deref(), Some(&[round][..]));
        }
    }
}

#[test]
fn a_replica_that_was_cut_off_serves_what_it_knows_to_be_recent_enough_and_nothing_else() {
    let cluster = Cluster::running(3, patient);
    let (master, replicas) = cluster.roles();
    let database = cluster.database(master);
    let token = database.put(b"key", b"value").wait().unwrap().token;
    let replica = cluster.node(replicas[0]);
    let before = replica.read(within(HOUR, LONG)).wait().unwrap();
    assert!(before.position().is_some_and(|position| position.vlsn >= token.vlsn));
    cluster.isolate(replicas[0]);
    assert_too_old(replica, Duration::from_nanos(1));
    assert_too_old(replica, Duration::ZERO);
    replica.read(within(HOUR, SHORT)).wait().unwrap();
    let newer = database.put(b"key", b"newer").wait().unwrap().token;
    let old = replica.read(within(HOUR, SHORT)).wait().unwrap();
    assert!(old.position().is_some_and(|position| position.vlsn < newer.vlsn), "an hour is long enough");
    cluster.heal();
    let value = cluster.database(replicas[0]).get(b"key", within(Duration::ZERO, LONG)).unwrap();
    assert_eq!(value.as_deref(), Some(&b"newer"[..]));
}

#[test]
fn a_node_that_never_heard_from_a_master_knows_nothing_to_be_recent() {
    let mut cluster = Cluster::declared(3, patient);
    cluster.start(0);
    assert_too_old(cluster.node(0), HOUR);
}

#[test]
fn a_master_without_a_quorum_cannot_tell_how_old_it_is() {
    let cluster = Cluster::running(3, patient);
    let (master, _) = cluster.roles();
    cluster.node(master).read(within(LONG, LONG)).wait().unwrap();
    (0..3).for_each(|index| cluster.isolate(index));
    assert_too_old(cluster.node(master), Duration::from_nanos(1));
    cluster.node(master).read(within(HOUR, SHORT)).wait().unwrap();
}

fn assert_too_old(node: &ReplicatedEnvironment, lag: Duration) {
    let refused = node.read(within(lag, SHORT)).wait().err();
    assert_eq!(refused, Some(ReadError::TimedOut { timeout: SHORT }));
}

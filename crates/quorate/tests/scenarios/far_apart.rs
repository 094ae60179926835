//! Nodes far apart, with the times of nodes that are not.

use crate::cluster::{Cluster, LONG, eventually, node_id, seeing};
use quorate::{ConsistencyPolicy, RepConfigBuilder};
use std::time::Duration;

/// Three times as long as heartbeats follow each other by default.
const ROUND_TRIP: Duration = Duration::from_millis(300);

fn settings(config: RepConfigBuilder) -> RepConfigBuilder {
    config.ack_timeout(LONG)
}

#[test]
fn a_group_whose_nodes_are_far_apart_elects_commits_reads_and_replaces_its_master() {
    let mut cluster = Cluster::declared(3, settings);
    for (from, to) in (0..3).flat_map(|from| (0..3).map(move |to| (from, to))) {
        cluster.network().set_delay(node_id(from), node_id(to), ROUND_TRIP / 2);
    }
    (0..3).for_each(|index| cluster.start(index));
    let (master, replicas) = cluster.roles();
    let token = cluster.database(master).put(b"key", b"value").wait().unwrap().token;
    let fresh = ConsistencyPolicy::TimeConsistency { lag: ROUND_TRIP * 10, timeout: LONG };
    for index in &replicas {
        assert!(cluster.node(*index).read(fresh).wait().unwrap().position().is_some());
    }
    for index in [master, replicas[0], replicas[1]] {
        cluster.node(index).read(seeing(token)).wait().unwrap();
        eventually("every node knows how far the others are", || {
            cluster.status(index).round_trip >= Some(ROUND_TRIP)
        });
    }
    cluster.kill(master);
    drop(cluster.take(master));
    let next = cluster.master_of(&replicas);
    assert_eq!(cluster.database(next).get(b"key", seeing(token)).unwrap().as_deref(), Some(&b"value"[..]));
    cluster.database(next).put(b"key", b"another").wait().unwrap();
}

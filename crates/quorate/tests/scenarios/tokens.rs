//! Whoever holds the token of a write can read it anywhere.

use crate::cluster::{Cluster, patient, seeing};
use crate::load::key;
use quorate::{CommitDurability, ConsistencyPolicy, RepConfigBuilder, ReplicaAckPolicy, SyncPolicy};
use std::thread;

const ROUNDS: u64 = 3000;

fn relaxed(config: RepConfigBuilder) -> RepConfigBuilder {
    let sync = SyncPolicy::WriteNoSync;
    patient(config).durability(CommitDurability {
        local: sync,
        replica: sync,
        acks: ReplicaAckPolicy::SimpleMajority,
    })
}

#[test]
fn a_write_is_read_with_its_token_on_every_node_thousands_of_times() {
    let cluster = Cluster::running(3, relaxed);
    let databases: Vec<_> = cluster.nodes().map(|(index, _)| cluster.database(index)).collect();
    let writer = &databases[cluster.master()];
    for round in 0..ROUNDS {
        let token = writer.put(b"key", &key(round)).wait().unwrap().token;
        for database in &databases {
            let found = database.get(b"key", seeing(token)).unwrap();
            assert_eq!(found.as_deref(), Some(&key(round)[..]));
        }
    }
    let reads: u64 = cluster.nodes().map(|(_, node)| node.stats().reads_commit_point).sum();
    assert_eq!(reads, 3 * ROUNDS);
}

#[test]
fn a_token_asked_for_before_its_write_is_acknowledged_is_waited_for() {
    let cluster = Cluster::running(3, relaxed);
    let (master, replicas) = cluster.roles();
    let database = cluster.database(master);
    let no_acks = CommitDurability { acks: ReplicaAckPolicy::None, ..CommitDurability::default() };
    for round in 0..300 {
        let token = database.put_with(b"key", &key(round), no_acks).wait().unwrap().token;
        thread::scope(|scope| {
            for index in &replicas {
                let replica = cluster.database(*index);
                scope.spawn(move || {
                    let found = replica.get(b"key", seeing(token)).unwrap();
                    assert_eq!(found.as_deref(), Some(&key(round)[..]));
                });
            }
        });
    }
}

#[test]
fn a_snapshot_taken_with_a_token_stands_at_or_behind_it_and_does_not_move() {
    let cluster = Cluster::running(3, relaxed);
    let (master, replicas) = cluster.roles();
    let database = cluster.database(master);
    let first = database.put(b"key", b"first").wait().unwrap().token;
    let replica = cluster.node(replicas[0]);
    let snapshot = replica.read(seeing(first)).wait().unwrap();
    let second = database.put(b"key", b"second").wait().unwrap().token;
    replica.read(seeing(second)).wait().unwrap();
    assert_eq!(snapshot.position(), Some(first.id()));
    assert_eq!(snapshot.get_bytes(&database, b"key").unwrap().as_deref(), Some(&b"first"[..]));
    let now = replica.read(ConsistencyPolicy::NoConsistencyRequired).wait().unwrap();
    assert_eq!(now.position(), Some(second.id()));
}

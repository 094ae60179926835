//! Entries arrive in order, each once, and not more often than needed.

use crate::cluster::{Cluster, LONG, eventually, patient};
use crate::load::{Pipeline, fill, key, value};
use quorate::{CommitDurability, ConsistencyPolicy, RepConfigBuilder, ReplicaAckPolicy, SyncPolicy};

const RELAXED: CommitDurability = CommitDurability {
    local: SyncPolicy::NoSync,
    replica: SyncPolicy::NoSync,
    acks: ReplicaAckPolicy::SimpleMajority,
};

fn relaxed(config: RepConfigBuilder) -> RepConfigBuilder {
    patient(config).durability(RELAXED)
}

/// Writes so many entries, and checks that every node has them all.
fn deliver(mut cluster: Cluster, count: u64) {
    let (master, _) = cluster.roles();
    let database = cluster.database(master);
    let mut pipeline = Pipeline::new(20_000);
    let mut tokens = Vec::with_capacity(count as usize);
    for number in 0..count {
        tokens
            .extend(pipeline.push(database.put(&key(number), &key(!number))).map(|done| done.unwrap().token));
    }
    tokens.extend(pipeline.finish().map(|done| done.unwrap().token));
    drop(database);
    let first = tokens[0];
    for (token, offset) in tokens.iter().zip(0..) {
        assert_eq!((token.term, token.vlsn), (first.term, first.vlsn.advance(offset)), "in order, each once");
    }
    let last = *tokens.last().unwrap();
    for (index, _) in cluster.nodes() {
        cluster.await_applied(index, last);
        let mut rows = cluster.database(index).scan(.., None).unwrap();
        for number in 0..count {
            let (found, value) = rows.next().unwrap().unwrap();
            assert_eq!((&found[..], &value[..]), (&key(number)[..], &key(!number)[..]));
        }
        assert!(rows.next().is_none());
    }
    let log = cluster.stop_and_compare_logs();
    let mut numbers = 0..count;
    for (id, found, _) in log.puts() {
        let number = numbers.next().unwrap();
        assert_eq!(found, key(number), "in the order of the calls");
        assert_eq!(id, tokens[number as usize].id());
    }
    assert_eq!(numbers.next(), None);
}

#[test]
fn a_million_entries_arrive_in_order_each_once_and_byte_identical_on_every_node() {
    deliver(Cluster::running(3, relaxed), 1_000_000);
}

#[test]
fn synced_entries_arrive_in_order_each_once_and_byte_identical_on_every_node() {
    deliver(Cluster::running(3, patient), 50_000);
}

#[test]
fn after_a_break_only_the_missing_suffix_is_sent() {
    let mut cluster = Cluster::running(3, patient);
    let (master, replicas) = cluster.roles();
    let cut = replicas[0];
    let database = cluster.database(master);
    let before = fill(&database, 0..3000, |number| value(number, 100));
    cluster.nodes().for_each(|(index, _)| cluster.await_applied(index, before));
    cluster.isolate(cut);
    let held = cluster.written(cut);
    let last = fill(&database, 3000..5000, |number| value(number, 100));
    drop(database);
    cluster.await_applied(replicas[1], last);
    eventually("nothing is on its way to the other replica", || {
        cluster.replica_status(master, replicas[1]).in_flight_bytes == 0
    });
    let fed = cluster.node(master).stats().protocol;
    let received = cluster.node(cut).stats().protocol;
    cluster.heal();
    cluster.await_applied(cut, last);
    let fed_since = cluster.node(master).stats().protocol.bytes_fed - fed.bytes_fed;
    let received_since = cluster.node(cut).stats().protocol.bytes_received - received.bytes_received;
    let entries_since = cluster.node(cut).stats().protocol.entries_received - received.entries_received;
    assert_eq!(cluster.master(), master);
    let missing = cluster.stop_and_compare_logs().bytes_behind(held) as u64;
    assert_eq!((fed_since, received_since), (missing, missing), "sent and received are what was missing");
    assert_eq!(entries_since, 2000);
    assert_eq!(held, Some(before.vlsn));
}

#[test]
fn a_linearizable_read_anywhere_sees_the_last_of_many_writes() {
    let cluster = Cluster::running(3, relaxed);
    let database = cluster.database(cluster.master());
    for round in 0..20 {
        fill(&database, round * 500..(round + 1) * 500, |number| value(number, 8));
        for (index, _) in cluster.nodes() {
            let policy = ConsistencyPolicy::Linearizable { timeout: LONG };
            let newest = key((round + 1) * 500 - 1);
            assert!(cluster.database(index).get(&newest, policy).unwrap().is_some());
        }
    }
}

//! A write on a replica is the master's to decide, and what became of it is told on the replica as truly as
//! on the master.

use crate::cluster::{Cluster, LONG, eventually, nimble, patient};
use quorate::{
    Commit, CommitDurability, CommitExtent, DatabaseId, NodeState, Outcome, RepConfigBuilder,
    ReplicaAckPolicy, WriteBatch, WriteError,
};
use std::thread;
use std::time::Duration;

fn with(acks: ReplicaAckPolicy) -> CommitDurability {
    CommitDurability { acks, ..CommitDurability::default() }
}

fn small_values(config: RepConfigBuilder) -> RepConfigBuilder {
    patient(config).value_bytes_max(1 << 20)
}

fn impatient(config: RepConfigBuilder) -> RepConfigBuilder {
    patient(config).ack_timeout(Duration::from_secs(1))
}

#[test]
fn a_write_on_any_node_is_committed_and_read_there_at_once() {
    let cluster = Cluster::running(3, patient);
    let (_, replicas) = cluster.roles();
    for round in 0..50_u8 {
        for (index, _) in cluster.nodes() {
            let database = cluster.database(index);
            let value = [round, index as u8];
            let committed = database.put(b"key", &value).wait().unwrap();
            assert_eq!(committed.extent, CommitExtent::Committed);
            assert_eq!(database.get(b"key", None).unwrap().as_deref(), Some(&value[..]));
        }
    }
    let database = cluster.database(replicas[0]);
    database.delete(b"key").wait().unwrap();
    assert_eq!(database.get(b"key", None).unwrap(), None);
    assert_eq!(cluster.node(replicas[0]).stats().writes_forwarded, 51);
}

#[test]
fn a_database_is_made_through_a_replica() {
    let cluster = Cluster::running(3, patient);
    let (_, replicas) = cluster.roles();
    let orders = cluster.node(replicas[0]).create_database("orders").wait().unwrap();
    orders.put(b"key", b"value").wait().unwrap();
    assert_eq!(orders.get(b"key", None).unwrap().as_deref(), Some(&b"value"[..]));
    let again = cluster.node(replicas[1]).create_database("orders").wait().unwrap();
    assert_eq!(again.id(), orders.id());
}

#[test]
fn a_database_that_the_lost_master_was_asked_for_is_made_by_the_next_one() {
    let cluster = Cluster::running(3, patient);
    let (master, replicas) = cluster.roles();
    let (asked, other) = (cluster.node(replicas[0]), replicas[1]);
    cut(&cluster, master, other);
    cut(&cluster, master, replicas[0]);
    thread::scope(|scope| {
        let opened = scope.spawn(|| asked.bytes("orders").unwrap());
        eventually("the master was asked", || asked.stats().writes_forwarded == 1);
        cluster.kill(master);
        let orders = opened.join().unwrap();
        orders.put(b"key", b"value").wait().unwrap();
        assert_eq!(cluster.node(other).bytes("orders").unwrap().id(), orders.id());
    });
}

#[test]
fn writes_that_are_not_waited_for_one_by_one_keep_their_order() {
    let cluster = Cluster::running(3, patient);
    let (_, replicas) = cluster.roles();
    let database = cluster.database(replicas[0]);
    let value = |number: u16| [number.to_be_bytes().as_slice(), &[7; 4_000]].concat();
    let writes: Vec<Commit> = (0..10_000).map(|number| database.put(b"key", &value(number))).collect();
    let tokens: Vec<_> = writes.into_iter().map(|write| write.wait().unwrap().token.vlsn).collect();
    assert!(tokens.is_sorted());
    assert_eq!(database.get(b"key", None).unwrap().as_deref(), Some(&value(9_999)[..]));
}

#[test]
fn what_the_master_says_of_a_write_is_told_as_it_is() {
    let mut cluster = Cluster::running(3, patient);
    let (master, replicas) = cluster.roles();
    let database = cluster.database(replicas[0]);
    let mut batch = WriteBatch::new();
    batch.put(DatabaseId::new(77), b"key", b"value");
    let unknown = cluster.node(replicas[0]).write(&batch, None).wait();
    assert_eq!(unknown, Err(WriteError::UnknownDatabase { database: DatabaseId::new(77) }));
    let written = database.put_with(b"key", b"value", with(ReplicaAckPolicy::None)).wait().unwrap();
    assert_eq!(written.extent, CommitExtent::Written);
    database.put_with(b"key", b"value", with(ReplicaAckPolicy::All)).wait().unwrap();
    cluster.stop(replicas[1]);
    cluster.await_fed(master, 1);
    let refused = database.put_with(b"key", b"value", with(ReplicaAckPolicy::All)).wait();
    assert_eq!(refused, Err(WriteError::InsufficientReplicas { needed: 3, available: 2 }));
}

#[test]
fn acknowledgements_that_the_master_misses_are_told_with_the_writes_name() {
    let cluster = Cluster::running(3, impatient);
    let (master, replicas) = cluster.roles();
    cut(&cluster, master, replicas[1]);
    let database = cluster.database(replicas[0]);
    let missing = database.put_with(b"key", b"value", with(ReplicaAckPolicy::All)).wait();
    let Err(WriteError::InsufficientAcks { needed: 3, received: 2, token }) = missing else {
        panic!("{missing:?}")
    };
    cluster.await_applied(replicas[0], token);
}

#[test]
fn what_is_too_long_is_refused_before_it_is_sent() {
    let cluster = Cluster::running(3, small_values);
    let (_, replicas) = cluster.roles();
    let (bytes, limit) = ((1 << 20) + 1, 1 << 20);
    let refused = cluster.database(replicas[0]).put(b"key", &vec![0; bytes]).wait();
    assert_eq!(refused, Err(WriteError::ValueTooLong { bytes, limit }));
    assert_eq!(cluster.node(replicas[0]).stats().writes_forwarded, 0);
}

#[test]
fn a_write_whose_master_dies_before_it_answers_is_unknown() {
    let cluster = Cluster::running(3, patient);
    let (master, replicas) = cluster.roles();
    cut(&cluster, master, replicas[1]);
    let before = cluster.written(master);
    let write = cluster.database(replicas[0]).put_with(b"key", b"value", with(ReplicaAckPolicy::All));
    eventually("the master has written it", || cluster.written(master) > before);
    cluster.kill(master);
    let error = write.wait().unwrap_err();
    assert_eq!(error, WriteError::Interrupted { token: None });
    assert_eq!(error.outcome(), Outcome::Unknown { token: None });
}

#[test]
fn a_write_on_a_replica_that_was_cut_off_is_unknown_when_its_time_is_over() {
    let cluster = Cluster::running(3, impatient);
    let (_, replicas) = cluster.roles();
    cluster.isolate(replicas[0]);
    let error = cluster.database(replicas[0]).put(b"key", b"value").wait().unwrap_err();
    assert_eq!(error.outcome(), Outcome::Unknown { token: None });
}

#[test]
fn writes_under_way_on_a_replica_that_is_closed_are_unknown() {
    let mut cluster = Cluster::running(3, patient);
    let (_, replicas) = cluster.roles();
    cluster.isolate(replicas[0]);
    let write = cluster.database(replicas[0]).put(b"key", b"value");
    eventually("it was sent", || cluster.node(replicas[0]).stats().writes_forwarded == 1);
    cluster.take(replicas[0]).close().unwrap();
    assert_eq!(write.wait().unwrap_err().outcome(), Outcome::Unknown { token: None });
}

#[test]
fn after_a_failover_writes_go_to_the_new_master() {
    let mut cluster = Cluster::running(3, nimble);
    let (master, replicas) = cluster.roles();
    let databases = replicas.iter().map(|index| cluster.database(*index)).collect::<Vec<_>>();
    cluster.kill(master);
    drop(cluster.take(master));
    cluster.master();
    for database in &databases {
        database.put(b"key", b"value").wait().unwrap();
        assert_eq!(database.get(b"key", None).unwrap().as_deref(), Some(&b"value"[..]));
    }
    assert_eq!(cluster.nodes().map(|(_, node)| node.stats().writes_forwarded).sum::<u64>(), 1);
}

#[test]
fn a_group_takes_writes_on_every_node_as_soon_as_that_knows_a_master() {
    let mut cluster = Cluster::declared(3, patient);
    (0..3).for_each(|index| cluster.start(index));
    for (index, node) in cluster.nodes() {
        node.wait_for_master(LONG).unwrap();
        if node.state() == NodeState::Replica {
            cluster.database(index).put(b"key", b"value").wait().unwrap();
        }
    }
}

fn cut(cluster: &Cluster, a: usize, b: usize) {
    cluster.network().partition(crate::cluster::node_id(a), crate::cluster::node_id(b));
}

//! Links that carry packets one way only: a master that can lead goes on, one that cannot is replaced once,
//! and nobody's term grows after that.

use crate::cluster::{Cluster, eventually, nimble, node_id};
use quorate::Term;

/// Waits until the node at `index` has looked for a master many times, and been told every time that there is
/// one.
fn await_canvasses(cluster: &Cluster, index: usize) {
    let canvasses = || cluster.node(index).stats().protocol.canvasses;
    let before = canvasses();
    eventually("it has asked the others many times", || canvasses() > before + 4);
}

/// Waits until a replica has heard so many heartbeats that any other change would have come about.
fn await_heartbeats(cluster: &Cluster, index: usize) {
    let heard = || cluster.node(index).stats().protocol.heartbeats_received;
    let before = heard();
    eventually("it has heard the master many times", || heard() > before + 60);
}

fn put(cluster: &Cluster, master: usize) {
    cluster.database(master).put(b"key", b"value").wait().unwrap();
}

/// Nothing has changed since: the same master leads in the same term, and has not ceased to in between.
fn assert_steady(cluster: &Cluster, master: usize, term: Term, wins: u64) {
    put(cluster, master);
    assert_eq!(cluster.status(master).term, term);
    assert_eq!(cluster.node(master).stats().protocol.wins, wins);
}

fn standing(cluster: &Cluster, master: usize) -> (Term, u64) {
    (cluster.status(master).term, cluster.node(master).stats().protocol.wins)
}

#[test]
fn a_replica_that_does_not_hear_the_master_does_not_disturb_it() {
    let cluster = Cluster::running(3, nimble);
    let (master, replicas) = cluster.roles();
    let (term, wins) = standing(&cluster, master);
    cluster.network().partition_one_way(node_id(master), node_id(replicas[0]));
    await_canvasses(&cluster, replicas[0]);
    assert_steady(&cluster, master, term, wins);
    cluster.heal();
    assert_eq!(cluster.master(), master);
    assert_steady(&cluster, master, term, wins);
}

#[test]
fn a_replica_that_the_master_does_not_hear_does_not_disturb_it() {
    let cluster = Cluster::running(3, nimble);
    let (master, replicas) = cluster.roles();
    let (term, wins) = standing(&cluster, master);
    cluster.network().partition_one_way(node_id(replicas[0]), node_id(master));
    await_heartbeats(&cluster, replicas[1]);
    assert_steady(&cluster, master, term, wins);
    cluster.heal();
    assert_eq!(cluster.master(), master);
    assert_steady(&cluster, master, term, wins);
}

#[test]
fn a_master_that_is_not_heard_is_replaced_once() {
    let cluster = Cluster::running(3, nimble);
    let (old, others) = cluster.roles();
    others.iter().for_each(|other| cluster.network().partition_one_way(node_id(old), node_id(*other)));
    assert_replaced_once(&cluster, old, &others);
}

#[test]
fn a_master_that_hears_nobody_is_replaced_once() {
    let cluster = Cluster::running(3, nimble);
    let (old, others) = cluster.roles();
    others.iter().for_each(|other| cluster.network().partition_one_way(node_id(*other), node_id(old)));
    assert_replaced_once(&cluster, old, &others);
}

fn assert_replaced_once(cluster: &Cluster, old: usize, others: &[usize]) {
    let master = cluster.master_of(others);
    put(cluster, master);
    eventually("the old master has stepped down", || cluster.status(old).state != quorate::NodeState::Master);
    let replica = if others[0] == master { others[1] } else { others[0] };
    let (term, wins) = standing(cluster, master);
    await_heartbeats(cluster, replica);
    assert_steady(cluster, master, term, wins);
    assert_eq!(cluster.node(old).stats().protocol.step_downs, 1);
    cluster.heal();
    assert_eq!(cluster.master(), master);
    assert_steady(cluster, master, term, wins);
}

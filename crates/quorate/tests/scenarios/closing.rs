//! An environment ends from any thread at any time, and nobody is left waiting.

use crate::cluster::{Cluster, LONG, eventually, patient};
use crate::load::key;
use crate::watchdog::Watchdog;
use quorate::{
    BytesDatabase, Commit, CommitToken, ConsistencyPolicy, NodeState, Outcome, ReadError,
    ReplicatedEnvironment, StateChangeEvent, WriteError,
};
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

const PATIENCE: Duration = Duration::from_secs(30);

/// A master whose writes stay under way: nobody acknowledges them.
fn silent_group() -> (Cluster, usize) {
    let cluster = Cluster::running(3, patient);
    let (master, _) = cluster.roles();
    (0..3).for_each(|index| cluster.isolate(index));
    (cluster, master)
}

/// Begins writes and waits until the master has taken them.
fn begin_writes(node: &ReplicatedEnvironment, database: &BytesDatabase, count: u64) -> Vec<Commit> {
    let before = node.stats().protocol.entries_proposed;
    let writes = (0..count).map(|number| database.put(&key(number), b"value")).collect();
    eventually("the writes are under way", || node.stats().protocol.entries_proposed - before == count);
    writes
}

/// The token that an interrupted write can be asked for with.
fn interrupted(outcome: Result<quorate::Committed, WriteError>) -> CommitToken {
    let error = outcome.expect_err("nobody has acknowledged it");
    let WriteError::Interrupted { token: Some(token) } = error else { panic!("{error}") };
    assert_eq!(error.outcome(), Outcome::Unknown { token: Some(token) });
    token
}

#[test]
fn closing_names_every_write_under_way_and_refuses_the_next() {
    let (mut cluster, master) = silent_group();
    let node = cluster.take(master);
    let database = node.bytes("default").unwrap();
    let writes = begin_writes(&node, &database, 500);
    let read = node.read(ConsistencyPolicy::Linearizable { timeout: LONG });
    let _watchdog = Watchdog::start(PATIENCE);
    thread::scope(|scope| drop(scope.spawn(|| node.close().unwrap())));
    let tokens: HashSet<_> = writes.into_iter().map(|write| interrupted(write.wait()).vlsn).collect();
    assert_eq!(tokens.len(), 500);
    assert_eq!(read.wait().err(), Some(ReadError::Closed));
    assert_eq!(database.put(b"key", b"value").wait(), Err(WriteError::Closed));
    assert_eq!(node.state(), NodeState::Detached);
}

#[test]
fn closing_under_load_answers_every_writer() {
    let mut cluster = Cluster::running(3, patient);
    let (master, _) = cluster.roles();
    let node = cluster.take(master);
    let database = node.bytes("default").unwrap();
    let _watchdog = Watchdog::start(PATIENCE);
    thread::scope(|scope| {
        let write = || {
            let mut count = 0_u64;
            loop {
                let writes: Vec<_> = (0..50).map(|number| database.put(&key(number), b"value")).collect();
                for write in writes {
                    match write.wait() {
                        Ok(_) => count += 1,
                        Err(WriteError::Closed | WriteError::Interrupted { .. }) => return count,
                        Err(error) => panic!("{error}"),
                    }
                }
            }
        };
        let writers: Vec<_> = (0..4).map(|_| scope.spawn(write)).collect();
        eventually("writes are acknowledged", || node.stats().commits > 2000);
        let closers: Vec<_> = (0..4).map(|_| scope.spawn(|| node.close().unwrap())).collect();
        closers.into_iter().for_each(|closer| closer.join().unwrap());
        let counts: Vec<_> = writers.into_iter().map(|writer| writer.join().unwrap()).collect();
        assert_eq!(
            counts.iter().sum::<u64>(),
            node.stats().commits,
            "each writer heard of each of its writes"
        );
    });
}

fn runtimes() -> [Runtime; 2] {
    [
        Builder::new_current_thread().build().unwrap(),
        Builder::new_multi_thread().worker_threads(2).build().unwrap(),
    ]
}

#[test]
fn dropping_within_a_runtime_ends_and_answers_the_tasks_that_wait() {
    for runtime in runtimes() {
        let (mut cluster, master) = silent_group();
        let node = cluster.take(master);
        let _watchdog = Watchdog::start(PATIENCE);
        runtime.block_on(async move {
            let database = node.bytes("default").unwrap();
            let writes = begin_writes(&node, &database, 100);
            let tasks: Vec<_> = writes.into_iter().map(|write| tokio::spawn(write)).collect();
            let read = tokio::spawn(node.read(ConsistencyPolicy::Linearizable { timeout: LONG }));
            tokio::task::yield_now().await;
            tokio::spawn(async move { drop(node) }).await.unwrap();
            for task in tasks {
                interrupted(task.await.unwrap());
            }
            assert_eq!(read.await.unwrap().err(), Some(ReadError::Closed));
            assert_eq!(database.put(b"key", b"value").await, Err(WriteError::Closed));
        });
    }
}

#[test]
fn a_listener_may_close_its_own_environment() {
    let mut cluster = Cluster::running(1, patient);
    let node = Arc::new(cluster.take(0));
    let _watchdog = Watchdog::start(PATIENCE);
    let (sender, heard) = mpsc::channel();
    let (held, has_closed) = (Arc::downgrade(&node), AtomicBool::new(false));
    node.add_listener(move |event: &StateChangeEvent| {
        sender.send(event.state).unwrap();
        if let Some(node) = held.upgrade().filter(|_| !has_closed.swap(true, Ordering::Relaxed)) {
            node.close().unwrap();
        }
    });
    assert_eq!(heard.iter().collect::<Vec<_>>(), [NodeState::Master, NodeState::Detached]);
    drop(node);
    cluster.start(0);
    cluster.node(0).wait_for_state(NodeState::Master, LONG).unwrap();
}

#[test]
fn a_closed_node_lets_go_of_its_directory_at_once() {
    let mut cluster = Cluster::running(1, patient);
    let mut count = 0;
    for _ in 0..5 {
        cluster.node(0).wait_for_state(NodeState::Master, LONG).unwrap();
        let database = cluster.database(0);
        let writes: Vec<_> =
            (0..100).map(|number| database.put(&key(count * 100 + number), b"value")).collect();
        writes.into_iter().for_each(|write| drop(write.wait().unwrap()));
        count += 1;
        drop(cluster.take(0));
        cluster.start(0);
    }
    cluster.node(0).wait_for_state(NodeState::Master, LONG).unwrap();
    assert_eq!(cluster.database(0).scan(.., None).unwrap().count() as u64, count * 100);
}

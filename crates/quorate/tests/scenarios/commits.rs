//! Each write waits for its own position only, and each caller hears exactly once.

use crate::cluster::{Cluster, eventually, patient};
use crate::load::{Pipeline, key};
use quorate::{BytesDatabase, CommitDurability, CommitToken, ReplicaAckPolicy, SyncPolicy};
use std::collections::HashSet;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Waker};
use std::thread;

const THREADS: u64 = 8;
const WRITES: u64 = 4000;

fn acks(acks: ReplicaAckPolicy) -> CommitDurability {
    CommitDurability { acks, ..CommitDurability::default() }
}

/// Every durability in turn.
fn durability(number: u64) -> CommitDurability {
    let sync = [SyncPolicy::Sync, SyncPolicy::WriteNoSync, SyncPolicy::NoSync];
    let acks = [ReplicaAckPolicy::SimpleMajority, ReplicaAckPolicy::All, ReplicaAckPolicy::None];
    let pick = |divisor: u64| (number / divisor % 3) as usize;
    CommitDurability { local: sync[pick(1)], replica: sync[pick(3)], acks: acks[pick(9)] }
}

/// Writes from one thread; its tokens in the order of its calls.
fn write(database: &BytesDatabase, thread: u64) -> Vec<CommitToken> {
    let mut pipeline = Pipeline::new(100);
    let mut tokens = Vec::new();
    for number in 0..WRITES {
        let write = database.put_with(&key(thread * WRITES + number), b"value", durability(number + thread));
        tokens.extend(pipeline.push(write).map(|outcome| outcome.unwrap().token));
    }
    tokens.extend(pipeline.finish().map(|outcome| outcome.unwrap().token));
    tokens
}

#[test]
fn writes_that_come_while_others_are_under_way_are_proposed_together() {
    let cluster = Cluster::running(3, patient);
    let (master, _) = cluster.roles();
    let database = cluster.database(master);
    let proposals = || cluster.node(master).stats().proposals;
    let before = proposals();
    let writes: Vec<_> = (0..WRITES).map(|number| database.put(&key(number), b"value")).collect();
    writes.into_iter().for_each(|write| assert!(write.wait().is_ok()));
    let made = proposals() - before;
    assert!(made < WRITES / 8, "{WRITES} writes in {made} proposals");
}

#[test]
fn of_many_threads_and_writes_each_is_answered_once_in_its_order() {
    let mut cluster = Cluster::running(3, patient);
    let (master, _) = cluster.roles();
    let database = cluster.database(master);
    let tokens: Vec<Vec<CommitToken>> = thread::scope(|scope| {
        let writers: Vec<_> = (0..THREADS)
            .map(|thread| {
                scope.spawn({
                    let database = &database;
                    move || write(database, thread)
                })
            })
            .collect();
        writers.into_iter().map(|writer| writer.join().unwrap()).collect()
    });
    let mut seen = HashSet::new();
    for thread in &tokens {
        assert!(thread.windows(2).all(|pair| pair[0].vlsn < pair[1].vlsn), "tokens grow");
        assert!(thread.iter().all(|token| seen.insert(token.vlsn)), "a token names one write");
    }
    assert_eq!(seen.len() as u64, THREADS * WRITES);
    let stats = cluster.node(master).stats();
    assert_eq!(stats.commits + stats.writes_released, THREADS * WRITES);
    assert_eq!(stats.commits_timed_out + stats.commits_rolled_back + stats.writes_refused, 0);
    let log = cluster.stop_and_compare_logs();
    let mut puts = log.puts().map(|(id, key, _)| (id, key)).collect::<Vec<_>>();
    puts.sort_by(|a, b| a.1.cmp(&b.1));
    let expected = tokens.iter().flatten().zip(0..).map(|(token, number)| (token.id(), key(number).to_vec()));
    assert!(puts.into_iter().eq(expected), "each token names the entry of its own write");
}

#[test]
fn a_commit_waits_for_its_own_position_and_not_for_those_around_it() {
    let cluster = Cluster::running(3, patient);
    let (master, replicas) = cluster.roles();
    let database = cluster.database(master);
    cluster.isolate(replicas[0]);
    let mut blocked = database.put_with(b"first", b"value", acks(ReplicaAckPolicy::All));
    let before = database.put_with(b"before", b"value", acks(ReplicaAckPolicy::SimpleMajority));
    let mut blocked_too = database.put_with(b"second", b"value", acks(ReplicaAckPolicy::All));
    let after = database.put_with(b"after", b"value", acks(ReplicaAckPolicy::SimpleMajority));
    let (before, after) = (before.wait().unwrap().token, after.wait().unwrap().token);
    let mut context = Context::from_waker(Waker::noop());
    for write in [&mut blocked, &mut blocked_too] {
        assert!(Pin::new(write).poll(&mut context).is_pending(), "one of three copies is missing");
    }
    cluster.heal();
    let (blocked, blocked_too) = (blocked.wait().unwrap().token, blocked_too.wait().unwrap().token);
    let order = [blocked, before, blocked_too, after].map(|token| token.vlsn);
    assert!(order.is_sorted_by(|a, b| a < b), "{order:?}");
}

#[test]
fn a_dropped_handle_forgets_the_outcome_and_not_the_write() {
    let cluster = Cluster::running(3, patient);
    let (master, replicas) = cluster.roles();
    for number in 0..100 {
        drop(cluster.database(master).put(&key(number), b"value"));
    }
    for index in replicas {
        let database = cluster.database(index);
        eventually("all writes arrive", || database.scan(.., None).unwrap().count() == 100);
    }
}

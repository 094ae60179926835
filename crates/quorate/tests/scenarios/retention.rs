//! How long the log keeps what somebody needs, and what becomes of a node that needs more.

use crate::cluster::{Cluster, eventually, patient};
use crate::load::{fill, key, value};
use quorate::{CommitToken, ConsistencyPolicy, EngineKind, ReadError, RepConfigBuilder, Vlsn};
use std::ops::Range;
use std::time::Duration;

const VALUE_BYTES: usize = 200;

/// An engine that makes durable what it holds, so that the log is trimmed, and files of few entries.
fn settings(config: RepConfigBuilder) -> RepConfigBuilder {
    patient(config)
        .engine(EngineKind::Redb)
        .segment_bytes(4096)
        .engine_flush_interval(Duration::from_millis(20))
}

fn put(cluster: &Cluster, master: usize, numbers: Range<u64>) -> CommitToken {
    fill(&cluster.database(master), numbers, |number| value(number, VALUE_BYTES))
}

fn trimmed(cluster: &Cluster, index: usize) -> Option<Vlsn> {
    cluster.status(index).watermarks.trimmed
}

/// Waits until nothing but what the others need keeps a node from trimming all of its log.
fn await_idle(cluster: &Cluster, indices: &[usize], replica: usize) {
    for index in indices {
        eventually("the engine is durable", || {
            let marks = cluster.status(*index).watermarks;
            marks.engine_durable == marks.written
        });
    }
    let heard = || cluster.node(replica).stats().protocol.heartbeats_received;
    let before = heard();
    eventually("everybody has been told of it", || heard() > before + 5);
}

/// Waits until a node has let go of more than `end`. Its last file stays until there is another one, so the
/// log goes on meanwhile.
fn await_trim(cluster: &Cluster, master: usize, index: usize, end: Option<Vlsn>) {
    let mut numbers = 1000..;
    eventually("the log lets go of what everybody has", || {
        let number = numbers.next().unwrap_or_default();
        put(cluster, master, number..number + 1);
        trimmed(cluster, index) > end
    });
}

#[test]
fn what_a_stopped_replica_lacks_is_kept_through_a_change_of_master_until_it_has_it() {
    let mut cluster = Cluster::running(3, settings);
    let (master, replicas) = cluster.roles();
    let (away, other) = (replicas[0], replicas[1]);
    let token = put(&cluster, master, 0..100);
    cluster.await_applied(away, token);
    let needed = cluster.written(away);
    cluster.stop(away);

    put(&cluster, master, 100..400);
    await_idle(&cluster, &[master, other], other);
    assert!(trimmed(&cluster, master) <= needed && trimmed(&cluster, other) <= needed);

    cluster.stop(master);
    cluster.start(master);
    let master = cluster.master_of(&[master, other]);
    let token = put(&cluster, master, 400..500);
    let (_, running) = cluster.roles();
    let replica = running[0];
    await_idle(&cluster, &[master, replica], replica);
    assert!(trimmed(&cluster, master) <= needed && trimmed(&cluster, replica) <= needed);

    cluster.start(away);
    cluster.await_applied(away, token);
    for index in 0..3 {
        await_trim(&cluster, master, index, needed);
    }
}

#[test]
fn a_node_below_the_retained_log_says_that_it_must_be_restored_and_skips_nothing() {
    let mut cluster = Cluster::running(3, settings);
    let (master, replicas) = cluster.roles();
    let (old, other) = (replicas[0], replicas[1]);
    let token = put(&cluster, master, 0..50);
    cluster.await_applied(old, token);
    let held = cluster.written(old);
    cluster.stop(old);
    let image = cluster.image(old);
    cluster.start(old);
    let token = put(&cluster, master, 50..400);
    cluster.await_applied(old, token);
    await_trim(&cluster, master, master, held);
    cluster.stop(old);
    cluster.put_back(old, &image);
    // It is opened often enough that nobody can tell it from the directory whose place it takes.
    cluster.isolate(old);
    for _ in 0..2 {
        cluster.start(old);
        cluster.stop(old);
    }
    cluster.heal();

    cluster.start(old);
    eventually("it says so", || cluster.status(old).restore_needed.is_some());
    let status = cluster.status(old);
    let base = status.restore_needed.expect("just seen");
    assert!(Some(base.vlsn) <= trimmed(&cluster, master));
    assert_eq!(status.watermarks.written, held);
    assert!(status.watermarks.trimmed <= held && Some(base.vlsn) > held);

    let last = put(&cluster, master, 400..410);
    cluster.await_applied(other, last);
    let timeout = Duration::from_millis(500);
    let behind = ConsistencyPolicy::CommitPointConsistency { token: last, timeout };
    let fresh = ConsistencyPolicy::TimeConsistency { lag: Duration::from_millis(1), timeout };
    for policy in [behind, fresh] {
        let refused = cluster.node(old).read(policy).wait().err();
        assert_eq!(refused, Some(ReadError::TimedOut { timeout }), "{policy:?}");
    }
    let database = cluster.database(old);
    let snapshot = cluster.node(old).read(None).wait().unwrap();
    assert!(snapshot.position().map(|id| id.vlsn) <= held);
    assert_eq!(snapshot.get_bytes(&database, &key(49)).unwrap(), Some(value(49, VALUE_BYTES).into()));
    assert_eq!(snapshot.get_bytes(&database, &key(50)).unwrap(), None, "nothing behind the gap is shown");
    assert_eq!(cluster.written(old), held);
}

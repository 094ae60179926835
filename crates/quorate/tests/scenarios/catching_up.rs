//! Replicas that start late, lag, fall silent or restart catch up while writes go on, and cost the master a
//! bounded amount of memory.

use crate::cluster::{Cluster, node_id, patient};
use crate::load::{fill, value};
use quorate::{BytesDatabase, CommitToken, RepConfigBuilder};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

const VALUE_BYTES: usize = 200;
/// The longest frame of these scenarios: a header, an envelope, a key and a value.
const FRAME_BYTES_MAX: usize = VALUE_BYTES + 100;
const VALUE_BYTES_MAX: usize = 64 << 10;
const WINDOW_BYTES: usize = (1 << 20) + VALUE_BYTES_MAX;
/// So many writes are several windows.
const MANY: u64 = 30_000;

/// As little memory as the configuration allows.
fn narrow(config: RepConfigBuilder) -> RepConfigBuilder {
    patient(config).value_bytes_max(VALUE_BYTES_MAX).window_bytes_max(WINDOW_BYTES).batch_bytes_max(64 << 10)
}

fn fill_values(database: &BytesDatabase, numbers: impl IntoIterator<Item = u64>) -> CommitToken {
    fill(database, numbers, |number| value(number, VALUE_BYTES))
}

/// Runs `scenario` while another thread keeps writing, and returns the last write's token.
fn while_writes_go_on(database: &BytesDatabase, scenario: impl FnOnce()) -> CommitToken {
    let ends = AtomicBool::new(false);
    thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut chunk = 0;
            loop {
                let token = fill_values(database, (chunk..).take(500));
                chunk += 500;
                if ends.load(Ordering::Relaxed) {
                    return token;
                }
            }
        });
        let ending = End(&ends);
        scenario();
        drop(ending);
        writer.join().unwrap()
    })
}

/// Lets a writer end even where its scenario fails.
struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// What the master keeps for a replica, and for all of them, never exceeds its limits.
fn assert_bounded(cluster: &Cluster, master: usize, replica: usize) {
    let in_flight = cluster.replica_status(master, replica).in_flight_bytes;
    assert!(in_flight <= WINDOW_BYTES + FRAME_BYTES_MAX, "{in_flight} bytes are on their way");
    let tail = cluster.status(master).tail_bytes;
    // What is not in the log file yet is kept beyond the limit: at most what may be uncommitted, and one
    // proposal.
    assert!(tail <= 2 * WINDOW_BYTES + (1 << 20) + (64 << 10), "{tail} bytes of the log are in memory");
}

#[test]
fn a_node_that_starts_late_catches_up_while_writes_go_on() {
    let mut cluster = Cluster::running(3, narrow);
    let (master, replicas) = cluster.roles();
    let late = replicas[0];
    cluster.stop(late);
    let database = cluster.database(master);
    let backlog = fill_values(&database, 0..MANY);
    let last = while_writes_go_on(&database, || {
        cluster.start(late);
        cluster.await_applied(late, backlog);
        let during = fill_values(&database, [MANY]);
        cluster.await_applied(late, during);
    });
    drop(database);
    cluster.await_applied(late, last);
    assert!(cluster.node(master).stats().protocol.log_reads > 0, "what is old comes from the disk");
    assert_bounded(&cluster, master, late);
    assert_eq!(cluster.stop_and_compare_logs().last(), Some(last.vlsn));
}

#[test]
fn a_slow_replica_neither_holds_up_writes_nor_falls_behind_for_good() {
    let mut cluster = Cluster::running(3, narrow);
    let (master, replicas) = cluster.roles();
    let slow = replicas[0];
    let delay = Duration::from_millis(100);
    cluster.network().set_delay(node_id(master), node_id(slow), delay);
    cluster.network().set_delay(node_id(slow), node_id(master), delay);
    let database = cluster.database(master);
    let mut lag_most = 0;
    let mut last = None;
    for chunk in 0..MANY / 500 {
        last = Some(fill_values(&database, chunk * 500..(chunk + 1) * 500));
        assert_bounded(&cluster, master, slow);
        lag_most = lag_most.max(cluster.replica_status(master, slow).lag_entries);
    }
    drop(database);
    assert!(lag_most > 0, "nobody waits for the slow one");
    cluster.await_applied(slow, last.unwrap());
    cluster.stop_and_compare_logs();
}

#[test]
fn a_silent_replica_costs_the_master_one_window_and_catches_up_when_it_is_heard_again() {
    let mut cluster = Cluster::running(3, narrow);
    let (master, replicas) = cluster.roles();
    let silent = replicas[0];
    cluster.isolate(silent);
    let database = cluster.database(master);
    for chunk in 0..MANY / 500 {
        fill_values(&database, chunk * 500..(chunk + 1) * 500);
        assert_bounded(&cluster, master, silent);
    }
    let in_flight = cluster.replica_status(master, silent).in_flight_bytes;
    assert!(in_flight >= WINDOW_BYTES, "the window is full: {in_flight}");
    let last = while_writes_go_on(&database, || {
        cluster.heal();
        let during = fill_values(&database, [MANY]);
        cluster.await_applied(silent, during);
    });
    drop(database);
    cluster.await_applied(silent, last);
    cluster.stop_and_compare_logs();
}

#[test]
fn a_replica_that_restarts_again_and_again_catches_up_while_writes_go_on() {
    let mut cluster = Cluster::running(3, narrow);
    let (master, replicas) = cluster.roles();
    let restarted = replicas[0];
    let database = cluster.database(master);
    let last = while_writes_go_on(&database, || {
        for round in 0..4 {
            if round % 2 == 0 {
                cluster.kill(restarted);
            }
            cluster.stop(restarted);
            let missed = fill_values(&database, MANY..MANY + 2000);
            cluster.start(restarted);
            cluster.await_applied(restarted, missed);
            assert_bounded(&cluster, master, restarted);
        }
    });
    drop(database);
    cluster.await_applied(restarted, last);
    cluster.stop_and_compare_logs();
}

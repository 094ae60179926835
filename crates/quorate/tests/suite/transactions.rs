//! Transactions and sessions over whole groups.

use crate::group::{Group, LONG, default_database};
use quorate::{
    BytesDatabase, CommitDurability, ConsistencyPolicy, NodeState, Outcome, ReplicaAckPolicy,
    ReplicatedEnvironment, TransactError, TransactOptions, Transaction, TransactionError, WriteBatch,
    WriteError, WriteRequest,
};
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// A count, kept as text.
fn count_of(value: Option<impl AsRef<[u8]>>) -> u64 {
    value.map_or(0, |value| std::str::from_utf8(value.as_ref()).unwrap().parse().unwrap())
}

fn increment(tx: &Transaction, database: &BytesDatabase, key: &[u8]) -> Result<u64, TransactionError> {
    let count = count_of(tx.get_bytes(database, key)?) + 1;
    tx.put_bytes(database, key, count.to_string().as_bytes())?;
    Ok(count)
}

fn read(database: &BytesDatabase, key: &[u8]) -> u64 {
    count_of(database.get(key, None).unwrap())
}

/// A group of one leads itself soon.
fn single() -> (Group, BytesDatabase) {
    let group = Group::start(1);
    group.node(0).wait_for_state(NodeState::Master, LONG).unwrap();
    let database = default_database(group.node(0));
    (group, database)
}

#[test]
fn increments_from_many_threads_lose_nothing() {
    const THREADS: u64 = 4;
    const ROUNDS: u64 = 25;
    let group = Group::start(3);
    let master = group.node(group.master());
    let database = default_database(master);
    let increments = || {
        for _ in 0..ROUNDS {
            master.transact(|tx| increment(tx, &database, b"count")).unwrap();
        }
    };
    thread::scope(|scope| (0..THREADS).for_each(|_| drop(scope.spawn(increments))));
    assert_eq!(read(&database, b"count"), THREADS * ROUNDS);
}

#[test]
fn of_two_transactions_that_read_what_the_other_writes_one_runs_again() {
    let (group, database) = single();
    let node = group.node(0);
    database.put(b"a", b"1").wait().unwrap();
    database.put(b"b", b"1").wait().unwrap();
    let both_have_read = Barrier::new(2);
    // Each takes one away if there is another one left: together they must not take both.
    let take = |own: &'static [u8]| {
        let mut runs = 0;
        let taken = node.transact(|tx| {
            runs += 1;
            let left = count_of(tx.get_bytes(&database, b"a")?) + count_of(tx.get_bytes(&database, b"b")?);
            if runs == 1 {
                both_have_read.wait();
            }
            if left == 2 {
                tx.put_bytes(&database, own, b"0")?;
            }
            Ok(left == 2)
        });
        taken.unwrap().value
    };
    let taken = thread::scope(|scope| {
        let other = scope.spawn(|| take(b"b"));
        [take(b"a"), other.join().unwrap()]
    });
    assert_eq!(taken.iter().filter(|taken| **taken).count(), 1, "{taken:?}");
    assert_eq!(read(&database, b"a") + read(&database, b"b"), 1);
}

#[test]
fn a_range_that_was_read_conflicts_with_a_row_put_into_it() {
    let (group, database) = single();
    database.put(b"row1", b"").wait().unwrap();
    let mut runs = 0;
    let counted = group.node(0).transact(|tx| {
        runs += 1;
        let rows = tx.scan_bytes(&database, &b"row"[..]..&b"rox"[..])?.count();
        if runs == 1 {
            database.put(b"row2", b"").wait()?;
        }
        tx.put_bytes(&database, b"count", rows.to_string().as_bytes())
    });
    assert_eq!(counted.unwrap().attempts, 2);
    assert_eq!(read(&database, b"count"), 2);
}

#[test]
fn rows_behind_those_that_were_taken_from_a_scan_were_not_read() {
    let (group, database) = single();
    database.put(b"row1", b"").wait().unwrap();
    database.put(b"row5", b"").wait().unwrap();
    let taken = group.node(0).transact(|tx| {
        let first = tx.scan_bytes(&database, ..)?.next().transpose()?;
        database.put(b"row9", b"").wait()?;
        tx.delete_bytes(&database, &first.unwrap().0)
    });
    assert_eq!(taken.unwrap().attempts, 1);
    assert_eq!(database.get(b"row1", None).unwrap(), None);
}

#[test]
fn a_transaction_sees_its_own_writes() {
    let (group, database) = single();
    for key in [b"a", b"c", b"e"] {
        database.put(key, b"old").wait().unwrap();
    }
    let seen = group.node(0).transact(|tx| {
        tx.put_bytes(&database, b"b", b"new")?;
        tx.put_bytes(&database, b"c", b"new")?;
        tx.delete_bytes(&database, b"e")?;
        tx.put_bytes(&database, b"z", b"new")?;
        let single = [tx.get_bytes(&database, b"b")?, tx.get_bytes(&database, b"e")?];
        let rows: Result<Vec<_>, _> = tx.scan_bytes(&database, ..&b"z"[..])?.collect();
        Ok((single, rows?))
    });
    let (single, rows) = seen.unwrap().value;
    assert_eq!((single[0].as_deref(), single[1].as_deref()), (Some(&b"new"[..]), None));
    let rows: Vec<_> = rows.iter().map(|(key, value)| (&key[..], &value[..])).collect();
    assert_eq!(rows, [(&b"a"[..], &b"old"[..]), (b"b", b"new"), (b"c", b"new")]);
    let stored = database.scan(.., None).unwrap().map(|row| row.unwrap().0);
    assert_eq!(stored.collect::<Vec<_>>(), [&b"a"[..], b"b", b"c", b"z"]);
}

#[test]
fn a_transaction_that_is_given_up_leaves_nothing() {
    let (group, database) = single();
    let written = group.node(0).status().unwrap().watermarks.written;
    let given_up: Result<_, TransactError<&str>> =
        group.node(0).transact_with(TransactOptions::default(), |tx| {
            tx.put_bytes(&database, b"k", b"v").map_err(|_| "unexpected")?;
            Err::<(), _>("on second thoughts")
        });
    let error = given_up.unwrap_err();
    assert_eq!(error, TransactError::Aborted("on second thoughts"));
    assert_eq!(error.outcome(), Outcome::NotDone);
    assert_eq!(group.node(0).status().unwrap().watermarks.written, written);
    assert_eq!(database.get(b"k", None).unwrap(), None);
}

#[test]
fn a_transaction_that_writes_nothing_takes_no_entry() {
    let (group, database) = single();
    database.put(b"k", b"7").wait().unwrap();
    let written = group.node(0).status().unwrap().watermarks.written;
    let read = group.node(0).transact(|tx| Ok(count_of(tx.get_bytes(&database, b"k")?))).unwrap();
    assert_eq!((read.value, read.token, read.attempts), (7, None, 1));
    assert_eq!(group.node(0).status().unwrap().watermarks.written, written);
}

#[test]
fn a_transaction_that_always_meets_another_write_ends_in_time_and_leaves_nothing() {
    let (group, database) = single();
    let options = TransactOptions { timeout: Some(Duration::from_millis(200)), ..Default::default() };
    let ended: Result<_, TransactError> = group.node(0).transact_with(options, |tx| {
        tx.get_bytes(&database, b"contended")?;
        database.put(b"contended", b"").wait()?;
        tx.put_bytes(&database, b"k", b"v")
    });
    let error = ended.unwrap_err();
    let TransactError::TimedOut { attempts, last: Some(WriteError::Conflict { .. }), .. } = error else {
        panic!("{error}");
    };
    assert!(attempts > 1);
    assert_eq!(error.outcome(), Outcome::NotDone);
    assert_eq!(database.get(b"k", None).unwrap(), None);
}

#[test]
fn what_is_beyond_a_limit_or_anothers_is_refused_within_a_transaction() {
    let (group, database) = single();
    let (_other, foreign) = single();
    let error = |body: &dyn Fn(&Transaction) -> Result<(), TransactionError>| {
        group.node(0).transact(|tx| body(tx)).unwrap_err()
    };
    let empty = error(&|tx| tx.put_bytes(&database, b"", b"v"));
    assert_eq!(empty, TransactError::Aborted(TransactionError::Write(WriteError::EmptyKey)));
    let name = "default".to_owned();
    let elsewhere = error(&|tx| tx.get_bytes(&foreign, b"k").map(drop));
    assert_eq!(elsewhere, TransactError::Aborted(TransactionError::ForeignDatabase { name }));
}

#[test]
fn a_transaction_waits_for_its_commit_even_if_writes_need_not() {
    let group = Group::start_with(1, |config| {
        config.durability(CommitDurability { acks: ReplicaAckPolicy::None, ..Default::default() })
    });
    group.node(0).wait_for_state(NodeState::Master, LONG).unwrap();
    let database = default_database(group.node(0));
    group.node(0).transact(|tx| increment(tx, &database, b"count")).unwrap();
    assert_eq!(read(&database, b"count"), 1, "it is visible at once");
}

#[tokio::test]
async fn a_transaction_can_be_awaited() {
    let (group, database) = single();
    for _ in 0..3 {
        let body = |tx: &Transaction| increment(tx, &database, b"count");
        group.node(0).transact_async(TransactOptions::default(), body).await.unwrap();
    }
    assert_eq!(read(&database, b"count"), 3);
}

#[test]
fn a_transaction_reads_and_writes_typed_databases() {
    let (group, _) = single();
    let orders = group.node(0).database::<u64, String>("orders").unwrap();
    orders.put(&42, &"a teapot".to_owned()).wait().unwrap();
    let rows = group.node(0).transact(|tx| {
        let order = tx.get(&orders, &42)?.unwrap();
        tx.put(&orders, &43, &order)?;
        tx.delete(&orders, &42)?;
        tx.scan(&orders, ..)?.collect::<Result<Vec<_>, _>>()
    });
    assert_eq!(rows.unwrap().value, [(43, "a teapot".to_owned())]);
    assert_eq!(orders.get(&42, None).unwrap(), None);
}

#[test]
fn transactions_on_replicas_are_checked_and_done_by_the_master() {
    const ROUNDS: u64 = 20;
    let group = Group::start(3);
    group.master();
    let databases: Vec<_> = group.running().map(default_database).collect();
    thread::scope(|scope| {
        for (node, database) in group.running().zip(&databases) {
            scope.spawn(move || {
                for _ in 0..ROUNDS {
                    let counted = node.transact(|tx| increment(tx, database, b"count")).unwrap().value;
                    assert!(read(database, b"count") >= counted, "a node reads its own transactions");
                }
            });
        }
    });
    assert_eq!(read(&databases[group.master()], b"count"), 3 * ROUNDS);
}

#[test]
fn transactions_are_done_exactly_once_while_master_after_master_is_cut_off() {
    const CUTS: usize = 4;
    let group = Group::start_with(3, |config| {
        config.heartbeat_interval(Duration::from_millis(50)).election_timeout(Duration::from_millis(500))
    });
    group.master();
    let databases: Vec<_> = group.running().map(default_database).collect();
    let (is_over, done) = (AtomicBool::new(false), AtomicU64::new(0));
    let options = TransactOptions { timeout: Some(LONG), ..Default::default() };
    let increments = |node: &ReplicatedEnvironment, database: &BytesDatabase| {
        while !is_over.load(Ordering::SeqCst) {
            match node.transact_with(options, |tx| increment(tx, database, b"count")) {
                Ok(_) => drop(done.fetch_add(1, Ordering::SeqCst)),
                Err(error) => assert_eq!(error.outcome(), Outcome::NotDone, "{error}"),
            }
        }
    };
    thread::scope(|scope| {
        for (node, database) in group.running().zip(&databases) {
            scope.spawn(|| increments(node, database));
        }
        let mut master = group.master();
        for _ in 0..CUTS {
            let before = done.load(Ordering::SeqCst);
            wait_until(|| done.load(Ordering::SeqCst) > before + 5);
            (0..3).filter(|other| *other != master).for_each(|other| group.partition(master, other));
            master = next_master(&group, master);
            group.heal();
        }
        is_over.store(true, Ordering::SeqCst);
    });
    let policy = ConsistencyPolicy::Linearizable { timeout: LONG };
    for database in &databases {
        assert_eq!(count_of(database.get(b"count", policy).unwrap()), done.load(Ordering::SeqCst));
    }
}

#[test]
fn a_transaction_waits_for_the_replicas_that_it_needs_and_then_is_done() {
    let mut group = Group::start(3);
    let master = group.master();
    let database = default_database(group.node(master));
    let away = (master + 1) % 3;
    group.stop(away);
    let durability = CommitDurability { acks: ReplicaAckPolicy::All, ..CommitDurability::default() };
    let options =
        TransactOptions { timeout: Some(LONG), durability: Some(durability), ..TransactOptions::default() };
    let node = group.take(master);
    let transacted = thread::scope(|scope| {
        let running = scope.spawn(|| node.transact_with(options, |tx| increment(tx, &database, b"count")));
        wait_until(|| node.stats().writes_refused > 1);
        group.open(away);
        running.join().unwrap().unwrap()
    });
    assert!(transacted.attempts > 1);
    assert_eq!(read(&database, b"count"), 1);
}

/// The node that takes the place of a master that is cut off, which may not know it yet.
fn next_master(group: &Group, old: usize) -> usize {
    let leads =
        |(index, node): &(usize, &ReplicatedEnvironment)| *index != old && node.state() == NodeState::Master;
    let mut next = None;
    wait_until(|| {
        next = group.running().enumerate().find(leads).map(|(index, _)| index);
        next.is_some()
    });
    next.unwrap()
}

fn wait_until(mut holds: impl FnMut() -> bool) {
    let until = Instant::now() + LONG;
    while !holds() {
        assert!(Instant::now() < until, "it takes too long");
        thread::yield_now();
    }
}

fn put(key: &[u8], value: &[u8]) -> WriteBatch {
    let mut batch = WriteBatch::new();
    batch.put(quorate::DatabaseId::new(1), key, value);
    batch
}

#[test]
fn a_request_of_a_session_sent_twice_is_done_once_and_has_one_token() {
    let (group, database) = single();
    let node = group.node(0);
    let mut session = node.open_session().wait().unwrap();
    let number = session.next_request();
    let send = |value: &[u8]| node.submit(WriteRequest::new(put(b"k", value)).session(number)).wait();
    let first = send(b"1").unwrap();
    assert_eq!(send(b"2").unwrap(), first);
    assert_eq!(read(&database, b"k"), 1);
    let next =
        node.submit(WriteRequest::new(put(b"k", b"3")).session(session.next_request())).wait().unwrap();
    assert_ne!(next.token, first.token);
    assert_eq!(send(b"4"), Err(WriteError::StaleSequence));
    assert_eq!(read(&database, b"k"), 3);
}

#[test]
fn a_session_outlives_the_master_that_opened_it() {
    let mut group = Group::start(3);
    let first = group.master();
    let mut session = group.node(first).open_session().wait().unwrap();
    let number = session.next_request();
    let send = |node: &ReplicatedEnvironment, value: &[u8]| {
        node.submit(WriteRequest::new(put(b"k", value)).session(number)).wait().unwrap().token
    };
    let token = send(group.node(first), b"1");
    group.kill(first);
    let second = group.master();
    assert_eq!(send(group.node(second), b"2"), token);
    assert_eq!(read(&default_database(group.node(second)), b"k"), 1);
}

#[test]
fn a_session_that_was_never_opened_is_refused() {
    let (group, _) = single();
    let request = WriteRequest::new(put(b"k", b"v")).session(quorate::Session { client: 1, sequence: 1 });
    assert_eq!(group.node(0).submit(request).wait(), Err(WriteError::SessionExpired));
}

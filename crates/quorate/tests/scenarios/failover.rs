//! The master dies under load: what was acknowledged is there, and a new master takes writes by itself.

use crate::cluster::{Cluster, LONG, eventually, nimble, patient};
use crate::load::{Pipeline, fill, key, value};
use quorate::{
    BytesDatabase, CommitToken, ConsistencyPolicy, NodeState, Outcome, StateChangeEvent, WriteError,
};
use std::collections::HashMap;
use std::sync::mpsc;
use std::thread;

const THREADS: u64 = 4;
const VALUE_BYTES: usize = 60;

/// What the writer of some keys was told.
#[derive(Default)]
struct Told {
    done: HashMap<u64, CommitToken>,
    unknown: Vec<u64>,
    not_done: Vec<u64>,
}

impl Told {
    fn hear(&mut self, number: u64, outcome: Result<CommitToken, WriteError>) -> bool {
        match outcome.map_err(|error| error.outcome()) {
            Ok(token) => drop(self.done.insert(number, token)),
            Err(Outcome::Unknown { .. }) => self.unknown.push(number),
            Err(Outcome::NotDone) => self.not_done.push(number),
        }
        self.unknown.is_empty() && self.not_done.is_empty()
    }
}

/// Writes keys that nobody else writes until the first one fails.
fn write(database: &BytesDatabase, round: u64, thread: u64) -> Told {
    let (mut told, mut pipeline) = (Told::default(), Pipeline::new(64));
    let mut numbers = numbers_of(round, thread);
    let mut outstanding = numbers_of(round, thread);
    for number in numbers.by_ref() {
        let outcome = pipeline.push(database.put(&key(number), &value(number, VALUE_BYTES)));
        let Some(outcome) = outcome else { continue };
        let heard = outstanding.next().unwrap();
        if !told.hear(heard, outcome.map(|committed| committed.token)) {
            break;
        }
    }
    for (outcome, number) in pipeline.finish().zip(outstanding) {
        told.hear(number, outcome.map(|committed| committed.token));
    }
    told
}

fn numbers_of(round: u64, thread: u64) -> impl Iterator<Item = u64> {
    (round << 32..).step_by(THREADS as usize).map(move |number| number + thread)
}

/// Every key that was acknowledged is there, and none that was said not to be.
fn assert_kept(cluster: &Cluster, index: usize, told: &[Told]) {
    let policy = ConsistencyPolicy::Linearizable { timeout: LONG };
    let database = cluster.database(index);
    let snapshot = cluster.node(index).read(policy).wait().unwrap();
    for writer in told {
        for number in writer.done.keys() {
            let found = snapshot.get_bytes(&database, &key(*number)).unwrap();
            assert_eq!(found, Some(value(*number, VALUE_BYTES).into()), "{number} was acknowledged");
        }
        for number in &writer.not_done {
            assert_eq!(snapshot.get_bytes(&database, &key(*number)).unwrap(), None, "{number} was not done");
        }
    }
}

#[test]
fn a_master_that_dies_under_load_loses_no_acknowledged_write() {
    let mut cluster = Cluster::running(3, patient);
    for round in 0..3 {
        let (dead, others) = cluster.roles();
        let (database, before) = (cluster.database(dead), cluster.node(dead).stats().commits);
        let told: Vec<Told> = thread::scope(|scope| {
            let writers: Vec<_> = (0..THREADS)
                .map(|thread| {
                    scope.spawn({
                        let database = &database;
                        move || write(database, round, thread)
                    })
                })
                .collect();
            eventually("many writes are acknowledged", || cluster.node(dead).stats().commits - before > 5000);
            cluster.kill(dead);
            drop(cluster.take(dead));
            writers.into_iter().map(|writer| writer.join().unwrap()).collect()
        });
        drop(database);
        let master = cluster.master_of(&others);
        assert!(told.iter().all(|writer| !writer.done.is_empty()));
        others.iter().for_each(|index| assert_kept(&cluster, *index, &told));
        let token = fill(&cluster.database(master), [u64::MAX], |number| value(number, VALUE_BYTES));
        cluster.start(dead);
        cluster.await_applied(dead, token);
        assert_kept(&cluster, dead, &told);
    }
    cluster.stop_and_compare_logs();
}

#[test]
fn a_master_that_is_cut_off_under_load_is_replaced_and_loses_no_acknowledged_write() {
    // Its writers stop at the first write that is refused, which the deposed master must not pass on.
    let mut cluster = Cluster::running(3, |config| nimble(config).forward_writes(false));
    let (deposed, others) = cluster.roles();
    let (database, before) = (cluster.database(deposed), cluster.node(deposed).stats().commits);
    let told: Vec<Told> = thread::scope(|scope| {
        let writers: Vec<_> = (0..THREADS)
            .map(|thread| {
                scope.spawn({
                    let database = &database;
                    move || write(database, 0, thread)
                })
            })
            .collect();
        eventually("many writes are acknowledged", || cluster.node(deposed).stats().commits - before > 5000);
        cluster.isolate(deposed);
        let master = cluster.master_of(&others);
        fill(&cluster.database(master), [u64::MAX], |number| value(number, VALUE_BYTES));
        cluster.heal();
        writers.into_iter().map(|writer| writer.join().unwrap()).collect()
    });
    drop(database);
    cluster.master();
    for (index, _) in cluster.nodes() {
        assert_kept(&cluster, index, &told);
    }
    assert!(told.iter().all(|writer| writer.unknown.is_empty()), "what was written is decided by then");
    cluster.stop_and_compare_logs();
}

#[test]
fn listeners_hear_every_change_of_roles_in_order_and_once() {
    let mut cluster = Cluster::running(3, patient);
    let (first, others) = cluster.roles();
    let (sender, heard) = mpsc::channel();
    cluster.node(others[0]).add_listener(move |event: &StateChangeEvent| sender.send(event.clone()).unwrap());
    let other_heard = {
        let (sender, heard) = mpsc::channel();
        cluster
            .node(others[1])
            .add_listener(move |event: &StateChangeEvent| sender.send(event.clone()).unwrap());
        heard
    };
    cluster.kill(first);
    drop(cluster.take(first));
    cluster.master_of(&others);
    others.iter().for_each(|index| cluster.stop(*index));
    for events in [heard, other_heard] {
        let events: Vec<StateChangeEvent> = events.iter().collect();
        assert_eq!(events.first().map(|event| event.state), Some(NodeState::Replica), "{events:?}");
        assert_eq!(events.last().map(|event| event.state), Some(NodeState::Detached), "{events:?}");
        assert!(
            events.windows(2).all(|pair| pair[0] != pair[1] && pair[0].term <= pair[1].term),
            "{events:?}"
        );
        let leaders: Vec<_> = events.iter().filter(|event| event.state == NodeState::Master).collect();
        assert!(leaders.len() <= 1, "{events:?}");
    }
}

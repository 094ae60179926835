//! What clients of a group see while its masters die and are cut off, judged by a checker that knows nothing
//! of replication.

use crate::group::LONG;
use quorate::testing::{InMemoryGroup, TestNode};
use quorate::{BytesDatabase, ConsistencyPolicy, Outcome, RepConfigBuilder, TransactError, TransactOptions};
use quorate_check::{Call, Register, RegisterCall, RegisterOperation, RegisterOutcome, Verdict, by_key};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const CLIENTS: u64 = 5;
const KEYS: u64 = 4;
const FAULTS: usize = 5;
/// How many calls each fault has to meet.
const CALLS_PER_FAULT: u64 = 200;
const TIMEOUT: Duration = Duration::from_secs(1);
/// Configurations that the checker looks at for a key before it gives up.
const BUDGET: u64 = 10_000_000;

type Asked = RegisterOperation<u64>;
type Answered = RegisterOutcome<u64>;

/// What a client learned of a call: an answer, that it had no effect, or nothing.
enum Heard {
    Answer(Answered),
    NotDone,
    Nothing,
}

/// One client: it asks whichever node runs.
struct Client<'a> {
    number: u64,
    group: &'a InMemoryGroup,
    start: Instant,
    calls: u64,
    history: Vec<(u64, RegisterCall<u64>)>,
}

impl Client<'_> {
    /// One call after another until it is told to stop.
    fn run(mut self, is_over: &AtomicBool, calls: &AtomicU64) -> Vec<(u64, RegisterCall<u64>)> {
        while !is_over.load(Ordering::SeqCst) {
            self.calls += 1;
            let nodes = self.group.nodes();
            let node = &nodes[(self.calls + self.number) as usize % nodes.len()];
            self.call(node);
            calls.fetch_add(1, Ordering::SeqCst);
        }
        self.history
    }

    fn call(&mut self, node: &TestNode) {
        let Ok(Some(database)) = node.find_database("default") else { return };
        let (key, new) = (self.calls % KEYS, self.number << 32 | self.calls);
        let operation = match self.calls / KEYS % 3 {
            0 => Asked::Read,
            1 => Asked::Write(Some(new)),
            _ => Asked::CompareAndSet { expected: read(&database, key).ok().flatten(), new: Some(new) },
        };
        let began = self.now();
        let heard = carry_out(node, &database, key, &operation);
        let ended = self.now();
        let (ended, outcome) = match heard {
            Heard::NotDone => return,
            Heard::Answer(answer) => (Some(ended), Some(answer)),
            Heard::Nothing => (None, None),
        };
        self.history.push((key, Call { client: self.number, began, ended, operation, outcome }));
    }

    fn now(&self) -> u64 {
        self.start.elapsed().as_nanos() as u64
    }
}

fn read(database: &BytesDatabase, key: u64) -> Result<Option<u64>, quorate::ReadError> {
    let policy = ConsistencyPolicy::Linearizable { timeout: TIMEOUT };
    let value = database.get(&key.to_be_bytes(), policy)?;
    Ok(value.map(|value| u64::from_be_bytes(value[..].try_into().unwrap())))
}

fn carry_out(node: &TestNode, database: &BytesDatabase, key: u64, operation: &Asked) -> Heard {
    match operation {
        Asked::Read => {
            read(database, key).map_or(Heard::NotDone, |value| Heard::Answer(Answered::Value(value)))
        }
        Asked::Write(value) => {
            let value = value.expect("nothing is removed").to_be_bytes();
            match database.put(&key.to_be_bytes(), &value).wait() {
                Ok(_) => Heard::Answer(Answered::Written),
                Err(error) => unanswered(error.outcome()),
            }
        }
        Asked::CompareAndSet { expected, new } => compare_and_set(node, database, key, *expected, *new),
    }
}

fn compare_and_set(
    node: &TestNode,
    database: &BytesDatabase,
    key: u64,
    expected: Option<u64>,
    new: Option<u64>,
) -> Heard {
    let options = TransactOptions {
        timeout: Some(TIMEOUT),
        consistency: Some(ConsistencyPolicy::Linearizable { timeout: TIMEOUT }),
        ..TransactOptions::default()
    };
    let (key, new) = (key.to_be_bytes(), new.expect("nothing is removed").to_be_bytes());
    let expected = expected.map(u64::to_be_bytes);
    let swapped = node.transact_with(options, |tx| {
        let is_expected =
            tx.get_bytes(database, &key)?.as_deref() == expected.as_ref().map(|value| &value[..]);
        if is_expected {
            tx.put_bytes(database, &key, &new)?;
        }
        Ok(is_expected)
    });
    match swapped {
        Ok(swapped) => Heard::Answer(Answered::Swapped(swapped.value)),
        Err(error) => unanswered(TransactError::<quorate::TransactionError>::outcome(&error)),
    }
}

fn unanswered(outcome: Outcome) -> Heard {
    match outcome {
        Outcome::NotDone => Heard::NotDone,
        Outcome::Unknown { .. } => Heard::Nothing,
    }
}

/// The master dies and comes back, or is cut off and let in again.
fn strike(group: &InMemoryGroup, fault: usize) {
    let master = group.wait_for_master().unwrap();
    let name = master.name().to_owned();
    if fault.is_multiple_of(2) {
        group.kill(&name).unwrap();
        group.wait_for_master().unwrap();
        group.restart(&name).unwrap();
    } else {
        let others: Vec<&str> = group.names().filter(|other| *other != name).collect();
        group.partition(&[&name], &others).unwrap();
        group.wait_for_master().unwrap();
        group.heal();
    }
}

#[test]
fn reads_writes_and_transactions_through_any_node_are_linearizable_across_failovers() {
    stay_linearizable(|config| config);
}

#[test]
fn so_they_are_where_masters_read_by_leases() {
    stay_linearizable(|config| config.lease(Duration::from_millis(400)));
}

fn stay_linearizable(set: impl Fn(RepConfigBuilder) -> RepConfigBuilder + Send + Sync + 'static) {
    let group = InMemoryGroup::builder(3)
        .configure(move |config| {
            let config = config
                .heartbeat_interval(Duration::from_millis(50))
                .election_timeout(Duration::from_millis(500))
                .ack_timeout(TIMEOUT);
            set(config)
        })
        .start()
        .unwrap();
    group.wait_for_master().unwrap();
    let (is_over, calls, start) = (AtomicBool::new(false), AtomicU64::new(0), Instant::now());
    let history: Vec<_> = thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|number| {
                let client = Client { number, group: &group, start, calls: 0, history: Vec::new() };
                scope.spawn(|| client.run(&is_over, &calls))
            })
            .collect();
        for fault in 0..FAULTS {
            until_called(&calls, calls.load(Ordering::SeqCst) + CALLS_PER_FAULT);
            strike(&group, fault);
        }
        until_called(&calls, calls.load(Ordering::SeqCst) + CALLS_PER_FAULT);
        is_over.store(true, Ordering::SeqCst);
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    });
    for kind in ["Read", "Write", "CompareAndSet"] {
        let of_kind =
            |(_, call): &&(u64, RegisterCall<u64>)| format!("{:?}", call.operation).starts_with(kind);
        assert!(history.iter().filter(of_kind).filter(|(_, call)| !call.is_pending()).count() > 50, "{kind}");
    }
    for key in by_key::<_, Register<u64>>(history, BUDGET) {
        assert_eq!(key.verdict, Verdict::Linearizable, "key {}: {:#?}", key.key, key.calls);
    }
}

fn until_called(calls: &AtomicU64, count: u64) {
    let until = Instant::now() + LONG;
    while calls.load(Ordering::SeqCst) < count {
        assert!(Instant::now() < until, "clients are not answered");
        thread::park_timeout(Duration::from_millis(1));
    }
}

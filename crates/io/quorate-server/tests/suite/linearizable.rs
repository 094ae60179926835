//! What clients of three processes see over gRPC while masters are killed and stopped, judged by a checker
//! that knows nothing of replication.

use crate::common::{Group, PATIENCE};
use quorate_check::{Call, Register, RegisterCall, RegisterOperation, RegisterOutcome, Verdict, by_key};
use quorate_server::client::{Client, ClientError, ClientOptions, ReadConsistency};
use quorate_server::demo::Route;
use rustix::process::Signal;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::time::{sleep, timeout};

const CLIENTS: u64 = 6;
const KEYS: u64 = 4;
const CALLS_PER_FAULT: u64 = 200;
const CLIENT_TIMEOUT: Duration = Duration::from_secs(3);
/// Configurations that the checker looks at for a key before it gives up.
const BUDGET: u64 = 10_000_000;

type Asked = RegisterOperation<Vec<u8>>;
type Answered = RegisterOutcome<Vec<u8>>;
type History = Vec<(u64, RegisterCall<Vec<u8>>)>;

/// What a client learned of a call: an answer, that it had no effect, or nothing.
enum Heard {
    Answer(Answered),
    NotDone,
    Nothing,
}

/// What all clients share.
#[derive(Clone)]
struct Watch {
    start: Instant,
    is_over: Arc<AtomicBool>,
    calls: Arc<AtomicU64>,
}

impl Watch {
    fn now(&self) -> u64 {
        self.start.elapsed().as_nanos() as u64
    }

    async fn await_calls(&self) {
        let wanted = self.calls.load(Ordering::SeqCst) + CALLS_PER_FAULT;
        let waiting = async {
            while self.calls.load(Ordering::SeqCst) < wanted {
                sleep(Duration::from_millis(2)).await;
            }
        };
        timeout(PATIENCE, waiting).await.expect("clients are answered");
    }
}

async fn run(number: u64, client: Client, watch: Watch) -> History {
    let mut history = Vec::new();
    for round in 0_u64.. {
        if watch.is_over.load(Ordering::SeqCst) {
            break;
        }
        let (key, new) = (round % KEYS, format!("{number}/{round}").into_bytes());
        let operation = match round / KEYS % 3 {
            0 => Asked::Read,
            1 => Asked::Write(Some(new)),
            _ => Asked::CompareAndSet { expected: read(&client, key).await.ok().flatten(), new: Some(new) },
        };
        let began = watch.now();
        let heard = carry_out(&client, key, &operation).await;
        let ended = watch.now();
        watch.calls.fetch_add(1, Ordering::SeqCst);
        let (ended, outcome) = match heard {
            Heard::NotDone => continue,
            Heard::Answer(answer) => (Some(ended), Some(answer)),
            Heard::Nothing => (None, None),
        };
        history.push((key, Call { client: number, began, ended, operation, outcome }));
    }
    history
}

async fn read(client: &Client, key: u64) -> Result<Option<Vec<u8>>, ClientError> {
    let read = client.get("", key.to_string(), ReadConsistency::Linearizable).await?;
    Ok(read.value.map(Vec::from))
}

async fn carry_out(client: &Client, key: u64, operation: &Asked) -> Heard {
    let written = match operation {
        Asked::Read => {
            return read(client, key)
                .await
                .map_or(Heard::NotDone, |value| Heard::Answer(Answered::Value(value)));
        }
        Asked::Write(value) => {
            let value = value.clone().expect("nothing is removed");
            client.put("", key.to_string(), value).await.map(|_| Answered::Written)
        }
        Asked::CompareAndSet { expected, new } => {
            let new = new.clone().expect("nothing is removed");
            compare_and_set(client, key, expected.as_deref(), &new).await
        }
    };
    match written {
        Ok(answer) => Heard::Answer(answer),
        Err(ClientError::OutcomeUnknown { .. }) => Heard::Nothing,
        Err(_) => Heard::NotDone,
    }
}

/// A value that is not the one expected may have been read on a node that lags, and ends the call without
/// effect and without an answer.
async fn compare_and_set(
    client: &Client,
    key: u64,
    expected: Option<&[u8]>,
    new: &[u8],
) -> Result<Answered, ClientError> {
    let mut transaction = client.transaction();
    loop {
        let found = transaction.get("", key.to_string()).await?;
        if found.as_deref() != expected {
            let reason = "another value was found".to_owned();
            return Err(ClientError::CommitLost { reason });
        }
        transaction.put("", key.to_string(), new.to_vec());
        if transaction.commit().await?.is_some() {
            return Ok(Answered::Swapped(true));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_clients_see_while_masters_are_killed_and_stopped_is_linearizable() {
    let mut group = Group::start("").await;
    let endpoints = group.endpoints().await;
    let (is_over, calls) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let watch = Watch { start: Instant::now(), is_over, calls };
    let clients: Vec<_> = (0..CLIENTS)
        .map(|number| {
            let mut endpoints = endpoints.clone();
            endpoints.rotate_left(number as usize % 3);
            let options = ClientOptions { timeout: CLIENT_TIMEOUT, durability: None };
            let client = Client::with_options(endpoints, options).unwrap();
            tokio::spawn(run(number, client, watch.clone()))
        })
        .collect();
    for _ in 0..2 {
        watch.await_calls().await;
        group.kill_master_and_restart().await;
        watch.await_calls().await;
        let stopped = group.cluster.wait_for_master(&Route::new(), PATIENCE).await.unwrap();
        group.cluster.processes()[stopped].signal(Signal::STOP).unwrap();
        watch.await_calls().await;
        group.cluster.processes()[stopped].signal(Signal::CONT).unwrap();
    }
    watch.await_calls().await;
    watch.is_over.store(true, Ordering::SeqCst);
    let mut history = History::new();
    for client in clients {
        history.extend(client.await.unwrap());
    }
    for kind in ["Read", "Write", "CompareAndSet"] {
        let of_kind = |(_, call): &&(u64, RegisterCall<Vec<u8>>)| {
            !call.is_pending() && format!("{:?}", call.operation).starts_with(kind)
        };
        assert!(history.iter().filter(of_kind).count() > 50, "{kind}");
    }
    for key in by_key::<_, Register<Vec<u8>>>(history, BUDGET) {
        assert_eq!(key.verdict, Verdict::Linearizable, "key {}: {:#?}", key.key, key.calls);
    }
}

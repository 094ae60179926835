use crate::history::{History, Told};
use crate::keys;
use bytes::Bytes;
use quorate_check::list_append::Step;
use quorate_check::{RegisterOperation, RegisterOutcome};
use quorate_server::client::{Client, ClientError, ReadConsistency, ScanQuery, Written};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::sleep;

/// How long a client thinks between two calls, in milliseconds.
const PAUSE_MS: std::ops::Range<u64> = 2..20;
/// What a value that nobody can have written is taken for: no history explains it.
const SPOILT: u64 = 0;

/// One client of the group, with one call under way at a time.
#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) number: u64,
    pub(crate) client: Client,
    pub(crate) random: fastrand::Rng,
    pub(crate) history: Arc<History>,
}

impl Worker {
    /// Makes calls until it is told to stop.
    pub(crate) async fn run(mut self, stop: watch::Receiver<bool>) {
        while !*stop.borrow() {
            let epoch = keys::epoch(self.history.now());
            let register = keys::register(&epoch, &mut self.random);
            let lists = keys::lists(&epoch, &mut self.random);
            match self.random.u8(..100) {
                0..30 => drop(self.read(&register).await),
                30..50 => self.write(&register).await,
                50..70 => self.compare_and_set(&register).await,
                70..88 => self.append(&lists).await,
                _ => self.read_lists(&epoch).await,
            }
            sleep(Duration::from_millis(self.random.u64(PAUSE_MS))).await;
        }
    }

    /// Reads a register; the value, if the read succeeded.
    async fn read(&self, key: &str) -> Option<Option<u64>> {
        let began = self.history.now();
        let read = self.client.get("", key.to_owned(), ReadConsistency::Linearizable).await;
        let Ok(read) = read else {
            self.history.refused();
            return None;
        };
        let value = register_value(read.value.as_ref());
        let outcome = RegisterOutcome::Value(value);
        self.history.call((self.number, key, began), RegisterOperation::Read, outcome, Told::Done);
        Some(value)
    }

    async fn write(&mut self, key: &str) {
        let value = self.history.new_value();
        let bytes = keys::written(value, &mut self.random);
        let began = self.history.now();
        let told = told(&self.client.put("", key.to_owned(), bytes).await.map(Some));
        let operation = RegisterOperation::Write(Some(value));
        self.history.call((self.number, key, began), operation, RegisterOutcome::Written, told);
    }

    /// Sets a register if it is what it was a moment ago, or, now and then, what it has never been.
    async fn compare_and_set(&mut self, key: &str) {
        let Some(seen) = self.read(key).await else { return };
        let expected = if self.random.u8(..5) == 0 { Some(self.history.new_value()) } else { seen };
        let new = self.history.new_value();
        let call = (self.number, key, self.history.now());
        let operation = RegisterOperation::CompareAndSet { expected, new: Some(new) };
        match self.client.get("", key.to_owned(), ReadConsistency::Linearizable).await {
            Ok(read) if register_value(read.value.as_ref()) != expected => {
                self.history.call(call, operation, RegisterOutcome::Swapped(false), Told::Done);
            }
            Ok(_) => {
                let told = self.swap(key, expected, new).await;
                self.history.call(call, operation, RegisterOutcome::Swapped(true), told);
            }
            Err(_) => self.history.refused(),
        }
    }

    async fn swap(&mut self, key: &str, expected: Option<u64>, new: u64) -> Told {
        let mut transaction = self.client.transaction();
        match transaction.get("", key.to_owned()).await {
            Ok(value) if register_value(value.as_ref()) == expected => {
                transaction.put("", key.to_owned(), keys::written(new, &mut self.random));
                told(&transaction.commit().await)
            }
            // Changed meanwhile, or read from a node that lags: neither yes nor no.
            _ => Told::NotDone,
        }
    }

    /// Reads lists and appends to each of them, in one transaction.
    async fn append(&mut self, lists: &[String]) {
        let began = self.history.now();
        let mut transaction = self.client.transaction();
        let mut steps = Vec::new();
        for key in lists {
            let Ok(value) = transaction.get("", key.clone()).await else {
                self.history.refused();
                return;
            };
            let mut list = list_value(value.as_ref());
            steps.push(Step::Read { key: key.clone(), list: Some(list.clone()) });
            let element = self.history.new_value();
            list.push(element);
            transaction.put("", key.clone(), keys::written_list(&list));
            steps.push(Step::Append { key: key.clone(), element });
        }
        let told = told(&transaction.commit().await);
        self.history.transaction(self.number, began, steps, told);
    }

    /// Reads all lists of an epoch as of one moment.
    async fn read_lists(&self, epoch: &str) {
        let began = self.history.now();
        match scan(&self.client, &format!("{epoch}list")).await {
            Ok(rows) => {
                let steps = keys::all_lists(epoch).map(|key| {
                    let list = list_value(rows.get(&key));
                    Step::Read { key, list: Some(list) }
                });
                self.history.transaction(self.number, began, steps.collect(), Told::Done);
            }
            Err(_) => self.history.refused(),
        }
    }
}

/// All rows whose keys begin with `prefix`, as of one moment behind everything acknowledged.
pub(crate) async fn scan(client: &Client, prefix: &str) -> Result<BTreeMap<String, Bytes>, ClientError> {
    let query = ScanQuery { consistency: ReadConsistency::Linearizable, ..ScanQuery::default() };
    let mut scan = client.scan(query.prefix(Bytes::copy_from_slice(prefix.as_bytes()))).await?;
    let mut rows = BTreeMap::new();
    while let Some((key, value)) = scan.next().await? {
        rows.insert(String::from_utf8_lossy(&key).into_owned(), value);
    }
    Ok(rows)
}

/// What a register holds.
pub(crate) fn register_value(bytes: Option<&Bytes>) -> Option<u64> {
    bytes.map(|bytes| keys::read(bytes).unwrap_or(SPOILT))
}

/// What a list holds.
pub(crate) fn list_value(bytes: Option<&Bytes>) -> Vec<u64> {
    bytes.map_or_else(Vec::new, |bytes| keys::read_list(bytes).unwrap_or_else(|| vec![SPOILT]))
}

/// What the answer to a write says of it. A client says "unknown" by one error alone; all others, and a
/// conflict, say that nothing was done, and are taken at their word.
fn told(answer: &Result<Option<Written>, ClientError>) -> Told {
    match answer {
        Ok(Some(_)) => Told::Done,
        Err(ClientError::OutcomeUnknown { .. }) => Told::Nothing,
        Ok(None) | Err(_) => Told::NotDone,
    }
}

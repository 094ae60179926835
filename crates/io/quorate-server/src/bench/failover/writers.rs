use super::watch::Watch;
use crate::bench::BenchError;
use crate::client::Client;
use bytes::Bytes;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use tokio::time::{interval, timeout};

/// How often the writers are looked after.
const POLL_INTERVAL: Duration = Duration::from_millis(5);
/// A key: the round, the writer's number and the write's, so that keys lie in this order.
const KEY_BYTES: usize = 16;

/// Closed-loop writers that follow the master, each with keys of its own.
pub(super) struct Writers {
    tasks: JoinSet<Result<Acknowledged, BenchError>>,
    is_over: Arc<AtomicBool>,
    watch: Arc<Mutex<Watch>>,
}

/// What a writer has written: every one of its first `count` keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Acknowledged {
    pub(super) round: u32,
    pub(super) writer: u32,
    pub(super) count: u64,
    pub(super) value_bytes: u32,
}

impl Writers {
    /// Starts `count` writers, several to each of the clients.
    pub(super) fn start(round: u32, count: u32, value_bytes: u32, clients: &[Client]) -> Self {
        let (is_over, watch) = (Arc::<AtomicBool>::default(), Arc::<Mutex<Watch>>::default());
        let mut tasks = JoinSet::new();
        for (writer, client) in (0..count).zip(clients.iter().cycle()) {
            let acknowledged = Acknowledged { round, writer, count: 0, value_bytes };
            tasks.spawn(write(client.clone(), acknowledged, Arc::clone(&is_over), Arc::clone(&watch)));
        }
        Self { tasks, is_over, watch }
    }

    /// What they have seen.
    pub(super) fn watch(&self) -> MutexGuard<'_, Watch> {
        lock(&self.watch)
    }

    /// Waits until the writers have seen what `judge` looks for.
    ///
    /// # Errors
    /// A writer's failure; [`BenchError::NoWrite`] after `patience`.
    pub(super) async fn until(
        &mut self,
        patience: Duration,
        judge: impl Fn(&Watch) -> bool,
    ) -> Result<(), BenchError> {
        let waiting = async {
            let mut ticks = interval(POLL_INTERVAL);
            while !judge(&self.watch()) {
                ticks.tick().await;
                if let Some(ended) = self.tasks.try_join_next() {
                    ended.map_err(|error| BenchError::system("writing")(error.into()))??;
                }
            }
            Ok(())
        };
        let late = Err(BenchError::NoWrite { seconds: patience.as_secs() });
        timeout(patience, waiting).await.unwrap_or(late)
    }

    /// Has each finish the write under way, and returns what was acknowledged.
    ///
    /// # Errors
    /// The first writer's failure.
    pub(super) async fn end(mut self) -> Result<Vec<Acknowledged>, BenchError> {
        self.is_over.store(true, Ordering::Relaxed);
        let mut acknowledged = Vec::new();
        while let Some(ended) = self.tasks.join_next().await {
            acknowledged.push(ended.map_err(|error| BenchError::system("writing")(error.into()))??);
        }
        acknowledged.sort_unstable();
        Ok(acknowledged)
    }
}

impl Acknowledged {
    /// The row of one of the writer's writes.
    pub(super) fn row(&self, number: u64) -> (Bytes, Bytes) {
        let mut key = Vec::with_capacity(KEY_BYTES);
        key.extend(self.round.to_be_bytes());
        key.extend(self.writer.to_be_bytes());
        key.extend(number.to_be_bytes());
        let byte = key[KEY_BYTES - 1] ^ key[KEY_BYTES / 2 - 1];
        (key.into(), vec![byte; self.value_bytes as usize].into())
    }
}

/// Writes one row after the other. Each is sent until it is acknowledged.
async fn write(
    client: Client,
    mut acknowledged: Acknowledged,
    is_over: Arc<AtomicBool>,
    watch: Arc<Mutex<Watch>>,
) -> Result<Acknowledged, BenchError> {
    while !is_over.load(Ordering::Relaxed) {
        let (key, value) = acknowledged.row(acknowledged.count);
        lock(&watch).begin();
        let begun = Instant::now();
        let written = client.put("", key, value).await?;
        lock(&watch).acknowledge(begun, Instant::now(), written.token.term);
        acknowledged.count += 1;
    }
    Ok(acknowledged)
}

fn lock(watch: &Mutex<Watch>) -> MutexGuard<'_, Watch> {
    watch.lock().unwrap_or_else(PoisonError::into_inner)
}

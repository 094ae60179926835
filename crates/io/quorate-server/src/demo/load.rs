use super::client::{NodeClient, Route};
use super::{Cluster, DemoError, Digest, Flight, NodeProcess, Records, SkippedFile};
use bytes::Bytes;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::Instant;
use tonic::{Code, Status};

/// How long one record may take to be acknowledged, a failover included.
const RECORD_TIMEOUT: Duration = Duration::from_secs(60);

/// Writes all records to a group from many tasks at once, following the master.
#[derive(Clone, Debug)]
pub struct Load {
    /// What to write.
    pub records: Arc<Records>,
    /// A client of each node.
    pub clients: Vec<NodeClient>,
    /// Where the master is believed to be.
    pub route: Route,
    /// What is under way.
    pub flight: Arc<Flight>,
}

/// What was acknowledged, and what could not be written.
#[derive(Debug, Default)]
pub struct Acknowledged {
    /// Each acknowledged record: its number and what its value was.
    pub records: Vec<(usize, Digest)>,
    /// Files that could not be read when their turn came.
    pub skipped: Vec<SkippedFile>,
}

impl Load {
    /// A load that kills the master of `cluster` once half of the records are acknowledged.
    #[must_use]
    pub fn new(records: Arc<Records>, cluster: &Cluster, route: Route) -> Self {
        let killers = cluster.processes().iter().map(NodeProcess::killer).collect();
        let flight = Arc::new(Flight::new(records.count() as u64 / 2, killers));
        Self { records, clients: cluster.clients().to_vec(), route, flight }
    }

    /// Writes everything, at most a quarter of it at a time, so that a new master finds something to do too.
    /// A write whose outcome is unknown is written again: the same value to the same key.
    ///
    /// # Errors
    /// [`DemoError::Refused`] if a write can never succeed; [`DemoError::Stalled`] if one finds no master for
    /// a minute.
    pub async fn run(self, writers: usize) -> Result<Acknowledged, DemoError> {
        let next = Arc::new(AtomicUsize::new(0));
        let mut tasks = JoinSet::new();
        for _ in 0..writers.min(self.records.count() / 4).max(1) {
            tasks.spawn(self.clone().write_from(Arc::clone(&next)));
        }
        let mut acknowledged = Acknowledged::default();
        while let Some(ended) = tasks.join_next().await {
            let written = ended.map_err(DemoError::panicked)??;
            acknowledged.records.extend(written.records);
            acknowledged.skipped.extend(written.skipped);
        }
        Ok(acknowledged)
    }

    /// Takes one record after the other until none is left.
    async fn write_from(self, next: Arc<AtomicUsize>) -> Result<Acknowledged, DemoError> {
        let mut acknowledged = Acknowledged::default();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= self.records.count() {
                return Ok(acknowledged);
            }
            match self.value(index).await? {
                Ok(value) => {
                    let digest = Digest::of(&value);
                    self.write(self.records.key(index), value).await?;
                    acknowledged.records.push((index, digest));
                }
                Err(skipped) => acknowledged.skipped.push(skipped),
            }
        }
    }

    async fn value(&self, index: usize) -> Result<Result<Bytes, SkippedFile>, DemoError> {
        if !self.records.are_files() {
            return Ok(self.records.value(index));
        }
        let records = Arc::clone(&self.records);
        spawn_blocking(move || records.value(index)).await.map_err(DemoError::panicked)
    }

    /// Writes one record until it is acknowledged.
    async fn write(&self, key: Bytes, value: Bytes) -> Result<(), DemoError> {
        let deadline = Instant::now() + RECORD_TIMEOUT;
        loop {
            let node = self.route.target();
            let refusal = match self.attempt(node, key.clone(), value.clone()).await {
                Ok(()) => return Ok(()),
                Err(refusal) => refusal,
            };
            if is_final(&refusal) {
                return Err(DemoError::Refused { key, refusal });
            }
            if Instant::now() >= deadline {
                return Err(DemoError::Stalled { key, timeout: RECORD_TIMEOUT, refusal });
            }
            self.route.turn_away(node, &refusal).await;
        }
    }

    async fn attempt(&self, node: usize, key: Bytes, value: Bytes) -> Result<(), Status> {
        let mut call = pin!(self.clients[node].put(key, value));
        let mut is_sent = false;
        let answer = poll_fn(|context| {
            let progress = call.as_mut().poll(context);
            if !is_sent {
                is_sent = true;
                self.flight.sent(node);
            }
            progress
        })
        .await;
        match answer {
            Ok(_) => self.flight.acknowledged(node),
            Err(_) => self.flight.failed(),
        }
        answer.map(drop)
    }
}

/// Whether the same write would be refused by any master at any time.
fn is_final(refusal: &Status) -> bool {
    matches!(
        refusal.code(),
        Code::InvalidArgument | Code::NotFound | Code::Unimplemented | Code::PermissionDenied
    )
}

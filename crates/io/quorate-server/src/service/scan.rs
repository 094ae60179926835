use super::convert::bounds;
use super::failure::Refusals;
use crate::v1::{CommitToken, Row, ScanRequest, ScanResponse};
use bytes::Bytes;
use quorate::{BytesDatabase, ReadError, Snapshot};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::spawn_blocking;
use tonic::Status;
use tonic::codegen::tokio_stream::Stream;

/// How much of a scan one message carries; a single row may be longer.
const MESSAGE_BYTES: usize = 64 << 10;
/// How many messages of one scan wait for its client.
const MESSAGES_WAITING_MAX: usize = 2;
/// How long a client may leave a message waiting. A scan keeps its snapshot, which keeps the engine from
/// reusing room.
const PATIENCE: Duration = Duration::from_secs(30);
/// How many scans run at a time; more wait for their turn.
const SCANS_MAX: usize = 64;

/// The rows of one scan, at most as many as its client asked for.
pub(super) type ScanRows = Box<dyn Iterator<Item = Result<(Bytes, Bytes), ReadError>> + Send>;

/// The rows that a request asks for, from a snapshot.
pub(super) fn rows(snapshot: &Snapshot, database: &BytesDatabase, request: &ScanRequest) -> ScanRows {
    let rows = snapshot.scan_bytes(database, bounds(&request.start, &request.end));
    let limit = match request.limit {
        0 => usize::MAX,
        limit => usize::try_from(limit).unwrap_or(usize::MAX),
    };
    if request.reverse { Box::new(rows.rev().take(limit)) } else { Box::new(rows.take(limit)) }
}

/// All scans of a node. Each reads only as far ahead as its client takes.
#[derive(Clone, Debug)]
pub(super) struct Scans(Arc<Semaphore>);

impl Scans {
    pub(super) fn new() -> Self {
        Self(Arc::new(Semaphore::new(SCANS_MAX)))
    }

    /// Begins to send rows, once there is a place. The first message says what the scan has `seen`.
    pub(super) async fn begin(
        &self,
        rows: ScanRows,
        seen: Option<CommitToken>,
        refusals: Refusals,
    ) -> Result<ScanStream, Status> {
        let permit = Arc::clone(&self.0).acquire_owned().await;
        let permit = permit.map_err(|_| Status::unavailable("the node is stopping"))?;
        let (sender, receiver) = mpsc::channel(MESSAGES_WAITING_MAX);
        tokio::spawn(send(rows, seen, refusals, sender, permit));
        Ok(ScanStream(receiver))
    }
}

/// The messages of one scan. Dropping it ends the scan.
#[derive(Debug)]
pub struct ScanStream(mpsc::Receiver<Result<ScanResponse, Status>>);

impl Stream for ScanStream {
    type Item = Result<ScanResponse, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(context)
    }
}

/// Reads a message's worth of rows where blocking hinders nobody, sends it, and goes on.
async fn send(
    mut rows: ScanRows,
    mut seen: Option<CommitToken>,
    refusals: Refusals,
    sender: mpsc::Sender<Result<ScanResponse, Status>>,
    _permit: OwnedSemaphorePermit,
) {
    let mut is_first = true;
    loop {
        let read = spawn_blocking(move || (next_rows(&mut rows), rows)).await;
        let message = match read {
            Ok((Ok(found), rest)) => {
                rows = rest;
                if found.is_empty() && !is_first {
                    return;
                }
                Ok(ScanResponse { rows: found, seen: seen.take() })
            }
            Ok((Err(error), _)) => {
                let _ = sender.send_timeout(Err(refusals.read_failed(&error)), PATIENCE).await;
                return;
            }
            Err(error) => {
                let failure = Status::internal(format!("the scan has failed: {error}"));
                let _ = sender.send_timeout(Err(failure), PATIENCE).await;
                return;
            }
        };
        is_first = false;
        if sender.send_timeout(message, PATIENCE).await.is_err() {
            return;
        }
    }
}

fn next_rows(rows: &mut ScanRows) -> Result<Vec<Row>, ReadError> {
    let (mut found, mut bytes) = (Vec::new(), 0);
    while bytes < MESSAGE_BYTES {
        let Some((key, value)) = rows.next().transpose()? else { break };
        bytes += key.len() + value.len();
        found.push(Row { key, value });
    }
    Ok(found)
}

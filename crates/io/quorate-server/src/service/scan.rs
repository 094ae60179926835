use super::convert::bounds;
use super::failure::Refusals;
use crate::v1::{CommitToken, Row, ScanRequest, ScanResponse};
use bytes::Bytes;
use quorate::{BytesDatabase, ReadError, Snapshot};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
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
        Ok(ScanStream { messages: receiver, has_ended: false })
    }
}

/// The messages of one scan. Dropping it ends the scan.
///
/// It ends in order only behind what says that there is no more; where that is missing it ends with an error,
/// so that nobody takes a part for the whole.
#[derive(Debug)]
pub struct ScanStream {
    messages: mpsc::Receiver<Message>,
    has_ended: bool,
}

type Message = Result<Part, Status>;

#[derive(Debug)]
enum Part {
    Rows(ScanResponse),
    /// There are no more rows.
    End,
}

impl Stream for ScanStream {
    type Item = Result<ScanResponse, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.has_ended {
            return Poll::Ready(None);
        }
        let message = ready!(self.messages.poll_recv(context));
        Poll::Ready(match message {
            Some(Ok(Part::Rows(rows))) => Some(Ok(rows)),
            ending => {
                self.has_ended = true;
                match ending {
                    Some(Err(status)) => Some(Err(status)),
                    Some(Ok(_)) => None,
                    None => Some(Err(given_up())),
                }
            }
        })
    }
}

fn given_up() -> Status {
    let text = format!(
        "the scan was given up, since its client has taken nothing for {PATIENCE:?}: scan again from the last \
         key on"
    );
    Status::aborted(text)
}

/// Sends everything that there is, as fast as it is taken.
async fn send(
    rows: ScanRows,
    mut seen: Option<CommitToken>,
    refusals: Refusals,
    sender: mpsc::Sender<Message>,
    _permit: OwnedSemaphorePermit,
) {
    let (mut rest, mut is_first) = (Some(rows), true);
    while let Some(rows) = rest.take() {
        let message = match read_on(rows, &refusals).await {
            Ok((found, rows)) if is_first || !found.is_empty() => {
                rest = Some(rows);
                Ok(Part::Rows(ScanResponse { rows: found, seen: seen.take() }))
            }
            Ok(_) => Ok(Part::End),
            Err(status) => Err(status),
        };
        is_first = false;
        if sender.send_timeout(message, PATIENCE).await.is_err() {
            return;
        }
    }
}

/// The next rows and the rest, read where blocking hinders nobody.
async fn read_on(mut rows: ScanRows, refusals: &Refusals) -> Result<(Vec<Row>, ScanRows), Status> {
    let read = spawn_blocking(move || next_rows(&mut rows).map(|found| (found, rows))).await;
    let read = read.map_err(|error| Status::internal(format!("the scan has failed: {error}")))?;
    read.map_err(|error| refusals.read_failed(&error))
}

/// A message's worth of rows.
fn next_rows(rows: &mut ScanRows) -> Result<Vec<Row>, ReadError> {
    let (mut found, mut bytes) = (Vec::new(), 0);
    while bytes < MESSAGE_BYTES {
        let Some((key, value)) = rows.next().transpose()? else { break };
        bytes += key.len() + value.len();
        found.push(Row { key, value });
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;

    async fn next(stream: &mut ScanStream) -> Option<Result<ScanResponse, Status>> {
        poll_fn(|context| Pin::new(&mut *stream).poll_next(context)).await
    }

    fn stream() -> (mpsc::Sender<Message>, ScanStream) {
        let (sender, messages) = mpsc::channel(MESSAGES_WAITING_MAX);
        (sender, ScanStream { messages, has_ended: false })
    }

    #[tokio::test]
    async fn a_scan_that_is_given_up_does_not_end_as_if_it_were_whole() {
        let (sender, mut stream) = stream();
        sender.send(Ok(Part::Rows(ScanResponse::default()))).await.unwrap();
        drop(sender);
        assert!(next(&mut stream).await.unwrap().is_ok());
        assert_eq!(next(&mut stream).await.unwrap().unwrap_err().code(), tonic::Code::Aborted);
        assert!(next(&mut stream).await.is_none());
    }

    #[tokio::test]
    async fn a_scan_that_is_whole_ends_in_order() {
        let (sender, mut stream) = stream();
        sender.send(Ok(Part::End)).await.unwrap();
        drop(sender);
        assert!(next(&mut stream).await.is_none() && next(&mut stream).await.is_none());
    }
}

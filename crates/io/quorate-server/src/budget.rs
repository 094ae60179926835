use crate::service::busy;
use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body as HttpBody, Frame, SizeHint};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::Status;
use tonic::body::Body;
use tower_layer::Layer;
use tower_service::Service;

/// What gRPC puts in front of a message: a flag and the length, most significant byte first.
const PREFIX_BYTES: usize = 5;

/// Bounds the bytes of all requests under way, whatever connections they come on: a request takes its share
/// when its length is known, before it is read, and keeps it until it is answered. One that finds too little
/// left is refused as busy.
#[derive(Clone, Debug)]
pub struct RequestBudget {
    left: Arc<Semaphore>,
    request_bytes_max: usize,
}

impl RequestBudget {
    /// A budget of `bytes` in all, of which one request takes `request_bytes_max` at most: the server refuses
    /// what is longer by itself.
    #[must_use]
    pub fn new(bytes: usize, request_bytes_max: usize) -> Self {
        Self { left: Arc::new(Semaphore::new(bytes.min(Semaphore::MAX_PERMITS))), request_bytes_max }
    }
}

impl<S> Layer<S> for RequestBudget {
    type Service = Budgeted<S>;

    fn layer(&self, inner: S) -> Budgeted<S> {
        Budgeted { inner, budget: self.clone() }
    }
}

/// A service whose requests share a budget.
#[derive(Clone, Debug)]
pub struct Budgeted<S> {
    inner: S,
    budget: RequestBudget,
}

impl<S, R> Service<Request<Body>> for Budgeted<S>
where
    S: Service<Request<Body>, Response = Response<R>>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let share = Arc::new(Mutex::new(Share::new(self.budget.clone())));
        let body_share = Arc::clone(&share);
        let answer = self.inner.call(request.map(|body| Body::new(MeteredBody { body, share: body_share })));
        Box::pin(async move {
            let answer = answer.await;
            drop(share);
            answer
        })
    }
}

/// What one request has taken of the budget.
struct Share {
    budget: RequestBudget,
    permit: Option<OwnedSemaphorePermit>,
    reserved: usize,
    received: usize,
}

impl Share {
    const fn new(budget: RequestBudget) -> Self {
        Self { budget, permit: None, reserved: 0, received: 0 }
    }

    /// Takes what a request needs of which `data` has come.
    fn take(&mut self, data: &Bytes) -> Result<(), Status> {
        let announced = if self.received == 0 { announced_bytes(data) } else { 0 };
        self.received = self.received.saturating_add(data.len());
        let needed = announced.min(self.budget.request_bytes_max).max(self.received);
        if needed <= self.reserved {
            return Ok(());
        }
        let missing = u32::try_from(needed - self.reserved).map_err(|_| exhausted())?;
        let more = Arc::clone(&self.budget.left).try_acquire_many_owned(missing).map_err(|_| exhausted())?;
        match &mut self.permit {
            Some(permit) => permit.merge(more),
            None => self.permit = Some(more),
        }
        self.reserved = needed;
        Ok(())
    }
}

/// How long the message is that begins with `data`, its prefix included, if that has come already.
fn announced_bytes(data: &[u8]) -> usize {
    let Some([_, length @ ..]) = data.first_chunk::<PREFIX_BYTES>() else { return 0 };
    PREFIX_BYTES + u32::from_be_bytes(*length) as usize
}

fn exhausted() -> Status {
    metrics::counter!("quorate_requests_refused_total").increment(1);
    busy(
        "the requests under way take all the memory that this node sets aside for them: try again after a \
         moment, send fewer or smaller writes at a time, or raise requests_bytes_max",
    )
}

/// A request's body, as far as its share of the budget reaches.
struct MeteredBody {
    body: Body,
    share: Arc<Mutex<Share>>,
}

impl HttpBody for MeteredBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        let Some(Ok(frame)) = frame else { return Poll::Ready(frame) };
        let taken = match frame.data_ref() {
            Some(data) => self.share.lock().unwrap_or_else(PoisonError::into_inner).take(data),
            None => Ok(()),
        };
        Poll::Ready(Some(taken.map(|()| frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(length: u32) -> Bytes {
        [&[0][..], &length.to_be_bytes(), b"the beginning"].concat().into()
    }

    #[test]
    fn a_request_takes_its_whole_share_with_its_first_bytes_and_gives_it_back_at_its_end() {
        let budget = RequestBudget::new(1_000, 1_000);
        let mut first = Share::new(budget.clone());
        first.take(&message(595)).unwrap();
        assert_eq!(budget.left.available_permits(), 400);
        first.take(&Bytes::from_static(b"more")).unwrap();
        assert_eq!(budget.left.available_permits(), 400);
        let refusal = Share::new(budget.clone()).take(&message(500)).unwrap_err();
        assert_eq!(refusal.code(), tonic::Code::ResourceExhausted);
        drop(first);
        Share::new(budget.clone()).take(&message(500)).unwrap();
        assert_eq!(budget.left.available_permits(), 1_000);
    }

    #[test]
    fn bytes_that_were_not_announced_are_counted_when_they_come() {
        let budget = RequestBudget::new(100, 100);
        let mut share = Share::new(budget.clone());
        share.take(&Bytes::from_static(b"abc")).unwrap();
        assert_eq!(budget.left.available_permits(), 97);
        share.take(&vec![0; 90].into()).unwrap();
        assert_eq!(budget.left.available_permits(), 7);
        share.take(&vec![0; 90].into()).unwrap_err();
    }

    #[test]
    fn a_message_too_long_for_the_server_takes_no_more_than_the_longest_that_is_not() {
        let budget = RequestBudget::new(1_000, 600);
        Share::new(budget.clone()).take(&message(u32::MAX)).unwrap();
    }
}

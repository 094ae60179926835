use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

/// Runs a future to its end on this thread, which sleeps while the future waits.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Sleeper(thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            // A wake before this line is remembered, so that none is missed.
            Poll::Pending => thread::park(),
        }
    }
}

struct Sleeper(Thread);

impl Wake for Sleeper {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slot::slot;
    use std::future::poll_fn;

    #[test]
    fn a_future_that_waits_for_another_thread_is_run_to_its_end() {
        let (mut slot, ticket) = slot();
        let answering = thread::spawn(move || ticket.resolve(7));
        assert_eq!(block_on(poll_fn(|context| slot.poll(context))), Some(7));
        answering.join().unwrap();
    }
}

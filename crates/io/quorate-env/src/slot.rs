use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread::{self, Thread};

/// One answer on its way from the event loop to one caller, who waits blocking or as a future.
///
/// Every ticket resolves its slot: one that is dropped without an answer, because its thread ended, leaves
/// `None`.
pub(crate) enum Slot<T> {
    /// The answer was there from the beginning; `None` once it was taken.
    Answered(Option<T>),
    /// It comes, or has come, from a ticket.
    Asked(Arc<Shared<T>>),
}

/// The answering side of a [`Slot`].
pub(crate) struct Ticket<T>(Arc<Shared<T>>);

pub(crate) struct Shared<T>(Mutex<State<T>>);

enum State<T> {
    Open(Waiting),
    Closed(Option<T>),
}

enum Waiting {
    Nobody,
    Thread(Thread),
    Task(Waker),
}

/// A slot and its ticket.
pub(crate) fn slot<T>() -> (Slot<T>, Ticket<T>) {
    let shared = Arc::new(Shared(Mutex::new(State::Open(Waiting::Nobody))));
    (Slot::Asked(Arc::clone(&shared)), Ticket(shared))
}

/// A slot that has its answer.
pub(crate) const fn answered<T>(answer: T) -> Slot<T> {
    Slot::Answered(Some(answer))
}

impl<T> Slot<T> {
    /// Blocks until there is an answer; `None` if there will be none, or if it was taken before.
    pub(crate) fn wait(&mut self) -> Option<T> {
        let shared = match self {
            Self::Answered(answer) => return answer.take(),
            Self::Asked(shared) => shared,
        };
        loop {
            match &mut *shared.lock() {
                State::Closed(answer) => return answer.take(),
                State::Open(waiting) => *waiting = Waiting::Thread(thread::current()),
            }
            thread::park();
        }
    }

    /// As [`wait`](Self::wait), for a future. Once there was an answer there is none any more.
    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<T>> {
        let shared = match self {
            Self::Answered(answer) => return Poll::Ready(answer.take()),
            Self::Asked(shared) => shared,
        };
        match &mut *shared.lock() {
            State::Closed(answer) => Poll::Ready(answer.take()),
            State::Open(Waiting::Task(waker)) if waker.will_wake(context.waker()) => Poll::Pending,
            State::Open(waiting) => {
                *waiting = Waiting::Task(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl<T> Ticket<T> {
    /// Gives the answer.
    pub(crate) fn resolve(self, answer: T) {
        self.close(Some(answer));
    }

    fn close(&self, answer: Option<T>) {
        let mut state = self.0.lock();
        let State::Open(waiting) = &mut *state else { return };
        let waiting = std::mem::replace(waiting, Waiting::Nobody);
        *state = State::Closed(answer);
        drop(state);
        match waiting {
            Waiting::Nobody => {}
            Waiting::Thread(thread) => thread.unpark(),
            Waiting::Task(waker) => waker.wake(),
        }
    }
}

impl<T> Drop for Ticket<T> {
    fn drop(&mut self) {
        self.close(None);
    }
}

impl<T> Shared<T> {
    /// No code panics while it holds the lock.
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::{Future, poll_fn};
    use std::pin::pin;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    #[derive(Default)]
    struct Wakes(AtomicUsize);

    impl Wake for Wakes {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn a_blocked_thread_gets_its_answer() {
        let (mut slot, ticket) = slot();
        let waiting = thread::spawn(move || slot.wait());
        ticket.resolve(7);
        assert_eq!(waiting.join().unwrap(), Some(7));
    }

    #[test]
    fn a_future_is_woken_once_by_its_answer() {
        let (mut slot, ticket) = slot();
        let wakes = Arc::new(Wakes::default());
        let waker = Waker::from(Arc::clone(&wakes));
        let mut context = Context::from_waker(&waker);
        let mut future = pin!(poll_fn(|context| slot.poll(context)));
        assert_eq!(future.as_mut().poll(&mut context), Poll::Pending);
        assert_eq!(future.as_mut().poll(&mut context), Poll::Pending);
        ticket.resolve(7);
        assert_eq!(wakes.0.load(Ordering::SeqCst), 1);
        assert_eq!(future.poll(&mut context), Poll::Ready(Some(7)));
    }

    #[test]
    fn a_ticket_that_is_dropped_releases_whoever_waits() {
        let (mut slot, ticket) = slot::<u8>();
        let waiting = thread::spawn(move || slot.wait());
        drop(ticket);
        assert_eq!(waiting.join().unwrap(), None);
    }

    #[test]
    fn an_answer_may_come_before_anybody_waits() {
        let (mut slot, ticket) = slot();
        ticket.resolve(7);
        assert_eq!(slot.wait(), Some(7));
        let mut answered = answered(8);
        assert_eq!((answered.wait(), answered.wait()), (Some(8), None));
    }
}

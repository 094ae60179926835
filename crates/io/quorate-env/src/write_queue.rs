use crate::WriteError;
use crate::shell::event::Write;
use crossbeam_channel::{Receiver, Sender, unbounded};
use std::sync::atomic::{AtomicUsize, Ordering, fence};

/// The writes on their way from callers to the event loop: bounded in number and in bytes, and never
/// blocking.
///
/// The loop says how many writes it wants to see. A caller who finds so many in the queue when it has added its own
/// brings them to the loop; those before it need not.
///
/// The limits are kept here and not by the channel: a bounded one would hold what is in it until its last
/// sender is gone, and callers keep theirs. This one drops everything with its receiver, so that nobody
/// waits for an event loop that has ended.
pub(crate) struct WriteQueue {
    sender: Sender<Write>,
    count: AtomicUsize,
    bytes: AtomicUsize,
    call_at: AtomicUsize,
}

/// So many writes may wait.
const WRITES_MAX: usize = 65_536;
/// So many bytes may wait; a longer write is taken where nothing waits.
const BYTES_MAX: usize = 32 << 20;
/// So many bytes are always worth a proposal, if the loop wants any writes at all.
const CALL_AT_BYTES: usize = 1 << 20;

impl WriteQueue {
    /// A queue and its end.
    pub(crate) fn new() -> (Self, Receiver<Write>) {
        let (sender, receiver) = unbounded();
        let (count, bytes, call_at) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(1));
        (Self { sender, count, bytes, call_at }, receiver)
    }

    /// Queues a write, or says why it is refused.
    pub(crate) fn send(&self, write: Write) -> Result<(), WriteError> {
        self.offer(write).map_err(|(error, _)| error)
    }

    /// As [`send`](Self::send), and hands back a write that is refused.
    pub(crate) fn offer(&self, write: Write) -> Result<(), (WriteError, Write)> {
        let bytes = write.bytes();
        let count_before = self.count.fetch_add(1, Ordering::Relaxed);
        let bytes_before = self.bytes.fetch_add(bytes, Ordering::Relaxed);
        let fits = count_before < WRITES_MAX && (bytes_before == 0 || bytes_before + bytes <= BYTES_MAX);
        let sent = if fits {
            self.sender.send(write).map_err(|unsent| (WriteError::Closed, unsent.0))
        } else {
            Err((WriteError::Busy, write))
        };
        sent.inspect_err(|_| self.left(bytes))
    }

    /// From now on the loop wants to see the queue when `count` writes are in it; none at all if that is
    /// [`usize::MAX`].
    pub(crate) fn call_at(&self, count: usize) {
        self.call_at.store(count, Ordering::SeqCst);
    }

    /// Whether the loop wants to see what is in the queue now.
    ///
    /// A caller asks this behind its write, the loop behind what it wants: one of them sees the other's.
    pub(crate) fn is_called(&self) -> bool {
        fence(Ordering::SeqCst);
        let (call_at, count) = (self.call_at.load(Ordering::SeqCst), self.sender.len());
        let has_bytes = self.bytes.load(Ordering::Relaxed) >= CALL_AT_BYTES;
        call_at < usize::MAX && (count >= call_at || count > 0 && has_bytes)
    }

    /// A write of so many bytes has left the queue.
    pub(crate) fn left(&self, bytes: usize) {
        self.count.fetch_sub(1, Ordering::Relaxed);
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slot::slot;
    use crate::write_ticket::WriteTicket;
    use bytes::Bytes;
    use quorate_core::Time;
    use quorate_policy::CommitDurability;

    fn write(bytes: usize) -> Write {
        let (_, ticket) = slot();
        let ticket = WriteTicket::Caller(ticket);
        let payload = Bytes::from(vec![0; bytes]);
        Write {
            payload,
            reads: Bytes::new(),
            durability: CommitDurability::default(),
            deadline: Time::ZERO,
            ticket,
        }
    }

    #[test]
    fn a_full_queue_refuses_at_once_and_takes_more_when_there_is_room() {
        let (queue, receiver) = WriteQueue::new();
        assert_eq!(queue.send(write(BYTES_MAX + 1)), Ok(()), "a long write is taken where nothing waits");
        assert_eq!(queue.send(write(1)), Err(WriteError::Busy));
        queue.left(receiver.recv().unwrap().bytes());
        for _ in 0..WRITES_MAX {
            queue.send(write(0)).unwrap();
        }
        assert_eq!(queue.send(write(0)), Err(WriteError::Busy));
        queue.left(receiver.recv().unwrap().bytes());
        assert_eq!(queue.send(write(0)), Ok(()));
    }

    #[test]
    fn the_loop_is_called_for_as_many_writes_as_it_wants_or_for_many_bytes() {
        let (queue, _receiver) = WriteQueue::new();
        assert!(!queue.is_called());
        queue.send(write(1)).unwrap();
        assert!(queue.is_called());
        queue.call_at(3);
        queue.send(write(1)).unwrap();
        assert!(!queue.is_called());
        queue.send(write(1)).unwrap();
        assert!(queue.is_called());
        queue.call_at(100);
        assert!(!queue.is_called());
        queue.send(write(CALL_AT_BYTES)).unwrap();
        assert!(queue.is_called());
        queue.call_at(usize::MAX);
        assert!(!queue.is_called());
    }

    #[test]
    fn a_queue_that_nobody_empties_any_more_says_closed() {
        let (queue, receiver) = WriteQueue::new();
        drop(receiver);
        assert_eq!(queue.send(write(1)), Err(WriteError::Closed));
    }

    #[test]
    fn writes_left_in_a_queue_that_nobody_empties_any_more_are_answered() {
        let (queue, receiver) = WriteQueue::new();
        let (mut answer, ticket) = slot();
        queue.send(Write { ticket: WriteTicket::Caller(ticket), ..write(1) }).unwrap();
        drop(receiver);
        assert_eq!(answer.wait(), None);
    }
}

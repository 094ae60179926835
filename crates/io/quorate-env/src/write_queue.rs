use crate::WriteError;
use crate::shell::event::Write;
use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use std::sync::atomic::{AtomicUsize, Ordering};

/// The writes on their way from callers to the event loop: bounded in number and in bytes, and never blocking.
pub(crate) struct WriteQueue {
    sender: Sender<Write>,
    bytes: AtomicUsize,
}

/// So many writes may wait.
const WRITES_MAX: usize = 65_536;
/// So many bytes of payloads may wait; a longer one is taken where nothing waits.
const BYTES_MAX: usize = 64 << 20;

impl WriteQueue {
    /// A queue and its end.
    pub(crate) fn new() -> (Self, Receiver<Write>) {
        let (sender, receiver) = bounded(WRITES_MAX);
        (Self { sender, bytes: AtomicUsize::new(0) }, receiver)
    }

    /// Queues a write, or says why it is refused.
    pub(crate) fn send(&self, write: Write) -> Result<(), WriteError> {
        let bytes = write.payload.len();
        let before = self.bytes.fetch_add(bytes, Ordering::Relaxed);
        let fits = before == 0 || before + bytes <= BYTES_MAX;
        let sent = if fits { self.sender.try_send(write) } else { Err(TrySendError::Full(write)) };
        sent.map_err(|error| {
            self.left(bytes);
            match error {
                TrySendError::Full(_) => WriteError::Busy,
                TrySendError::Disconnected(_) => WriteError::Closed,
            }
        })
    }

    /// A write of so many bytes has left the queue.
    pub(crate) fn left(&self, bytes: usize) {
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slot::slot;
    use bytes::Bytes;
    use quorate_core::Time;
    use quorate_policy::CommitDurability;

    fn write(bytes: usize) -> Write {
        let (_, ticket) = slot();
        let payload = Bytes::from(vec![0; bytes]);
        Write { payload, durability: CommitDurability::default(), deadline: Time::ZERO, ticket }
    }

    #[test]
    fn a_full_queue_refuses_at_once_and_takes_more_when_there_is_room() {
        let (queue, receiver) = WriteQueue::new();
        assert_eq!(queue.send(write(BYTES_MAX + 1)), Ok(()), "a long write is taken where nothing waits");
        assert_eq!(queue.send(write(1)), Err(WriteError::Busy));
        queue.left(receiver.recv().unwrap().payload.len());
        for _ in 0..WRITES_MAX {
            queue.send(write(0)).unwrap();
        }
        assert_eq!(queue.send(write(0)), Err(WriteError::Busy));
        receiver.recv().unwrap();
        assert_eq!(queue.send(write(0)), Ok(()));
    }

    #[test]
    fn a_queue_that_nobody_empties_any_more_says_closed() {
        let (queue, receiver) = WriteQueue::new();
        drop(receiver);
        assert_eq!(queue.send(write(1)), Err(WriteError::Closed));
    }
}

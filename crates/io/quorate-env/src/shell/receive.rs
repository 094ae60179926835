//! How the threads that carry things out wait for commands.
//!
//! A queue's own `recv` yields the processor several times before it sleeps. Where there are more threads that
//! run than processors, each of these yields costs as much as the sleep, and may give the processor away to
//! another program for longer than a command takes. A selection sleeps at once.

use crossbeam_channel::{Receiver, RecvTimeoutError, never, select};
use std::time::Duration;

/// The next message; `None` once there will be none.
pub(super) fn receive<T>(queue: &Receiver<T>) -> Option<T> {
    let never = never::<T>();
    select! {
        recv(queue) -> message => message.ok(),
        recv(never) -> message => message.ok(),
    }
}

/// The next message, if it comes in time.
///
/// # Errors
/// Whether there was none for so long, or there will be none.
pub(super) fn receive_within<T>(queue: &Receiver<T>, patience: Duration) -> Result<T, RecvTimeoutError> {
    let never = never::<T>();
    select! {
        recv(queue) -> message => message.map_err(|_| RecvTimeoutError::Disconnected),
        recv(never) -> message => message.map_err(|_| RecvTimeoutError::Disconnected),
        default(patience) => Err(RecvTimeoutError::Timeout),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crossbeam_channel::unbounded;
    use std::thread;

    #[test]
    fn messages_come_in_their_order_until_the_last_sender_is_gone() {
        let (sender, queue) = unbounded();
        let receiving = thread::spawn(move || [receive(&queue), receive(&queue), receive(&queue)]);
        sender.send(1).unwrap();
        sender.send(2).unwrap();
        drop(sender);
        assert_eq!(receiving.join().unwrap(), [Some(1), Some(2), None]);
    }

    #[test]
    fn a_message_that_does_not_come_in_time_is_told_from_one_that_never_comes() {
        let (sender, queue) = unbounded();
        assert_eq!(receive_within(&queue, Duration::ZERO), Err(RecvTimeoutError::Timeout));
        sender.send(1).unwrap();
        assert_eq!(receive_within(&queue, Duration::ZERO), Ok(1));
        drop(sender);
        assert_eq!(receive_within(&queue, Duration::from_secs(60)), Err(RecvTimeoutError::Disconnected));
    }
}

use super::event::Event;
use super::mailbox::Mailbox;
use crate::tally::Tally;
use quorate_core::{Admission, Hello, Inbox, NodeId, Packet, PeerEvent, Service};
use quorate_replica::Envelope;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Where the transport leaves what it hears: messages are decoded on its thread and queued for the event
/// loop.
///
/// What waits is bounded in bytes. A correct peer sends no more than its window; one that does is cut off.
pub(crate) struct NodeInbox {
    events: Mailbox,
    budget: Arc<Budget>,
    hello: Arc<Mutex<Hello>>,
    tally: Arc<Tally>,
}

/// How many bytes of packets wait, and may.
#[derive(Debug)]
pub(crate) struct Budget {
    waiting: AtomicUsize,
    bytes_max: usize,
}

impl Budget {
    pub(crate) const fn new(bytes_max: usize) -> Self {
        Self { waiting: AtomicUsize::new(0), bytes_max }
    }

    /// Takes in a packet, unless too much waits already. A packet always fits where nothing waits.
    fn admit(&self, bytes: usize) -> bool {
        let before = self.waiting.fetch_add(bytes, Ordering::Relaxed);
        let fits = before == 0 || before.saturating_add(bytes) <= self.bytes_max;
        if !fits {
            self.release(bytes);
        }
        fits
    }

    /// A packet waits no more.
    pub(crate) fn release(&self, bytes: usize) {
        self.waiting.fetch_sub(bytes, Ordering::Relaxed);
    }
}

impl NodeInbox {
    pub(crate) const fn new(
        events: Mailbox,
        budget: Arc<Budget>,
        hello: Arc<Mutex<Hello>>,
        tally: Arc<Tally>,
    ) -> Self {
        Self { events, budget, hello, tally }
    }
}

impl Inbox for NodeInbox {
    fn hello(&self) -> Hello {
        self.hello.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn receive(&self, from: NodeId, _service: Service, packet: Packet) -> Admission {
        let bytes = packet.bytes();
        if !self.budget.admit(bytes) {
            self.tally.packets_refused.increment();
            return Admission::Refused;
        }
        match Envelope::decode(packet) {
            Ok(envelope) => {
                self.tally.packets_received.increment();
                // The loop has ended if it takes no more events; what comes now is of no interest to anybody.
                let _ = self.events.send_and_help(Event::Packet { from, envelope, bytes });
                Admission::Accepted
            }
            Err(error) => {
                tracing::warn!(%from, %error, "a packet is no message; the link is closed");
                self.budget.release(bytes);
                self.tally.packets_malformed.increment();
                Admission::Refused
            }
        }
    }

    fn notice(&self, event: PeerEvent) {
        let _ = self.events.send(Event::Peer(event));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_is_bounded_and_a_long_packet_fits_when_nothing_waits() {
        let budget = Budget::new(100);
        assert!(budget.admit(1000));
        assert!(!budget.admit(1));
        budget.release(1000);
        assert!(budget.admit(60) && budget.admit(40));
        assert!(!budget.admit(1));
        budget.release(40);
        assert!(budget.admit(1));
    }
}

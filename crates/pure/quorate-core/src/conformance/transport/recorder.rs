use crate::{Admission, DownReason, Hello, Inbox, NodeId, Packet, PeerEvent, Service};
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread::{self, ThreadId};
use std::time::Instant;

/// How long a check waits for what must come.
const PATIENCE: Duration = Duration::from_secs(20);

/// Something that an inbox heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// A packet.
    Packet {
        /// Who sent it.
        from: NodeId,
        /// Over which link.
        service: Service,
        /// The packet.
        packet: Packet,
        /// Which thread delivered it.
        thread: ThreadId,
    },
    /// An event.
    Event(PeerEvent),
}

/// An inbox that writes down what it hears.
#[derive(Debug)]
pub struct Recorder {
    hello: Mutex<Hello>,
    heard: Sender<Heard>,
    refuses: AtomicBool,
    is_held: Mutex<bool>,
    released: Condvar,
}

impl Recorder {
    /// An inbox that says `hello`, and what it hears.
    #[must_use]
    pub fn new(hello: Hello) -> (Arc<Self>, Listener) {
        let (heard, receiver) = channel();
        let recorder = Self {
            hello: Mutex::new(hello),
            heard,
            refuses: AtomicBool::new(false),
            is_held: Mutex::new(false),
            released: Condvar::new(),
        };
        (Arc::new(recorder), Listener { heard: receiver })
    }

    /// Refuses all packets from now on, or takes them again.
    pub fn refuse(&self, refuses: bool) {
        self.refuses.store(refuses, Ordering::SeqCst);
    }

    /// Lets deliveries of packets wait, which no other inbox does, or go on.
    pub fn hold(&self, is_held: bool) {
        *self.is_held.lock().unwrap_or_else(PoisonError::into_inner) = is_held;
        self.released.notify_all();
    }

    fn wait_for_release(&self) {
        let is_held = self.is_held.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.released.wait_timeout_while(is_held, PATIENCE, |is_held| *is_held));
    }
}

impl Inbox for Recorder {
    fn hello(&self) -> Hello {
        self.hello.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn receive(&self, from: NodeId, service: Service, packet: Packet) -> Admission {
        self.wait_for_release();
        if self.refuses.load(Ordering::SeqCst) {
            return Admission::Refused;
        }
        let thread = thread::current().id();
        // Nobody listens any more at the end of a check.
        let _outcome = self.heard.send(Heard::Packet { from, service, packet, thread });
        Admission::Accepted
    }

    fn notice(&self, event: PeerEvent) {
        let _outcome = self.heard.send(Heard::Event(event));
    }
}

/// What a [`Recorder`] heard, in order.
#[derive(Debug)]
pub struct Listener {
    heard: Receiver<Heard>,
}

impl Listener {
    /// The first thing from here on of which `select` makes something. What comes before is passed over.
    ///
    /// # Panics
    /// If it does not come in time.
    pub fn wait_for<T>(&self, what: &str, mut select: impl FnMut(&Heard) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        let mut passed = Vec::new();
        loop {
            let patience = deadline.saturating_duration_since(Instant::now());
            let heard = self.heard.recv_timeout(patience);
            let heard = heard.unwrap_or_else(|_| panic!("waited in vain for {what}; heard {passed:#?}"));
            if let Some(found) = select(&heard) {
                return found;
            }
            passed.push(summary(&heard));
        }
    }

    /// Waits until a link stands and returns what the peer said.
    ///
    /// # Panics
    /// If it does not stand in time.
    pub fn wait_for_up(&self, peer: NodeId, link: Service) -> Hello {
        self.wait_for(&format!("{link:?} to {peer} up"), |heard| match heard {
            Heard::Event(PeerEvent::Up { node, service, hello }) => {
                (*node == peer && *service == link).then(|| hello.clone())
            }
            _ => None,
        })
    }

    /// Waits until a link is down for a reason of which `select` makes something.
    ///
    /// # Panics
    /// If it is not in time.
    pub fn wait_for_down<T>(
        &self,
        peer: NodeId,
        link: Service,
        mut select: impl FnMut(&DownReason) -> Option<T>,
    ) -> T {
        self.wait_for(&format!("{link:?} to {peer} down"), |heard| match heard {
            Heard::Event(PeerEvent::Down { node, service, reason }) if *node == peer && *service == link => {
                select(reason)
            }
            _ => None,
        })
    }

    /// Waits for a packet.
    ///
    /// # Panics
    /// If none comes in time.
    pub fn wait_for_packet(&self) -> (NodeId, Service, Packet) {
        self.wait_for("a packet", |heard| match heard {
            Heard::Packet { from, service, packet, .. } => Some((*from, *service, packet.clone())),
            Heard::Event(_) => None,
        })
    }

    /// How much has been heard and not been waited for.
    #[must_use]
    pub fn count_rest(&self) -> usize {
        self.heard.try_iter().count()
    }
}

fn summary(heard: &Heard) -> String {
    match heard {
        Heard::Packet { from, service, packet, .. } => {
            format!("{} B from {from}, {service:?}", packet.bytes())
        }
        Heard::Event(event) => format!("{event:?}"),
    }
}

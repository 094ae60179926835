//! Links over TCP, driven by one thread of their own.

mod accept;
mod config;
mod dial;
mod greeting;
mod link;
mod listen;
mod outbox;
mod packet;
mod stats;

pub use config::{TcpConfig, TcpLimits};
pub use stats::TransportStats;

use crate::TransportError;
use crate::backoff::Backoff;
use accept::Readers;
use link::Link;
use outbox::Outbox;
use quorate_core::{
    Admission, Inbox, Member, MemberList, NodeId, Packet, PeerEvent, SendError, Service, Transport,
};
use stats::Counters;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle, ThreadId};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Notify;

/// Links to the other members of a group over TCP.
///
/// All sockets are driven by one thread that the transport owns, so that it does not matter whether it is started, used or dropped
/// inside an asynchronous runtime or outside of one. Host names are looked up on threads of their own, anew for each
/// attempt, and all addresses of a name are tried in turn.
///
/// Short packets are written to the socket by the thread that calls [`send`](Transport::send), without blocking; the rest by the transport's
/// thread, many packets in one system call. Bodies are not copied. Packets are handed to the inbox on the transport's thread.
///
/// **Nobody is authenticated.** Whoever knows a group's name and members can introduce itself as one of them.
pub struct TcpTransport {
    shared: Arc<Shared>,
    local_address: SocketAddr,
    thread_id: ThreadId,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// What the links, the listener and the handle have in common.
pub(crate) struct Shared {
    members: MemberList,
    limits: TcpLimits,
    inbox: Arc<dyn Inbox>,
    counters: Arc<Counters>,
    outboxes: HashMap<(NodeId, Service), Arc<Outbox>>,
    readers: Readers,
    is_closed: AtomicBool,
    closing: Notify,
}

impl TcpTransport {
    /// Listens, and starts to dial every other member.
    ///
    /// # Errors
    /// [`TransportError`]: the configuration is not sound, or the address cannot be listened at. Nothing was started. A member that
    /// cannot be reached is no error; the inbox hears of it.
    pub fn start(config: TcpConfig, inbox: Arc<dyn Inbox>) -> Result<Self, TransportError> {
        config.check(&inbox.hello().group)?;
        let listener = listen::listen(&config)?;
        let failed = |operation| move |source| TransportError::Io { operation, source };
        let local_address = listener.local_addr().map_err(failed("asking for the listening address"))?;
        let runtime = runtime().map_err(failed("starting the network thread"))?;
        let listener = adopt(&runtime, listener).map_err(failed("watching the listening socket"))?;
        let shared = Arc::new(Shared::new(&config, inbox));
        let links = shared.links(&config);
        let running = shared.clone();
        let thread = thread::Builder::new()
            .name(format!("quorate-net-{}", config.me))
            .spawn(move || run(runtime, running, listener, links))
            .map_err(failed("starting the network thread"))?;
        Ok(Self { shared, local_address, thread_id: thread.thread().id(), thread: Mutex::new(Some(thread)) })
    }

    /// Where this node listens, with the port that it was given if it asked for any.
    #[must_use]
    pub fn local_address(&self) -> SocketAddr {
        self.local_address
    }

    /// What the transport has done so far.
    #[must_use]
    pub fn stats(&self) -> TransportStats {
        self.shared.counters.read()
    }
}

impl Transport for TcpTransport {
    /// A packet longer than `packet_bytes_max` never fits and is [`SendError::Full`] too.
    fn send(&self, to: NodeId, service: Service, packet: Packet) -> Result<(), SendError> {
        self.shared.send(to, service, packet)
    }

    /// Called from within the inbox it returns at once, and the inbox hears nothing more once that call has returned. A lookup of a host
    /// name that is under way ends by itself, unheard.
    fn close(&self) {
        self.shared.is_closed.store(true, Ordering::Release);
        self.shared.closing.notify_one();
        if thread::current().id() == self.thread_id {
            return;
        }
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(thread) = thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the network thread had panicked");
        }
    }
}

impl Drop for TcpTransport {
    fn drop(&mut self) {
        self.close();
    }
}

impl Shared {
    fn new(config: &TcpConfig, inbox: Arc<dyn Inbox>) -> Self {
        let counters = Arc::new(Counters::default());
        let outbox = || Arc::new(Outbox::new(config.limits.send_queue_bytes_max, counters.clone()));
        let outboxes =
            peers(config).flat_map(|peer| Service::ALL.map(|service| ((peer.id, service), outbox())));
        Self {
            outboxes: outboxes.collect(),
            members: config.members.clone(),
            limits: config.limits.clone(),
            inbox,
            counters,
            readers: Readers::default(),
            is_closed: AtomicBool::new(false),
            closing: Notify::new(),
        }
    }

    fn links(self: &Arc<Self>, config: &TcpConfig) -> Vec<Link> {
        let link = |peer: &Member, service: Service| Link {
            shared: self.clone(),
            peer: peer.clone(),
            service,
            outbox: self.outboxes[&(peer.id, service)].clone(),
            backoff: Backoff::new(
                config.limits.backoff_min,
                config.limits.backoff_max,
                config.seed ^ (u64::from(peer.id.as_u16()) << 8 | service as u64),
            ),
        };
        peers(config).flat_map(|peer| Service::ALL.map(|service| link(peer, service))).collect()
    }

    fn send(&self, to: NodeId, service: Service, packet: Packet) -> Result<(), SendError> {
        let outbox = self.outboxes.get(&(to, service)).ok_or(SendError::UnknownPeer)?;
        if self.is_closed.load(Ordering::Acquire) {
            return Err(SendError::UnknownPeer);
        }
        if packet.bytes() > self.limits.packet_bytes_max {
            self.counters.sends_oversized.increment();
            return Err(SendError::Full);
        }
        outbox.push(packet).inspect_err(|_| self.counters.sends_dropped.increment())
    }
}

/// The inbox, which is left in peace once the transport is closed.
impl Shared {
    fn notice(&self, event: PeerEvent) {
        if !self.is_closed.load(Ordering::Acquire) {
            self.inbox.notice(event);
        }
    }

    fn receive(&self, from: NodeId, service: Service, packet: Packet) -> Admission {
        if self.is_closed.load(Ordering::Acquire) {
            return Admission::Refused;
        }
        self.inbox.receive(from, service, packet)
    }
}

fn peers(config: &TcpConfig) -> impl Iterator<Item = &Member> {
    config.members.members().iter().filter(|member| member.id != config.me)
}

fn runtime() -> std::io::Result<Runtime> {
    Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .max_blocking_threads(2)
        .thread_name("quorate-lookup")
        .build()
}

fn adopt(runtime: &Runtime, listener: std::net::TcpListener) -> std::io::Result<TcpListener> {
    let _context = runtime.enter();
    TcpListener::from_std(listener)
}

/// The network thread: runs the listener and the links until the transport is closed.
fn run(runtime: Runtime, shared: Arc<Shared>, listener: TcpListener, links: Vec<Link>) {
    runtime.block_on(async {
        tokio::spawn(accept::accept(shared.clone(), listener));
        for link in links {
            tokio::spawn(link.run());
        }
        shared.closing.notified().await;
    });
    // Drops all tasks, and does not wait for a lookup of a host name.
    runtime.shutdown_background();
}

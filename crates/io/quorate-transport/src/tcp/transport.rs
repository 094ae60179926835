use super::accept::accept;
use super::link::Link;
use super::listen::listen;
use super::shared::Shared;
use super::{TcpConfig, TransportStats};
use crate::TransportError;
use quorate_core::{Inbox, NodeId, Packet, SendError, Service, Transport};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle, ThreadId};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};

/// Links to the other members of a group over TCP.
///
/// All sockets are driven by one thread that the transport owns, so that it does not matter whether it is
/// started, used or dropped inside an asynchronous runtime or outside of one. Host names are looked up on
/// threads of their own, anew for each attempt, and all addresses of a name are tried in turn.
///
/// Short packets are written to the socket by the thread that calls [`send`](Transport::send), without
/// blocking; the rest by the transport's thread, many packets in one system call. Bodies are not copied.
/// Packets are handed to the inbox on the transport's thread.
///
/// **Nobody is authenticated.** Whoever knows a group's name and members can introduce itself as one of them.
pub struct TcpTransport {
    shared: Arc<Shared>,
    local_address: SocketAddr,
    thread_id: ThreadId,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl TcpTransport {
    /// Listens, and starts to dial every other member.
    ///
    /// # Errors
    /// [`TransportError`]: the configuration is not sound, or the address cannot be listened at. Nothing was
    /// started. A member that cannot be reached is no error; the inbox hears of it.
    pub fn start(config: TcpConfig, inbox: Arc<dyn Inbox>) -> Result<Self, TransportError> {
        config.check(&inbox.hello().group)?;
        let listener = listen(&config)?;
        let failed = |operation| move |source| TransportError::Io { operation, source };
        let local_address = listener.local_addr().map_err(failed("asking for the listening address"))?;
        let shared = Arc::new(Shared::new(&config, inbox));
        let links = shared.links(&config);
        let runtime = runtime(links.len()).map_err(failed("starting the network thread"))?;
        let listener = adopt(&runtime, listener).map_err(failed("watching the listening socket"))?;
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

    /// Called from within the inbox it returns at once, and the inbox hears nothing more once that call has
    /// returned. A lookup of a host name that is under way ends by itself, unheard.
    fn close(&self) {
        self.shared.close();
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

/// One thread may look up names for each link, so that a name server that does not answer holds up no other
/// name.
fn runtime(links: usize) -> io::Result<Runtime> {
    Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .max_blocking_threads(links.max(1))
        .thread_name("quorate-lookup")
        .build()
}

fn adopt(runtime: &Runtime, listener: std::net::TcpListener) -> io::Result<TcpListener> {
    let _context = runtime.enter();
    TcpListener::from_std(listener)
}

/// The network thread: runs the listener and the links until the transport is closed.
fn run(runtime: Runtime, shared: Arc<Shared>, listener: TcpListener, links: Vec<Link>) {
    runtime.block_on(async {
        tokio::spawn(accept(shared.clone(), listener));
        for link in links {
            tokio::spawn(link.run());
        }
        shared.closed().await;
    });
    // Drops all tasks, and does not wait for a lookup of a host name.
    runtime.shutdown_background();
}

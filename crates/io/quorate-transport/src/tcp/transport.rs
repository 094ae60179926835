use super::port::Port;
use super::router::Router;
use super::shared::Shared;
use super::{Listener, ListenerConfig, ListenerStats, TcpConfig, TransportStats};
use crate::TransportError;
use quorate_core::{Inbox, NodeId, Packet, SendError, Service, Traffic, Transport};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// Links to the other members of a group over TCP.
///
/// All sockets are driven by the thread of the group's [`Listener`], so that it does not matter whether the
/// transport is started, used or dropped inside an asynchronous runtime or outside of one. Host names are
/// looked up on threads of their own, anew for each attempt, and all addresses of a name are tried in turn.
///
/// Short packets are written to the socket by the thread that calls [`send`](Transport::send), without
/// blocking; the rest by the listener's thread, many packets in one system call. Bodies are not copied, unless
/// they are compressed: on the listener's thread, or beside it if they are long.
/// Packets are handed to the inbox on the listener's thread.
///
/// **Nobody is authenticated.** Whoever knows a group's name and members can introduce itself as one of them.
pub struct TcpTransport {
    shared: Arc<Shared>,
    router: Arc<Router>,
    local_address: SocketAddr,
    /// Until the transport is closed.
    port: Mutex<Option<Arc<Port>>>,
}

impl TcpTransport {
    /// Opens a group on a listener of its own, which ends with it.
    ///
    /// # Errors
    /// [`TransportError`], as [`Listener::bind`] and [`on`](Self::on).
    pub fn start(
        listener: &ListenerConfig,
        config: TcpConfig,
        inbox: Arc<dyn Inbox>,
    ) -> Result<Self, TransportError> {
        config.check(&inbox.hello().group)?;
        Self::on(&Listener::bind(listener)?, config, inbox)
    }

    /// Opens the group that the inbox's hello names on a listener, and starts to dial every other member.
    ///
    /// # Errors
    /// [`TransportError`]: the configuration is not sound, or the group is open on this listener already.
    /// Nothing was started. A member that cannot be reached is no error; the inbox hears of it.
    pub fn on(listener: &Listener, config: TcpConfig, inbox: Arc<dyn Inbox>) -> Result<Self, TransportError> {
        let group = inbox.hello().group;
        config.check(&group)?;
        let shared = Arc::new(Shared::new(group, &config, inbox));
        let links = shared.links(&config);
        listener.port.open(&shared, links)?;
        Ok(Self {
            shared,
            router: Arc::clone(listener.port.router()),
            local_address: listener.local_address(),
            port: Mutex::new(Some(Arc::clone(&listener.port))),
        })
    }

    /// Where the group's callers are let in, with the port that was given if any was asked for.
    #[must_use]
    pub fn local_address(&self) -> SocketAddr {
        self.local_address
    }

    /// What the group's listener has done so far, on behalf of all of its groups.
    #[must_use]
    pub fn listener_stats(&self) -> ListenerStats {
        self.router.counters.read()
    }

    /// What the group's links have done so far.
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

    fn traffic(&self) -> Traffic {
        let TransportStats { stream_bytes_sent, stream_bytes_on_wire, .. } = self.stats();
        Traffic { stream_bytes_sent, stream_bytes_on_wire }
    }

    /// Called from within an inbox of the same listener it returns at once, and the inbox hears nothing more
    /// once that call has returned. A lookup of a host name that is under way ends by itself, unheard.
    fn close(&self) {
        let port = self.port.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(port) = port {
            port.close(&self.shared);
        }
    }
}

impl Drop for TcpTransport {
    fn drop(&mut self) {
        self.close();
    }
}

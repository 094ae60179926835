use super::dial::{Call, Opened, dial, down_reason};
use super::outbox::Outbox;
use super::shared::Shared;
use crate::backoff::Backoff;
use quorate_core::{Compression, DownReason, Member, PeerEvent, Service};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};

/// The link over which this node sends one service's packets to one peer: dialled for ever, written while it
/// stands.
pub(crate) struct Link {
    pub(crate) shared: Arc<Shared>,
    pub(crate) peer: Member,
    pub(crate) service: Service,
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) backoff: Backoff,
}

impl Link {
    /// Runs until the transport is closed.
    ///
    /// A link that ends after it stood for a while is dialled again at once: if the peer's process is dead
    /// that is refused within a round trip, and whoever waits for the peer knows. A link that ends as soon as
    /// it stands counts as a failed attempt. A pause after one ends early when the peer calls.
    pub(crate) async fn run(mut self) {
        loop {
            let Ended { reason, stood } = self.open_and_serve().await;
            self.report(reason);
            if stood >= self.shared.limits.backoff_max {
                self.backoff.reset();
            } else {
                tokio::select! {
                    () = sleep(self.backoff.next()) => {}
                    () = self.shared.call_of(self.peer.id) => {}
                }
            }
        }
    }

    async fn open_and_serve(&self) -> Ended {
        let call = Call { peer: &self.peer, service: self.service, wish: self.outbox.wish() };
        match dial(&self.shared, call).await {
            Ok(Opened { stream, hello, compression }) => {
                self.shared.counters.links_opened.increment();
                let (opened, stream) = (Instant::now(), Arc::new(stream));
                let _standing = Standing::new(&self.outbox, stream.clone(), compression);
                self.shared.notice(PeerEvent::Up { node: self.peer.id, service: self.service, hello });
                let reason = self.serve(&stream).await;
                Ended { reason, stood: opened.elapsed() }
            }
            Err(reason) => {
                self.shared.counters.dials_failed.increment();
                Ended { reason, stood: Duration::ZERO }
            }
        }
    }

    fn report(&self, reason: DownReason) {
        let (node, service) = (self.peer.id, self.service);
        tracing::debug!(peer = %self.peer.name, ?service, ?reason, "link down");
        self.shared.notice(PeerEvent::Down { node, service, reason });
    }

    /// Writes what the outbox holds until the link ends, and says why it did.
    async fn serve(&self, stream: &TcpStream) -> DownReason {
        loop {
            let blocked = match self.outbox.flush().await {
                Ok(blocked) => blocked,
                Err(error) => return down_reason(error),
            };
            tokio::select! {
                reason = watch(stream) => return reason,
                () = self.outbox.work() => {}
                _ = stream.writable(), if blocked => {}
            }
        }
    }
}

/// How a link, or an attempt to open one, ended.
struct Ended {
    reason: DownReason,
    /// How long the link stood.
    stood: Duration,
}

/// An outbox that is open as long as this lives, also if the link's task is dropped.
struct Standing<'a>(&'a Outbox);

impl<'a> Standing<'a> {
    fn new(outbox: &'a Outbox, stream: Arc<TcpStream>, compression: Compression) -> Self {
        outbox.open(stream, compression);
        Self(outbox)
    }
}

impl Drop for Standing<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// Waits for the end of the link. The peer has nothing to say on it, so an idle link shows at once that the
/// peer is gone.
async fn watch(stream: &TcpStream) -> DownReason {
    loop {
        if let Err(error) = stream.readable().await {
            return down_reason(error);
        }
        match stream.try_read(&mut [0]) {
            Ok(0) => return DownReason::Lost,
            Ok(_) => return DownReason::Other("the peer spoke on a link that is not its own".into()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return down_reason(error),
        }
    }
}

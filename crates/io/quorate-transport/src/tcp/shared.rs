use super::link::Link;
use super::outbox::Outbox;
use super::press::Press;
use super::stats::Counters;
use super::tasks::Tasks;
use super::{TcpConfig, TcpLimits};
use crate::backoff::Backoff;
use crate::introduction::Acquaintances;
use quorate_core::{
    Admission, Hello, Inbox, Member, MemberList, NodeId, Packet, PeerEvent, SendError, Service,
};
use std::collections::HashMap;
use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::Notify;

/// One group at a port: what its links, the port and the handle have in common.
pub(crate) struct Shared {
    pub(crate) name: String,
    pub(crate) members: MemberList,
    pub(crate) limits: TcpLimits,
    pub(crate) counters: Arc<Counters>,
    pub(crate) tasks: Tasks,
    pub(crate) acquaintances: Acquaintances,
    inbox: Arc<dyn Inbox>,
    outboxes: HashMap<(NodeId, Service), Arc<Outbox>>,
    /// Who waits for a peer to be there again.
    callers: HashMap<NodeId, Notify>,
    is_closed: AtomicBool,
}

impl Shared {
    pub(crate) fn new(name: String, config: &TcpConfig, inbox: Arc<dyn Inbox>) -> Self {
        let counters = Arc::new(Counters::default());
        let press = Press::new(config.compression, &counters);
        let outbox = |service| {
            let press = press.clone().filter(|_| service == Service::Stream);
            Arc::new(Outbox::new(config.limits.send_queue_bytes_max, service, press, counters.clone()))
        };
        let outboxes =
            peers(config).flat_map(|peer| Service::ALL.map(|service| ((peer.id, service), outbox(service))));
        Self {
            name,
            outboxes: outboxes.collect(),
            callers: peers(config).map(|peer| (peer.id, Notify::new())).collect(),
            members: config.members.clone(),
            limits: config.limits.clone(),
            inbox,
            counters,
            tasks: Tasks::default(),
            acquaintances: Acquaintances::default(),
            is_closed: AtomicBool::new(false),
        }
    }

    /// The links to all peers, to be run.
    pub(crate) fn links(self: &Arc<Self>, config: &TcpConfig) -> Vec<Link> {
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

    pub(crate) fn send(&self, to: NodeId, service: Service, packet: Packet) -> Result<(), SendError> {
        let outbox = self.outboxes.get(&(to, service)).ok_or(SendError::UnknownPeer)?;
        if self.is_closed() {
            return Err(SendError::UnknownPeer);
        }
        if packet.bytes() > self.limits.packet_bytes_max {
            self.counters.sends_oversized.increment();
            return Err(SendError::Full);
        }
        outbox.push(packet).inspect_err(|_| self.counters.sends_dropped.increment())
    }
}

/// What is heard and said until the transport is closed.
impl Shared {
    pub(crate) fn close(&self) {
        self.is_closed.store(true, Ordering::Release);
    }

    /// A peer has called and was let in: it is there, and need not be waited for before it is called back.
    pub(crate) fn called_by(&self, peer: NodeId) {
        if let Some(caller) = self.callers.get(&peer) {
            caller.notify_waiters();
        }
    }

    /// Waits until a peer calls.
    pub(crate) async fn call_of(&self, peer: NodeId) {
        match self.callers.get(&peer) {
            Some(caller) => caller.notified().await,
            None => pending().await,
        }
    }

    pub(crate) fn hello(&self) -> Hello {
        self.inbox.hello()
    }

    pub(crate) fn notice(&self, event: PeerEvent) {
        if !self.is_closed() {
            self.inbox.notice(event);
        }
    }

    /// Hands a packet to the inbox. `None` once the transport is closed.
    pub(crate) fn receive(&self, from: NodeId, service: Service, packet: Packet) -> Option<Admission> {
        (!self.is_closed()).then(|| self.inbox.receive(from, service, packet))
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::Acquire)
    }
}

fn peers(config: &TcpConfig) -> impl Iterator<Item = &Member> {
    config.members.members().iter().filter(|member| member.id != config.me)
}

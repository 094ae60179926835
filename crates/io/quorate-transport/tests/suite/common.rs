//! Members at free ports of this machine.

use bytes::Bytes;
use quorate_core::conformance::transport::{Heard, Listener, Recorder, hello};
use quorate_core::{
    HelloRefusal, Member, MemberList, NodeId, NodeType, Packet, PeerEvent, QuorumPolicy, Service, Transport,
};
use quorate_transport::{ListenerConfig, TcpConfig, TcpTransport};
use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Electable members of these names and addresses.
pub(crate) fn members(declared: &[(&str, String)]) -> MemberList {
    let member = |(name, address): &(&str, String)| Member {
        id: NodeId::default(),
        name: (*name).into(),
        address: address.clone(),
        node_type: NodeType::Electable,
        priority: 1,
    };
    MemberList::found(declared.iter().map(member).collect(), QuorumPolicy::SimpleMajority).unwrap()
}

/// The members a, b and c at free ports.
pub(crate) fn three_members() -> MemberList {
    members(&["a", "b", "c"].map(|name| (name, free_address(Ipv4Addr::LOCALHOST.into()))))
}

/// An address with a port at which nobody listens.
///
/// The port lies below those that the operating system gives to outgoing connections, so none of them takes
/// it meanwhile; tests that run in other processes begin to look elsewhere.
pub(crate) fn free_address(host: IpAddr) -> String {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    loop {
        let number = process::id().wrapping_mul(61) + u32::from(NEXT.fetch_add(1, Ordering::Relaxed));
        let port = 10_000 + (number % 20_000) as u16;
        if let Ok(listener) = TcpListener::bind((host, port)) {
            return listener.local_addr().unwrap().to_string();
        }
    }
}

/// The number of the member with this name.
pub(crate) fn id(members: &MemberList, name: &str) -> NodeId {
    members.named(name).unwrap().id
}

/// A packet with this head and an empty body.
pub(crate) fn packet(head: &'static str) -> Packet {
    Packet { head: Bytes::from_static(head.as_bytes()), body: Bytes::new() }
}

/// An inbox for a member of a group that has not been founded.
pub(crate) fn recorder(members: &MemberList, name: &str) -> (Arc<Recorder>, Listener) {
    Recorder::new(hello(members, id(members, name)))
}

/// A node over TCP that listens where `members` says, and what it hears.
pub(crate) struct TcpNode {
    pub(crate) id: NodeId,
    pub(crate) transport: TcpTransport,
    pub(crate) inbox: Arc<Recorder>,
    pub(crate) listener: Listener,
}

impl TcpNode {
    pub(crate) fn start(members: &MemberList, name: &str) -> Self {
        Self::start_with(members, name, |_, _| {})
    }

    pub(crate) fn start_with(
        members: &MemberList,
        name: &str,
        change: impl FnOnce(&mut ListenerConfig, &mut TcpConfig),
    ) -> Self {
        let id = id(members, name);
        let mut port = ListenerConfig::new(members.named(name).unwrap().address.clone());
        let mut config = TcpConfig::new(id, members.clone());
        change(&mut port, &mut config);
        let (inbox, listener) = recorder(members, name);
        let transport = TcpTransport::start(&port, config, inbox.clone()).unwrap();
        Self { id, transport, inbox, listener }
    }

    /// Sends a packet to a peer to which the link stands and waits until it is there.
    pub(crate) fn reaches(&self, peer: &Self, service: Service, head: &'static str) {
        self.transport.send(peer.id, service, packet(head)).unwrap();
        assert_eq!(peer.listener.wait_for_packet(), (self.id, service, packet(head)));
    }

    /// Waits until a caller is turned away.
    pub(crate) fn wait_for_rejection(&self) -> (String, Option<HelloRefusal>) {
        self.listener.wait_for("a rejected caller", |heard| match heard {
            Heard::Event(PeerEvent::Rejected { peer, refusal }) => Some((peer.clone(), refusal.clone())),
            _ => None,
        })
    }
}

/// Waits until a condition holds that no event tells of.
pub(crate) fn wait_until(condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !condition() {
        assert!(Instant::now() < deadline, "waited in vain");
        thread::yield_now();
    }
}

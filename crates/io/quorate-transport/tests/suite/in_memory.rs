//! Faults of the in-memory network.

use crate::common::{id, members, packet, recorder, three_members};
use quorate_core::conformance::transport::{Heard, Listener};
use quorate_core::{DownReason, HelloRefusal, MemberList, NodeId, PeerEvent, SendError, Service, Transport};
use quorate_transport::{InMemoryNetwork, InMemoryTransport, TransportError};
use std::time::{Duration, Instant};

struct Node {
    id: NodeId,
    transport: InMemoryTransport,
    listener: Listener,
}

impl Node {
    fn start(network: &InMemoryNetwork, members: &MemberList, name: &str) -> Self {
        let (inbox, listener) = recorder(members, name);
        let id = id(members, name);
        Self { id, transport: network.start(id, members.clone(), inbox).unwrap(), listener }
    }

    fn reaches(&self, peer: &Self, head: &'static str) {
        self.transport.send(peer.id, Service::Control, packet(head)).unwrap();
        assert_eq!(peer.listener.wait_for_packet(), (self.id, Service::Control, packet(head)));
    }

    fn wait_for_down(&self, peer: NodeId, expected: &DownReason) {
        self.listener.wait_for_down(peer, Service::Control, |reason| (reason == expected).then_some(()));
    }
}

/// Two nodes with links both ways.
fn pair() -> (InMemoryNetwork, MemberList, Node, Node) {
    let (network, members) = (InMemoryNetwork::new().unwrap(), three_members());
    let (a, b) = (Node::start(&network, &members, "a"), Node::start(&network, &members, "b"));
    a.listener.wait_for_up(b.id, Service::Control);
    b.listener.wait_for_up(a.id, Service::Control);
    (network, members, a, b)
}

#[test]
fn a_partition_is_silent_and_its_links_end_when_it_is_healed() {
    let (network, _, a, b) = pair();
    network.partition(a.id, b.id);
    a.transport.send(b.id, Service::Control, packet("lost")).unwrap();
    b.transport.send(a.id, Service::Control, packet("lost")).unwrap();
    network.heal();
    for (node, peer) in [(&a, &b), (&b, &a)] {
        node.wait_for_down(peer.id, &DownReason::Lost);
        node.listener.wait_for_up(peer.id, Service::Control);
    }
    a.reaches(&b, "after");
    b.reaches(&a, "after");
}

#[test]
fn a_one_way_partition_leaves_the_other_way_open() {
    let (network, _, a, b) = pair();
    network.partition_one_way(a.id, b.id);
    a.transport.send(b.id, Service::Control, packet("lost")).unwrap();
    b.reaches(&a, "through");
    network.heal();
    a.wait_for_down(b.id, &DownReason::Lost);
    a.listener.wait_for_up(b.id, Service::Control);
    a.reaches(&b, "after");
}

#[test]
fn no_link_opens_across_a_partition_until_it_is_healed() {
    let (network, members) = (InMemoryNetwork::new().unwrap(), three_members());
    network.partition_one_way(id(&members, "b"), id(&members, "a"));
    let (a, b) = (Node::start(&network, &members, "a"), Node::start(&network, &members, "b"));
    for (node, peer) in [(&a, &b), (&b, &a)] {
        node.wait_for_down(peer.id, &DownReason::TimedOut);
        let sent = node.transport.send(peer.id, Service::Control, packet("lost"));
        assert_eq!(sent, Err(SendError::NotConnected));
    }
    network.heal();
    a.listener.wait_for_up(b.id, Service::Control);
}

#[test]
fn a_killed_node_hears_nothing_and_is_refused_until_it_is_started_again() {
    let (network, members, a, b) = pair();
    network.kill(b.id);
    a.wait_for_down(b.id, &DownReason::Lost);
    a.wait_for_down(b.id, &DownReason::ConnectionRefused);
    assert_eq!(b.transport.send(a.id, Service::Control, packet("dead")), Err(SendError::UnknownPeer));
    let again = Node::start(&network, &members, "b");
    a.listener.wait_for_up(b.id, Service::Control);
    a.reaches(&again, "again");
    let _heard_before = b.listener.count_rest();
    a.reaches(&again, "again");
    assert_eq!(b.listener.count_rest(), 0);
}

#[test]
fn a_delayed_packet_is_not_early_and_not_overtaken_when_the_delay_ends() {
    let (network, _, a, b) = pair();
    let (sent, delay) = (Instant::now(), Duration::from_millis(30));
    network.set_delay(a.id, b.id, delay);
    a.transport.send(b.id, Service::Control, packet("first")).unwrap();
    network.set_delay(a.id, b.id, Duration::ZERO);
    a.transport.send(b.id, Service::Control, packet("second")).unwrap();
    assert_eq!(b.listener.wait_for_packet().2, packet("first"));
    assert!(sent.elapsed() >= delay);
    assert_eq!(b.listener.wait_for_packet().2, packet("second"));
}

#[test]
fn whoever_answers_in_a_members_place_is_named_on_both_sides() {
    let address = |name: &str| format!("{name}:1");
    let right = members(&["a", "b", "c"].map(|name| (name, address(name))));
    let swapped = members(&[("a", address("a")), ("b", address("c")), ("c", address("b"))]);
    let network = InMemoryNetwork::new().unwrap();
    let a = Node::start(&network, &right, "a");
    let (inbox, listener) = recorder(&right, "c");
    let c = network.start(id(&right, "c"), swapped, inbox).unwrap();
    let wrong = HelloRefusal::WrongNode { expected: "b".into(), found: "c".into() };
    a.wait_for_down(id(&right, "b"), &DownReason::Hello(wrong.clone()));
    listener.wait_for("the rejected caller", |heard| {
        let rejected = PeerEvent::Rejected { peer: "a".into(), refusal: Some(wrong.clone()) };
        (*heard == Heard::Event(rejected)).then_some(())
    });
    c.close();
}

#[test]
fn two_nodes_cannot_run_at_one_address() {
    let (network, members) = (InMemoryNetwork::new().unwrap(), three_members());
    let _a = Node::start(&network, &members, "a");
    let again = network.start(id(&members, "a"), members.clone(), recorder(&members, "a").0);
    assert!(matches!(again, Err(TransportError::AddressInUse { .. })));
    let stranger = network.start(NodeId::new(9), members.clone(), recorder(&members, "a").0);
    assert!(matches!(stranger, Err(TransportError::NotAMember { .. })));
}

//! Faults of the in-memory network.

use crate::common::{id, members, packet, recorder, three_members};
use quorate_core::conformance::transport::{Heard, Listener};
use quorate_core::{DownReason, HelloRefusal, MemberList, NodeId, PeerEvent, SendError, Service, Transport};
use quorate_transport::{InMemoryGroup, InMemoryTransport, TransportError};
use std::time::{Duration, Instant};

struct Node {
    id: NodeId,
    transport: InMemoryTransport,
    listener: Listener,
}

impl Node {
    fn start(group: &InMemoryGroup, members: &MemberList, name: &str) -> Self {
        let (inbox, listener) = recorder(members, name);
        let id = id(members, name);
        Self { id, transport: group.start(id, members.clone(), inbox).unwrap(), listener }
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
fn pair() -> (InMemoryGroup, MemberList, Node, Node) {
    let (group, members) = (InMemoryGroup::new().unwrap(), three_members());
    let (a, b) = (Node::start(&group, &members, "a"), Node::start(&group, &members, "b"));
    a.listener.wait_for_up(b.id, Service::Control);
    b.listener.wait_for_up(a.id, Service::Control);
    (group, members, a, b)
}

#[test]
fn a_partition_is_silent_and_its_links_end_when_it_is_healed() {
    let (group, _, a, b) = pair();
    group.partition(a.id, b.id);
    a.transport.send(b.id, Service::Control, packet("lost")).unwrap();
    b.transport.send(a.id, Service::Control, packet("lost")).unwrap();
    group.heal();
    for (node, peer) in [(&a, &b), (&b, &a)] {
        node.wait_for_down(peer.id, &DownReason::Lost);
        node.listener.wait_for_up(peer.id, Service::Control);
    }
    a.reaches(&b, "after");
    b.reaches(&a, "after");
}

#[test]
fn a_one_way_partition_leaves_the_other_way_open() {
    let (group, _, a, b) = pair();
    group.partition_one_way(a.id, b.id);
    a.transport.send(b.id, Service::Control, packet("lost")).unwrap();
    b.reaches(&a, "through");
    group.heal();
    a.wait_for_down(b.id, &DownReason::Lost);
    a.listener.wait_for_up(b.id, Service::Control);
    a.reaches(&b, "after");
}

#[test]
fn no_link_opens_across_a_partition_until_it_is_healed() {
    let (group, members) = (InMemoryGroup::new().unwrap(), three_members());
    group.partition_one_way(id(&members, "b"), id(&members, "a"));
    let (a, b) = (Node::start(&group, &members, "a"), Node::start(&group, &members, "b"));
    for (node, peer) in [(&a, &b), (&b, &a)] {
        node.wait_for_down(peer.id, &DownReason::TimedOut);
        let sent = node.transport.send(peer.id, Service::Control, packet("lost"));
        assert_eq!(sent, Err(SendError::NotConnected));
    }
    group.heal();
    a.listener.wait_for_up(b.id, Service::Control);
}

#[test]
fn a_killed_node_hears_nothing_and_is_refused_until_it_is_started_again() {
    let (group, members, a, b) = pair();
    group.kill(b.id);
    a.wait_for_down(b.id, &DownReason::Lost);
    a.wait_for_down(b.id, &DownReason::ConnectionRefused);
    assert_eq!(b.transport.send(a.id, Service::Control, packet("dead")), Err(SendError::UnknownPeer));
    let again = Node::start(&group, &members, "b");
    a.listener.wait_for_up(b.id, Service::Control);
    a.reaches(&again, "again");
    let _heard_before = b.listener.count_rest();
    a.reaches(&again, "again");
    assert_eq!(b.listener.count_rest(), 0);
}

#[test]
fn a_delayed_packet_is_not_early_and_not_overtaken_when_the_delay_ends() {
    let (group, _, a, b) = pair();
    let (sent, delay) = (Instant::now(), Duration::from_millis(30));
    group.set_delay(a.id, b.id, delay);
    a.transport.send(b.id, Service::Control, packet("first")).unwrap();
    group.set_delay(a.id, b.id, Duration::ZERO);
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
    let group = InMemoryGroup::new().unwrap();
    let a = Node::start(&group, &right, "a");
    let (inbox, listener) = recorder(&right, "c");
    let c = group.start(id(&right, "c"), swapped, inbox).unwrap();
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
    let (group, members) = (InMemoryGroup::new().unwrap(), three_members());
    let _a = Node::start(&group, &members, "a");
    let again = group.start(id(&members, "a"), members.clone(), recorder(&members, "a").0);
    assert!(matches!(again, Err(TransportError::AddressInUse { .. })));
    let stranger = group.start(NodeId::new(9), members.clone(), recorder(&members, "a").0);
    assert!(matches!(stranger, Err(TransportError::NotAMember { .. })));
}

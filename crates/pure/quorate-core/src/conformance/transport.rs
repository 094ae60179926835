//! What every [`Transport`] must do.

#[expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "real transports are waited for with a real clock; nothing of the protocol is here"
)]
mod recorder;

pub use recorder::{Heard, Listener, Recorder};

use crate::{
    DownReason, GroupUuid, Hello, HelloRefusal, Inbox, Incarnation, MemberList, NodeId, Packet, PeerEvent,
    SendError, Service, Transport,
};
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use bytes::Bytes;
use std::thread;

/// A network under test.
pub trait Network {
    /// Its members: at least three, the first of which are used.
    fn members(&self) -> MemberList;

    /// Starts a member's transport, for the first time or after the one before was closed.
    fn start(&self, me: NodeId, inbox: Arc<dyn Inbox>) -> Arc<dyn Transport>;
}

/// Runs every check. `fresh` gives a network of which no member runs at each call.
///
/// # Panics
/// If the transport breaks the trait's promises.
pub fn suite<N: Network>(mut fresh: impl FnMut() -> N) {
    links_come_up_and_say_who_answered(&fresh());
    packets_arrive_in_order_and_unchanged(&fresh());
    packets_are_not_delivered_by_the_sender(&fresh());
    a_send_that_cannot_reach_anybody_says_so(&fresh());
    a_peer_that_went_is_noticed_and_found_again(&fresh());
    a_refused_packet_ends_the_link(&fresh());
    a_full_link_says_so_and_loses_nothing_that_it_took(&fresh());
    a_closed_transport_is_silent(&fresh());
    a_stranger_is_refused_and_named_on_both_sides(fresh);
}

/// What a member of `members` says of itself, in a group that has not been founded.
///
/// # Panics
/// If there is no such member.
#[must_use]
pub fn hello(members: &MemberList, me: NodeId) -> Hello {
    let member = members.member(me).unwrap_or_else(|| panic!("{me} is no member"));
    Hello {
        protocol: Hello::PROTOCOL,
        group: "conformance".into(),
        node: member.name.clone(),
        id: me,
        incarnation: Incarnation(u128::from(me.as_u16())),
        open_count: 1,
        uuid: None,
        member_list_hash: Some(members.hash()),
    }
}

/// A running member, and what it hears.
struct Node {
    id: NodeId,
    inbox: Arc<Recorder>,
    listener: Listener,
    transport: Arc<dyn Transport>,
}

impl Node {
    fn start(network: &impl Network, index: usize) -> Self {
        Self::start_saying(network, index, |_| {})
    }

    fn start_saying(network: &impl Network, index: usize, change: impl FnOnce(&mut Hello)) -> Self {
        let members = network.members();
        let id = members.members()[index].id;
        let mut hello = hello(&members, id);
        change(&mut hello);
        let (inbox, listener) = Recorder::new(hello);
        let transport = network.start(id, inbox.clone());
        Self { id, inbox, listener, transport }
    }

    fn send(&self, to: &Self, service: Service, packet: Packet) -> Result<(), SendError> {
        self.transport.send(to.id, service, packet)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.inbox.hold(false);
        self.transport.close();
    }
}

/// Two nodes, once the first can send to the second.
fn pair(network: &impl Network) -> (Node, Node) {
    let (a, b) = (Node::start(network, 0), Node::start(network, 1));
    let mut missing = Service::ALL.to_vec();
    while !missing.is_empty() {
        let up = a.listener.wait_for("all links up", |heard| match heard {
            Heard::Event(PeerEvent::Up { node, service, .. }) if *node == b.id => Some(*service),
            _ => None,
        });
        missing.retain(|service| *service != up);
    }
    (a, b)
}

fn numbered(number: u32, body: usize) -> Packet {
    Packet { head: Bytes::copy_from_slice(&number.to_le_bytes()), body: vec![number as u8; body].into() }
}

fn links_come_up_and_say_who_answered(network: &impl Network) {
    let nodes = [0, 1, 2].map(|index| Node::start(network, index));
    for node in &nodes {
        let mut missing: Vec<_> =
            nodes.iter().filter(|peer| peer.id != node.id).map(|peer| peer.id).collect();
        missing = missing.repeat(Service::ALL.len());
        while !missing.is_empty() {
            let (peer, found) = node.listener.wait_for("every link up", |heard| match heard {
                Heard::Event(PeerEvent::Up { node, hello, .. }) => Some((*node, hello.clone())),
                _ => None,
            });
            assert_eq!(found, hello(&network.members(), peer));
            let place = missing.iter().position(|missing| *missing == peer);
            missing.remove(place.expect("one link for each peer and service"));
        }
    }
}

fn packets_arrive_in_order_and_unchanged(network: &impl Network) {
    let (a, b) = pair(network);
    for service in Service::ALL {
        let mut packets: Vec<_> =
            (0..500).map(|number| numbered(number, number as usize % 7 * 100)).collect();
        packets.push(Packet::default());
        packets.push(Packet { head: vec![1; 100_000].into(), body: Bytes::new() });
        packets.push(Packet { head: Bytes::new(), body: vec![2; 3 << 20].into() });
        packets.push(numbered(500, 1));
        for packet in &packets {
            a.send(&b, service, packet.clone()).expect("the link stands and has room");
        }
        for packet in packets {
            let (from, over, found) = b.listener.wait_for_packet();
            assert_eq!((from, over), (a.id, service));
            assert!(found == packet, "{} bytes came as {}", packet.bytes(), found.bytes());
        }
    }
}

fn packets_are_not_delivered_by_the_sender(network: &impl Network) {
    let (a, b) = pair(network);
    a.send(&b, Service::Control, numbered(1, 0)).expect("the link stands");
    let deliverer = b.listener.wait_for("the packet", |heard| match heard {
        Heard::Packet { thread, .. } => Some(*thread),
        Heard::Event(_) => None,
    });
    assert_ne!(deliverer, thread::current().id(), "an inbox is never called by the thread that sends");
}

fn a_send_that_cannot_reach_anybody_says_so(network: &impl Network) {
    let (a, _b) = pair(network);
    let absent = network.members().members()[2].id;
    let no_member = NodeId::new(u16::MAX);
    for service in Service::ALL {
        assert_eq!(a.transport.send(absent, service, numbered(1, 0)), Err(SendError::NotConnected));
        assert_eq!(a.transport.send(no_member, service, numbered(1, 0)), Err(SendError::UnknownPeer));
        assert_eq!(a.transport.send(a.id, service, numbered(1, 0)), Err(SendError::UnknownPeer));
    }
}

fn a_peer_that_went_is_noticed_and_found_again(network: &impl Network) {
    let (a, b) = pair(network);
    let (b_id, lost) = (b.id, |reason: &DownReason| (*reason == DownReason::Lost).then_some(()));
    drop(b);
    a.listener.wait_for_down(b_id, Service::Control, lost);
    let refused = |reason: &DownReason| (*reason == DownReason::ConnectionRefused).then_some(());
    a.listener.wait_for_down(b_id, Service::Control, refused);
    assert_eq!(a.transport.send(b_id, Service::Control, numbered(1, 0)), Err(SendError::NotConnected));

    let b = Node::start_saying(network, 1, |hello| hello.open_count = 2);
    assert_eq!(a.listener.wait_for_up(b_id, Service::Control).open_count, 2);
    a.send(&b, Service::Control, numbered(2, 10)).expect("the link stands again");
    assert_eq!(b.listener.wait_for_packet(), (a.id, Service::Control, numbered(2, 10)));
}

fn a_refused_packet_ends_the_link(network: &impl Network) {
    let (a, b) = pair(network);
    b.inbox.refuse(true);
    a.send(&b, Service::Stream, numbered(1, 0)).expect("the link stands");
    a.listener.wait_for_down(b.id, Service::Stream, |_| Some(()));
    b.inbox.refuse(false);
    a.listener.wait_for_up(b.id, Service::Stream);
    a.send(&b, Service::Stream, numbered(2, 0)).expect("the link stands again");
    assert_eq!(b.listener.wait_for_packet().2, numbered(2, 0));
}

fn a_full_link_says_so_and_loses_nothing_that_it_took(network: &impl Network) {
    const PACKETS_MAX: u32 = 1000;
    let (a, b) = pair(network);
    b.inbox.hold(true);
    let refused = (0..PACKETS_MAX).find_map(|number| {
        let outcome = a.send(&b, Service::Stream, numbered(number, 1 << 20));
        outcome.err().map(|error| (number, error))
    });
    let (taken, error) = refused.expect("what a transport holds for a peer is bounded");
    assert_eq!(error, SendError::Full);
    b.inbox.hold(false);
    for number in 0..taken {
        let (_, _, packet) = b.listener.wait_for_packet();
        assert!(packet == numbered(number, 1 << 20), "packet {number} of {taken} is another");
    }
}

fn a_closed_transport_is_silent(network: &impl Network) {
    let (a, b) = pair(network);
    b.listener.wait_for_up(a.id, Service::Control);
    for number in 0..2000 {
        a.send(&b, Service::Control, numbered(number, 100)).expect("the link stands and has room");
    }
    b.transport.close();
    let _heard_before = b.listener.count_rest();
    assert_eq!(b.send(&a, Service::Control, numbered(1, 0)), Err(SendError::UnknownPeer));
    a.listener.wait_for_down(b.id, Service::Control, |reason| {
        (*reason == DownReason::ConnectionRefused).then_some(())
    });
    assert_eq!(b.listener.count_rest(), 0, "an inbox hears nothing once its transport is closed");
    b.transport.close();
}

fn a_stranger_is_refused_and_named_on_both_sides<N: Network>(mut fresh: impl FnMut() -> N) {
    let (ours, theirs) = (String::from("conformance"), String::from("another"));
    let refusal = refusal_of(&fresh(), |_| {}, |hello| hello.group = "another".into());
    assert_eq!(refusal.0, HelloRefusal::Group { ours: ours.clone(), theirs: theirs.clone() });
    assert_eq!(refusal.1, HelloRefusal::Group { ours: theirs, theirs: ours });

    let refusal = refusal_of(&fresh(), |_| {}, |hello| hello.protocol += 1);
    let (ours, theirs) = (Hello::PROTOCOL, Hello::PROTOCOL + 1);
    assert_eq!(refusal.0, HelloRefusal::Protocol { ours, theirs });
    assert_eq!(refusal.1, HelloRefusal::Protocol { ours: theirs, theirs: ours });

    let network = fresh();
    let name = |index: usize| network.members().members()[index].name.clone();
    let refusal = refusal_of(&network, |_| {}, |hello| hello.member_list_hash = Some(1));
    assert_eq!(refusal.0, HelloRefusal::MemberList { node: name(1) });
    assert_eq!(refusal.1, HelloRefusal::MemberList { node: name(0) });

    let network = fresh();
    let (ours, theirs) = (GroupUuid(1), GroupUuid(2));
    let refusal = refusal_of(&network, |hello| hello.uuid = Some(ours), |hello| hello.uuid = Some(theirs));
    assert_eq!(refusal.0, HelloRefusal::Uuid { node: name(1), ours, theirs });
    assert_eq!(refusal.1, HelloRefusal::Uuid { node: name(0), ours: theirs, theirs: ours });

    let network = fresh();
    let refusal = refusal_of(&network, |_| {}, |hello| hello.node = "nobody".into());
    assert_eq!(
        refusal.0,
        HelloRefusal::NotAMember { node: "nobody".into(), id: network.members().members()[1].id }
    );
    assert_eq!(refusal.0, refusal.1);
}

/// Lets the second node call the first: how the first refuses it, and what the second is told.
fn refusal_of(
    network: &impl Network,
    of_first: impl FnOnce(&mut Hello),
    of_second: impl FnOnce(&mut Hello),
) -> (HelloRefusal, HelloRefusal) {
    let first = Node::start_saying(network, 0, of_first);
    let second = Node::start_saying(network, 1, of_second);
    let rejected = first.listener.wait_for("the caller to be rejected", |heard| match heard {
        Heard::Event(PeerEvent::Rejected { refusal: Some(refusal), .. }) => Some(refusal.clone()),
        _ => None,
    });
    let told = second.listener.wait_for_down(first.id, Service::Control, |reason| match reason {
        DownReason::Hello(refusal) => Some(refusal.clone()),
        _ => None,
    });
    assert_eq!(second.send(&first, Service::Control, Packet::default()), Err(SendError::NotConnected));
    (rejected, told)
}

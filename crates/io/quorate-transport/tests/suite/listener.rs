//! Several groups of one process at one port.

use crate::common::{free_address, members, packet, wait_until};
use quorate_core::conformance::transport::{Heard, Listener as Ear, Recorder, hello};
use quorate_core::{
    DownReason, Hello, HelloRefusal, MemberList, NodeId, PeerEvent, SendError, Service, Transport,
};
use quorate_transport::{Listener, ListenerConfig, TcpConfig, TcpTransport, TransportError};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};

const A: NodeId = NodeId::new(1);
const B: NodeId = NodeId::new(2);

/// One process: a port at which it is the node of this number in every group.
struct Process {
    me: NodeId,
    members: MemberList,
    listener: Listener,
}

/// One group's node in a process.
struct Node {
    transport: TcpTransport,
    ear: Ear,
}

/// The processes of the members a and b.
fn two_processes() -> (Process, Process) {
    let members = members(&["a", "b"].map(|name| (name, free_address(Ipv4Addr::LOCALHOST.into()))));
    (Process::start(&members, A), Process::start(&members, B))
}

impl Process {
    fn start(members: &MemberList, me: NodeId) -> Self {
        let config = ListenerConfig::new(members.member(me).unwrap().address.clone());
        let listener = Listener::bind(&config).unwrap();
        Self { me, members: members.clone(), listener }
    }

    fn try_open(&self, group: &str) -> Result<Node, TransportError> {
        let says = Hello { group: group.into(), ..hello(&self.members, self.me) };
        let (inbox, ear) = Recorder::new(says);
        let config = TcpConfig::new(self.me, self.members.clone());
        Ok(Node { transport: TcpTransport::on(&self.listener, config, inbox)?, ear })
    }

    fn open(&self, group: &str) -> Node {
        self.try_open(group).unwrap()
    }
}

impl Node {
    fn says_to(&self, peer: (NodeId, &Self), from: NodeId, head: &'static str) {
        self.transport.send(peer.0, Service::Control, packet(head)).unwrap();
        assert_eq!(peer.1.ear.wait_for_packet(), (from, Service::Control, packet(head)));
    }

    fn wait_for_refusal(&self, by: NodeId) -> HelloRefusal {
        self.ear.wait_for_down(by, Service::Control, |reason| match reason {
            DownReason::Hello(refusal) => Some(refusal.clone()),
            _ => None,
        })
    }

    fn wait_for_rejection(&self) -> Option<HelloRefusal> {
        self.ear.wait_for("a rejected caller", |heard| match heard {
            Heard::Event(PeerEvent::Rejected { refusal, .. }) => Some(refusal.clone()),
            _ => None,
        })
    }
}

#[test]
fn every_group_at_a_port_hears_its_own_packets() {
    let (here, there) = two_processes();
    let [red, blue] = ["red", "blue"].map(|group| (here.open(group), there.open(group)));
    for ((a, b), head) in [(&red, "of red"), (&blue, "of blue")] {
        a.ear.wait_for_up(B, Service::Control);
        b.ear.wait_for_up(A, Service::Control);
        a.says_to((B, b), A, head);
        b.says_to((A, a), B, head);
    }
}

#[test]
fn closing_one_group_leaves_the_other_alone_and_it_can_be_opened_again() {
    let (here, there) = two_processes();
    let [(red_a, red_b), (blue_a, blue_b)] =
        ["red", "blue"].map(|group| (here.open(group), there.open(group)));
    for node in [&red_a, &blue_a] {
        node.ear.wait_for_up(B, Service::Control);
    }
    wait_until(|| red_a.transport.stats().links_opened == 2);

    blue_b.transport.close();
    let gone = HelloRefusal::UnknownGroup { group: "blue".into() };
    assert_eq!(blue_a.wait_for_refusal(B), gone);
    assert!(DownReason::Hello(gone).proves_absence());
    assert_eq!(blue_b.transport.send(A, Service::Control, packet("late")), Err(SendError::UnknownPeer));
    assert!(there.listener.stats().rejected_unknown_group > 0);

    let blue_b = there.open("blue");
    blue_a.ear.wait_for_up(B, Service::Control);
    blue_a.says_to((B, &blue_b), A, "again");
    red_a.says_to((B, &red_b), A, "undisturbed");
    assert_eq!(red_a.transport.stats().links_opened, 2, "its links have stood all the time");
}

#[test]
fn a_caller_of_a_group_that_is_not_here_is_named_on_both_sides_and_counted() {
    let (here, there) = two_processes();
    let (red, blue) = (here.open("red"), here.open("blue"));
    let foreign = there.open("green");
    let refusal = HelloRefusal::UnknownGroup { group: "green".into() };
    assert_eq!(foreign.wait_for_refusal(A), refusal);
    for node in [&red, &blue] {
        assert_eq!(node.wait_for_rejection(), Some(refusal.clone()));
        assert_eq!(node.transport.stats().rejected_hello, 0, "no group has judged the caller");
    }
    assert!(here.listener.stats().rejected_unknown_group > 0);
}

#[test]
fn garbage_is_counted_once_and_disturbs_no_group() {
    let (here, there) = two_processes();
    let [red, blue] = ["red", "blue"].map(|group| (here.open(group), there.open(group)));
    for (a, _) in [&red, &blue] {
        wait_until(|| a.transport.stats().links_opened == 2);
    }
    let mut stranger = TcpStream::connect(there.listener.local_address()).unwrap();
    stranger.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    // Cut off, in order or not.
    let _ = stranger.read_to_end(&mut Vec::new());
    for (a, b) in [&red, &blue] {
        assert_eq!(b.wait_for_rejection(), None);
        a.says_to((B, b), A, "undisturbed");
        assert_eq!(a.transport.stats().links_opened, 2);
    }
    assert_eq!(there.listener.stats().rejected_foreign, 1);
}

#[test]
fn callers_that_say_nothing_are_limited_for_all_groups_together() {
    let members = members(&["a", "b"].map(|name| (name, free_address(Ipv4Addr::LOCALHOST.into()))));
    let address = members.member(A).unwrap().address.clone();
    let listener = Listener::bind(&ListenerConfig { connections_max: 4, ..ListenerConfig::new(address) });
    let here = Process { me: A, members: members.clone(), listener: listener.unwrap() };
    let groups = ["red", "blue"].map(|group| here.open(group));
    let _silent: Vec<_> =
        (0..12).map(|_| TcpStream::connect(here.listener.local_address()).unwrap()).collect();
    wait_until(|| here.listener.stats().rejected_flood >= 8);
    let there = Process::start(&members, B);
    for (group, name) in groups.iter().zip(["red", "blue"]) {
        let caller = there.open(name);
        caller.ear.wait_for_up(A, Service::Control);
        caller.says_to((A, group), B, "through the flood");
    }
}

#[test]
fn a_group_is_open_once_at_a_port() {
    let (here, _) = two_processes();
    let first = here.open("red");
    let again = here.try_open("red");
    assert!(matches!(again, Err(TransportError::GroupInUse { group }) if group == "red"));
    drop(first);
    here.open("red");
}

#[test]
fn the_port_is_free_once_the_listener_and_all_of_its_groups_are_gone() {
    let (here, _) = two_processes();
    let groups = ["red", "blue"].map(|group| here.open(group));
    let address = here.listener.local_address();
    drop(here);
    assert!(TcpListener::bind(address).is_err(), "its groups are still there");
    drop(groups);
    TcpListener::bind(address).unwrap();
}

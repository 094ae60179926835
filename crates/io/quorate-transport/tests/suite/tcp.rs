//! Links over TCP between nodes that mean well.

use crate::common::{TcpNode, free_address, id, members, packet, three_members, wait_until};
use bytes::Bytes;
use quorate_core::{DownReason, HelloRefusal, Packet, SendError, Service, Transport};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpListener};
use std::time::Duration;

const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

#[test]
fn a_peer_that_is_started_again_is_found_again_every_time() {
    let members = three_members();
    let a = TcpNode::start(&members, "a");
    for _ in 0..3 {
        let b = TcpNode::start(&members, "b");
        a.listener.wait_for_up(b.id, Service::Stream);
        a.reaches(&b, Service::Stream, "here");
        let b_id = b.id;
        drop(b);
        a.listener.wait_for_down(b_id, Service::Stream, |reason| (*reason == DownReason::Lost).then_some(()));
    }
}

#[test]
fn a_peer_that_calls_is_called_back_at_once_however_long_it_was_away() {
    let members = three_members();
    let hour = Duration::from_secs(3600);
    let a = TcpNode::start_with(&members, "a", |_, config| {
        (config.limits.backoff_min, config.limits.backoff_max) = (hour, hour);
    });
    for service in Service::ALL {
        a.listener.wait_for_down(id(&members, "b"), service, |_| Some(()));
    }
    let b = TcpNode::start(&members, "b");
    for service in Service::ALL {
        a.listener.wait_for_up(b.id, service);
    }
    a.reaches(&b, Service::Stream, "here");
}

#[test]
fn a_member_at_an_ipv6_address_is_reached() {
    let host = IpAddr::V6(Ipv6Addr::LOCALHOST);
    if TcpListener::bind((host, 0)).is_err() {
        println!("skipped: this machine has no IPv6 loopback address");
        return;
    }
    let members = members(&["a", "b"].map(|name| (name, free_address(host))));
    let (a, b) = (TcpNode::start(&members, "a"), TcpNode::start(&members, "b"));
    assert!(a.transport.local_address().is_ipv6());
    a.listener.wait_for_up(b.id, Service::Control);
    a.reaches(&b, Service::Control, "over IPv6");
}

#[test]
fn a_member_is_reached_by_name_whichever_of_its_addresses_it_listens_at() {
    let named = |address: String| address.replace("127.0.0.1", "localhost");
    let members = members(&["a", "b"].map(|name| (name, named(free_address(LOCALHOST)))));
    let on_ipv4 = |name| {
        let declared = members.named(name).unwrap().address.clone();
        TcpNode::start_with(&members, name, |port, _| {
            port.address = declared.replace("localhost", "127.0.0.1")
        })
    };
    let (a, b) = (on_ipv4("a"), on_ipv4("b"));
    a.listener.wait_for_up(b.id, Service::Control);
    a.reaches(&b, Service::Control, "by name");
}

#[test]
fn a_member_whose_name_has_no_address_is_reported_as_such() {
    let members = members(&[("a", free_address(LOCALHOST)), ("b", "no host at all:7".into())]);
    let a = TcpNode::start(&members, "a");
    let is_unresolvable = |reason: &DownReason| (*reason == DownReason::Unresolvable).then_some(());
    a.listener.wait_for_down(id(&members, "b"), Service::Control, is_unresolvable);
}

#[test]
fn whoever_answers_in_a_members_place_is_named_on_both_sides() {
    let members = three_members();
    let address_of_b = members.named("b").unwrap().address.clone();
    let c = TcpNode::start_with(&members, "c", |port, _| port.address = address_of_b);
    let a = TcpNode::start(&members, "a");
    let wrong = HelloRefusal::WrongNode { expected: "b".into(), found: "c".into() };
    let told = a.listener.wait_for_down(id(&members, "b"), Service::Control, |reason| match reason {
        DownReason::Hello(refusal) => Some(refusal.clone()),
        _ => None,
    });
    assert_eq!(told, wrong);
    // The node in the wrong place finds itself where the right one should be, too.
    let rejected = std::iter::repeat_with(|| c.wait_for_rejection()).find(|(caller, _)| caller == "a");
    assert_eq!(rejected, Some(("a".into(), Some(wrong))));
    assert!(c.transport.stats().rejected_hello > 0);
}

#[test]
fn nodes_that_declare_different_members_name_each_other() {
    let members = three_members();
    let mut declared = members.members().to_vec();
    declared[2].priority = 2;
    let differing = quorate_core::MemberList::found(declared, members.quorum()).unwrap();
    let (a, b) = (TcpNode::start(&members, "a"), TcpNode::start(&differing, "b"));
    let told = a.listener.wait_for_down(b.id, Service::Stream, |reason| match reason {
        DownReason::Hello(refusal) => Some(refusal.clone()),
        _ => None,
    });
    assert_eq!(told, HelloRefusal::MemberList { node: "b".into() });
    assert_eq!(b.wait_for_rejection(), ("a".into(), Some(HelloRefusal::MemberList { node: "a".into() })));
}

#[test]
fn a_queue_takes_no_more_than_its_limit_and_any_one_packet() {
    let members = three_members();
    let a = TcpNode::start_with(&members, "a", |_, config| config.limits.send_queue_bytes_max = 1 << 20);
    let b = TcpNode::start(&members, "b");
    a.listener.wait_for_up(b.id, Service::Stream);
    let of = |bytes: usize| Packet { head: Bytes::new(), body: vec![0; bytes].into() };
    a.transport.send(b.id, Service::Stream, of(3 << 20)).unwrap();
    b.listener.wait_for_packet();

    b.inbox.hold(true);
    let mut taken = 0_usize;
    let error = loop {
        match a.transport.send(b.id, Service::Stream, of(10_000)) {
            Ok(()) => taken += 10_000,
            Err(error) => break error,
        }
    };
    b.inbox.hold(false);
    assert_eq!(error, SendError::Full);
    assert_eq!(a.transport.stats().sends_dropped, 1);
    let buffers_of_the_machine = 32 << 20;
    assert!(taken < (1 << 20) + buffers_of_the_machine, "{taken} bytes were taken");
}

#[test]
fn a_packet_beyond_the_limit_is_not_sent() {
    let members = three_members();
    let a = TcpNode::start_with(&members, "a", |_, config| config.limits.packet_bytes_max = 5);
    let b = TcpNode::start(&members, "b");
    a.listener.wait_for_up(b.id, Service::Control);
    assert_eq!(a.transport.send(b.id, Service::Control, packet("longer")), Err(SendError::Full));
    assert_eq!(a.transport.stats().sends_oversized, 1);
    a.reaches(&b, Service::Control, "short");
}

#[test]
fn the_statistics_count_packets_and_their_bytes() {
    let members = three_members();
    let (a, b) = (TcpNode::start(&members, "a"), TcpNode::start(&members, "b"));
    a.listener.wait_for_up(b.id, Service::Control);
    a.reaches(&b, Service::Control, "one");
    a.reaches(&b, Service::Control, "three");
    // A packet is counted right after it was handed over.
    wait_until(|| a.transport.stats().packets_sent == 2 && b.transport.stats().packets_received == 2);
    let (sent, received) = (a.transport.stats(), b.transport.stats());
    assert_eq!((sent.bytes_sent, received.bytes_received, sent.sends_dropped), (8, 8, 0));
    assert!(sent.links_opened >= 1 && b.transport.listener_stats().connections_accepted >= 1);
}

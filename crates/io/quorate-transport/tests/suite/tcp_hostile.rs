//! What strangers can do to a port, and what they cannot.

use crate::by_hand::{call, connect, link_as_b, wait_for_end, welcome};
use crate::common::{TcpNode, free_address, id, members, three_members, wait_until};
use bytes::Bytes;
use quorate_core::conformance::transport::{Heard, hello};
use quorate_core::{DownReason, MemberList, Packet, PeerEvent, SendError, Service, Transport};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

#[test]
fn garbage_on_the_port_is_counted_and_disturbs_nobody() {
    let members = three_members();
    let (a, b) = (TcpNode::start(&members, "a"), TcpNode::start(&members, "b"));
    wait_until(|| a.transport.stats().links_opened == 2);
    for garbage in
        [&b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"[..], &[0xff; 5000], b"QRTE\x01\x00\x00\x00\x09\x00\x00\x00"]
    {
        let mut stranger = connect(&b);
        stranger.write_all(garbage).unwrap();
        wait_for_end(&mut stranger);
        let (peer, refusal) = b.wait_for_rejection();
        assert_eq!((peer, refusal), (stranger.local_addr().unwrap().to_string(), None));
    }
    assert_eq!(b.transport.listener_stats().rejected_foreign, 3);
    a.reaches(&b, Service::Control, "undisturbed");
    assert_eq!(a.transport.stats().links_opened, 2);
}

#[test]
fn a_member_that_announces_four_gigabytes_is_cut_off() {
    let members = three_members();
    let a = TcpNode::start(&members, "a");
    let mut link = link_as_b(&a, &members);
    link.write_all(&[0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]).unwrap();
    wait_for_end(&mut link);
    assert_eq!(a.wait_for_rejection(), ("b".into(), None));
    let stats = a.transport.stats();
    assert_eq!((stats.rejected_oversized, stats.packets_received), (1, 0));
}

#[test]
fn a_packet_written_by_hand_arrives() {
    let members = three_members();
    let a = TcpNode::start(&members, "a");
    let mut link = link_as_b(&a, &members);
    link.write_all(&[2, 0, 0, 0, 3, 0, 0, 0, b'h', b'i', 1, 2, 3]).unwrap();
    let (from, service, packet) = a.listener.wait_for_packet();
    assert_eq!((from, service), (id(&members, "b"), Service::Control));
    assert_eq!((&packet.head[..], &packet.body[..]), (&b"hi"[..], &[1, 2, 3][..]));
}

#[test]
fn a_members_newer_link_takes_the_place_of_its_older_one() {
    let members = three_members();
    let a = TcpNode::start(&members, "a");
    let mut older = link_as_b(&a, &members);
    let mut newer = link_as_b(&a, &members);
    wait_for_end(&mut older);
    newer.write_all(&[1, 0, 0, 0, 0, 0, 0, 0, b'n']).unwrap();
    assert_eq!(&a.listener.wait_for_packet().2.head[..], b"n");
}

#[test]
fn a_flood_of_silent_callers_keeps_no_member_out() {
    let members = three_members();
    let a = TcpNode::start_with(&members, "a", |port, _| port.connections_max = 4);
    let mut strangers: Vec<_> = (0..20).map(|_| connect(&a)).collect();
    let b = TcpNode::start(&members, "b");
    b.listener.wait_for_up(a.id, Service::Control);
    b.reaches(&a, Service::Control, "through the flood");
    wait_for_end(&mut strangers[0]);
    assert!(a.transport.listener_stats().rejected_flood >= 16, "{:?}", a.transport.listener_stats());
}

#[test]
fn a_silent_caller_is_closed_in_time() {
    let members = three_members();
    let a = TcpNode::start_with(&members, "a", |port, _| {
        port.handshake_timeout = Duration::from_millis(20);
    });
    let mut stranger = connect(&a);
    stranger.write_all(b"QRTE").unwrap();
    wait_for_end(&mut stranger);
    assert_eq!(a.wait_for_rejection().1, None);
    assert_eq!(a.transport.listener_stats().rejected_silent, 1);
}

#[test]
fn a_member_that_takes_calls_and_says_nothing_has_timed_out() {
    let hung = TcpListener::bind("127.0.0.1:0").unwrap();
    let members = members(&[
        ("a", free_address(hung.local_addr().unwrap().ip())),
        ("b", hung.local_addr().unwrap().to_string()),
    ]);
    let a = TcpNode::start_with(&members, "a", |_, config| {
        config.limits.handshake_timeout = Duration::from_millis(20);
    });
    let timed_out = |reason: &DownReason| (*reason == DownReason::TimedOut).then_some(());
    a.listener.wait_for_down(id(&members, "b"), Service::Control, timed_out);
}

#[test]
fn a_member_that_speaks_something_else_is_reported_in_words() {
    let foreign = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = foreign.local_addr().unwrap();
    let members = members(&[("a", free_address(address.ip())), ("b", address.to_string())]);
    let a = TcpNode::start(&members, "a");
    let (mut stream, _) = foreign.accept().unwrap();
    stream.write_all(b"220 mail.example ESMTP\r\n").unwrap();
    let words = a.listener.wait_for("a failed attempt", |heard| match heard {
        Heard::Event(PeerEvent::Down { reason: DownReason::Other(words), .. }) => Some(words.clone()),
        _ => None,
    });
    assert_eq!(words, "whoever listens there does not speak this protocol");
}

/// A member b that takes one call for the stream, is welcoming, and reads nothing more.
fn call_on_a_member_that_stops_reading(listener: &TcpListener, members: &MemberList) -> TcpStream {
    loop {
        let (mut stream, _) = listener.accept().unwrap();
        let expected = call(1, "b", &hello(members, id(members, "a")));
        let mut found = vec![0; expected.len()];
        stream.read_exact(&mut found).unwrap();
        if found == expected {
            stream.write_all(&welcome(&hello(members, id(members, "b")))).unwrap();
            return stream;
        }
    }
}

#[test]
fn a_member_that_stops_reading_fills_its_queue_and_is_given_up() {
    let stuck = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = stuck.local_addr().unwrap();
    let members = members(&[("a", free_address(address.ip())), ("b", address.to_string())]);
    let a = TcpNode::start_with(&members, "a", |_, config| {
        config.limits.unacknowledged_timeout = Duration::from_millis(100);
    });
    let b = id(&members, "b");
    let _unread = call_on_a_member_that_stops_reading(&stuck, &members);
    a.listener.wait_for_up(b, Service::Stream);
    let body = Bytes::from(vec![0; 1 << 20]);
    let of_one_mebibyte = || Packet { head: Bytes::new(), body: body.clone() };
    let error = (0..1000).find_map(|_| a.transport.send(b, Service::Stream, of_one_mebibyte()).err());
    assert_eq!(error, Some(SendError::Full));
    if cfg!(target_os = "linux") {
        let timed_out = |reason: &DownReason| (*reason == DownReason::TimedOut).then_some(());
        a.listener.wait_for_down(b, Service::Stream, timed_out);
        assert_eq!(a.transport.send(b, Service::Stream, of_one_mebibyte()), Err(SendError::NotConnected));
    }
}

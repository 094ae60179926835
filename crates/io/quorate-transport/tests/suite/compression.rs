//! Links whose ends have agreed on a compression, and those whose ends have not.

use crate::by_hand::{LZ4, call, call_wishing, link, wait_for_end, welcome, welcome_granting};
use crate::common::{TcpNode, free_address, id, members, three_members, wait_until};
use bytes::Bytes;
use quorate_core::conformance::transport::hello;
use quorate_core::{Compression, Hello, MemberList, Packet, Random, Service, Traffic, Transport};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

const BOTH: [Compression; 2] = [Compression::Lz4, Compression::Zstd];

fn start(members: &MemberList, name: &str, compression: Compression) -> TcpNode {
    TcpNode::start_with(members, name, |_, config| config.compression = compression)
}

/// Words, which get shorter.
fn text(bytes: usize) -> Bytes {
    b"so many apples, so many pears; ".iter().copied().cycle().take(bytes).collect()
}

/// Bytes that do not.
fn noise(bytes: usize) -> Bytes {
    let mut random = Random::new(7);
    (0..bytes).map(|_| random.below(256) as u8).collect()
}

fn packet(body: Bytes) -> Packet {
    Packet { head: Bytes::from_static(b"head"), body }
}

/// Sends packets on the stream that stands, and returns what it has carried once they have arrived as they were.
fn send_all(from: &TcpNode, to: &TcpNode, packets: &[Packet]) -> Traffic {
    for packet in packets {
        from.transport.send(to.id, Service::Stream, packet.clone()).unwrap();
    }
    for packet in packets {
        assert_eq!(to.listener.wait_for_packet(), (from.id, Service::Stream, packet.clone()));
    }
    // A packet is counted right after it was handed over.
    let count = packets.len() as u64;
    wait_until(|| {
        from.transport.stats().packets_sent == count && to.transport.stats().packets_received == count
    });
    from.transport.traffic()
}

#[test]
fn what_gets_shorter_is_compressed_and_arrives_in_order_as_it_was() {
    for compression in BOTH {
        let members = three_members();
        let (a, b) = (start(&members, "a", compression), start(&members, "b", Compression::None));
        let sizes = [100, 1 << 20, 0, 70_000, 1024, 1023, 300_000];
        let packets: Vec<_> =
            sizes.into_iter().flat_map(|bytes| [packet(text(bytes)), packet(noise(bytes))]).collect();
        let traffic = send_all(&a, &b, &packets);
        let all: usize = packets.iter().map(Packet::bytes).sum();
        assert_eq!(traffic.stream_bytes_sent, all as u64);
        assert!(traffic.stream_bytes_on_wire < all as u64 * 6 / 10, "{compression:?}: {traffic:?}");
        let received = b.transport.stats();
        assert_eq!((received.bytes_received, received.rejected_undecodable), (all as u64, 0));
    }
}

#[test]
fn what_does_not_get_shorter_is_sent_as_it_is() {
    for compression in BOTH {
        let members = three_members();
        let (a, b) = (start(&members, "a", compression), start(&members, "b", compression));
        a.listener.wait_for_up(b.id, Service::Stream);
        let traffic = send_all(&a, &b, &[packet(noise(100_000)), packet(text(500))]);
        assert_eq!(traffic.stream_bytes_on_wire, traffic.stream_bytes_sent);
        assert_eq!(a.transport.stats().bodies_compressed, 1, "a short body is not even tried");
    }
}

#[test]
fn a_node_that_does_not_compress_reads_and_is_read_by_one_that_does() {
    let members = three_members();
    let (a, b) = (start(&members, "a", Compression::Zstd), start(&members, "b", Compression::None));
    a.listener.wait_for_up(b.id, Service::Stream);
    b.listener.wait_for_up(a.id, Service::Stream);
    let there = send_all(&a, &b, &[packet(text(50_000))]);
    let back = send_all(&b, &a, &[packet(text(50_000))]);
    assert!(there.stream_bytes_on_wire < there.stream_bytes_sent / 10);
    assert_eq!(back.stream_bytes_on_wire, back.stream_bytes_sent);
}

#[test]
fn only_the_stream_is_compressed() {
    let members = three_members();
    let (a, b) = (start(&members, "a", Compression::Lz4), start(&members, "b", Compression::Lz4));
    a.listener.wait_for_up(b.id, Service::Control);
    a.transport.send(b.id, Service::Control, packet(text(50_000))).unwrap();
    assert_eq!(b.listener.wait_for_packet(), (a.id, Service::Control, packet(text(50_000))));
    assert_eq!(a.transport.stats().bodies_compressed, 0);
    assert_eq!(a.transport.traffic(), Traffic::default());
}

#[test]
fn what_compression_saves_is_room_in_the_queue_again() {
    let members = three_members();
    let a = TcpNode::start_with(&members, "a", |_, config| {
        config.compression = Compression::Lz4;
        config.limits.send_queue_bytes_max = 1 << 20;
    });
    let b = start(&members, "b", Compression::None);
    a.listener.wait_for_up(b.id, Service::Stream);
    for round in 1..=5 {
        // Two of them do not fit, so that nothing of the one before may be counted any more.
        a.transport.send(b.id, Service::Stream, packet(text(600_000))).unwrap();
        assert_eq!(b.listener.wait_for_packet().2, packet(text(600_000)));
        wait_until(|| a.transport.stats().packets_sent == round);
    }
}

/// A member b that is a listener of the test's own, and the node a that calls it.
fn called_by(compression: Compression) -> (TcpListener, TcpNode, MemberList) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let members = members(&[("a", free_address(address.ip())), ("b", address.to_string())]);
    let a = start(&members, "a", compression);
    (listener, a, members)
}

/// The next caller that says just this; others are hung up on.
fn next_call(listener: &TcpListener, expected: &[u8]) -> TcpStream {
    loop {
        let (mut stream, _) = listener.accept().unwrap();
        let mut call = vec![0; 12];
        stream.read_exact(&mut call).unwrap();
        call.resize(12 + usize::from(u16::from_le_bytes([call[10], call[11]])), 0);
        stream.read_exact(&mut call[12..]).unwrap();
        if call == expected {
            return stream;
        }
    }
}

fn callers_and_listeners_hello(members: &MemberList) -> (Hello, Hello) {
    (hello(members, id(members, "a")), hello(members, id(members, "b")))
}

#[test]
fn a_peer_that_does_not_know_wishes_is_called_without_and_gets_everything_as_it_is() {
    let (listener, a, members) = called_by(Compression::Lz4);
    let (caller, answerer) = callers_and_listeners_hello(&members);
    drop(next_call(&listener, &call_wishing(1, "b", &caller, Some(LZ4))));
    let mut stream = next_call(&listener, &call(1, "b", &caller));
    stream.write_all(&welcome(&answerer)).unwrap();
    expect_uncompressed(&a, answerer, &mut stream);
}

#[test]
fn a_peer_that_grants_nothing_gets_everything_as_it_is() {
    for grant in [None, Some(0)] {
        let (listener, a, members) = called_by(Compression::Lz4);
        let (caller, answerer) = callers_and_listeners_hello(&members);
        let mut stream = next_call(&listener, &call_wishing(1, "b", &caller, Some(LZ4)));
        stream.write_all(&welcome_granting(&answerer, grant)).unwrap();
        expect_uncompressed(&a, answerer, &mut stream);
    }
}

fn expect_uncompressed(a: &TcpNode, answerer: Hello, stream: &mut TcpStream) {
    a.listener.wait_for_up(answerer.id, Service::Stream);
    a.transport.send(answerer.id, Service::Stream, packet(text(2000))).unwrap();
    let expected = [&[4, 0, 0, 0, 0xd0, 7, 0, 0][..], b"head", &text(2000)].concat();
    let mut found = vec![0; expected.len()];
    stream.read_exact(&mut found).unwrap();
    assert_eq!(found, expected);
}

#[test]
fn a_node_that_compresses_nothing_says_nothing_new() {
    let (listener, a, members) = called_by(Compression::None);
    let (caller, answerer) = callers_and_listeners_hello(&members);
    let mut stream = next_call(&listener, &call(1, "b", &caller));
    stream.write_all(&welcome(&answerer)).unwrap();
    expect_uncompressed(&a, answerer, &mut stream);
}

/// A link to a new node on which LZ4 was agreed on.
fn agreed_link() -> (TcpNode, TcpStream) {
    let members = three_members();
    let a = start(&members, "a", Compression::None);
    let caller = hello(&members, id(&members, "b"));
    let call = call_wishing(1, "a", &caller, Some(LZ4));
    let stream = link(&a, &call, &welcome_granting(&hello(&members, a.id), Some(LZ4)));
    (a, stream)
}

/// A packet's header where compression was agreed on.
fn header(head: u32, body: u32, body_before: u32) -> Vec<u8> {
    [head, body, body_before].map(u32::to_le_bytes).concat()
}

#[test]
fn a_compressed_packet_written_by_hand_arrives() {
    let (a, mut stream) = agreed_link();
    // Eight a's: a literal, then a match of seven bytes at distance one, then the five last as literals.
    let block = [0x13, b'a', 1, 0, 0x50, b'b', b'b', b'b', b'b', b'b'];
    stream.write_all(&[header(2, 10, 13), b"hi".to_vec(), block.to_vec()].concat()).unwrap();
    let (_, _, packet) = a.listener.wait_for_packet();
    assert_eq!((&packet.head[..], &packet.body[..]), (&b"hi"[..], &b"aaaaaaaabbbbb"[..]));
}

#[test]
fn a_member_that_lies_about_a_bodys_length_is_cut_off() {
    let block = [0x13, b'a', 1, 0, 0x50, b'b', b'b', b'b', b'b', b'b'];
    let wrong_lengths = [12, 14, 1 << 20, 9];
    for body_before in wrong_lengths {
        let (a, mut stream) = agreed_link();
        stream.write_all(&[header(0, 10, body_before), block.to_vec()].concat()).unwrap();
        wait_for_end(&mut stream);
        assert_eq!(a.wait_for_rejection(), ("b".into(), None), "{body_before}");
        let stats = a.transport.stats();
        assert_eq!((stats.rejected_undecodable, stats.packets_received), (1, 0));
    }
}

#[test]
fn a_member_that_announces_four_gigabytes_before_compression_is_cut_off() {
    let (a, mut stream) = agreed_link();
    stream.write_all(&header(0, 10, u32::MAX)).unwrap();
    wait_for_end(&mut stream);
    assert_eq!(a.wait_for_rejection(), ("b".into(), None));
    assert_eq!(a.transport.stats().rejected_oversized, 1);
}

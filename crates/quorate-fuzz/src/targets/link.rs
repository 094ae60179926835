//! What anybody can say to a node's port, and what anybody can answer who listens where a member should.

mod ends;

use crate::{Seed, Signature, Target};
use bytes::Bytes;
use ends::{A, B, Node, NotedGreeting, answer_of, call_of, call_wishing, hello, link_of};
use quorate_core::{Compression, DownReason, Hello, Packet, Service};
use quorate_transport::{ListenerStats, TcpLimits, TransportStats};
use std::sync::OnceLock;

/// All compressions, each at the place of its code on the wire.
const COMPRESSIONS: [Compression; 3] = [Compression::None, Compression::Lz4, Compression::Zstd];
/// How long the node's welcome is if it was not asked for a compression.
const WELCOME_BYTES: usize = ends::GREETING_BYTES_MIN + "\x06orders\x01a".len() + 2 + 16 + 8 + 1 + 9;

pub(super) const CALL: Target = Target::plain(
    "call",
    "what a caller writes to a node's port: it is answered or hung up on, and its packets arrive as written",
    call,
    calls,
);
pub(super) const PACKED: Target = Target::plain(
    "packed",
    "packets on a link whose ends have agreed on a compression: they arrive as they were, or the link ends",
    packed,
    packed_links,
);
pub(super) const ANSWER: Target = Target::plain(
    "answer",
    "what is answered where a member should be: it is that member, or the node knows why there is no link",
    answer,
    answers,
);

fn call(input: &[u8]) -> Signature {
    let heard = Heard::of(hello(A), input);
    let refusals =
        [heard.listener.rejected_foreign, heard.listener.rejected_protocol, heard.links.rejected_hello];
    let is_welcome = u64::from(heard.compression.is_some());
    assert_eq!(refusals.iter().sum::<u64>() + is_welcome, 1, "every caller is accounted for");
    let packets = heard.compression.map_or_else(Packets::default, |compression| {
        let greeting_bytes = NotedGreeting::of(input).map_or(input.len(), |greeting| greeting.bytes);
        packets_in(&input[greeting_bytes..], compression)
    });
    let signature = heard.judge(&packets).shape(&refusals.map(|count| count > 0));
    signature.code(heard.reason.unwrap_or(u8::MAX))
}

/// Packets behind a call for which the first byte says which compression was agreed on.
fn packed(input: &[u8]) -> Signature {
    let Some((choice, packets)) = input.split_first() else { return Signature::new() };
    let compression = COMPRESSIONS[usize::from(*choice) % COMPRESSIONS.len()];
    let heard = Heard::of(hello(A), &[call_granted(compression), packets].concat());
    assert_eq!(heard.compression, Some(compression));
    heard.judge(&packets_in(packets, compression)).shape(&compression)
}

/// What a node made of a caller, and has answered.
struct Heard {
    listener: ListenerStats,
    links: TransportStats,
    packets: Vec<Packet>,
    /// What was agreed on, if the caller was let in.
    compression: Option<Compression>,
    /// Why it was not.
    reason: Option<u8>,
}

impl Heard {
    fn of(hello: Hello, input: &[u8]) -> Self {
        let node = Node::alone(hello);
        let answer = NotedGreeting::of(&node.hear(input));
        node.close();
        let (listener, links) = node.stats();
        let packets = (0..links.packets_received).map(|_| node.next_packet()).collect();
        let compression = answer.as_ref().filter(|answer| answer.kind == NotedGreeting::WELCOME).map(agreed);
        Self { listener, links, packets, compression, reason: answer.and_then(|answer| answer.reason) }
    }

    /// Compares what arrived with what was written.
    fn judge(&self, written: &Packets) -> Signature {
        assert!(self.packets.len() <= written.whole.len(), "what arrives was written");
        for (found, written) in self.packets.iter().zip(&written.whole) {
            assert_eq!(found.head, written.head, "what arrives is what was written");
            assert_eq!(
                found.body.len(),
                written.body_before,
                "a body is as long as it was before compression"
            );
            assert!(written.is_packed() || found.body == written.body, "what arrives is what was written");
        }
        let undecodable = written.whole.get(self.packets.len());
        assert!(undecodable.is_none_or(Written::is_packed), "a plain packet arrives");
        let is_undecodable = undecodable.is_some() || written.end == End::Contradiction;
        let is_oversized = undecodable.is_none() && written.end == End::Oversized;
        assert_eq!(self.links.rejected_undecodable, u64::from(is_undecodable));
        assert_eq!(self.links.rejected_oversized, u64::from(is_oversized));
        let bytes: usize = self.packets.iter().map(Packet::bytes).sum();
        let signature = Signature::new().magnitude(self.packets.len() as u64).magnitude(bytes as u64);
        signature.shape(&is_undecodable).shape(&is_oversized)
    }
}

/// What a welcome grants, which is longer by a byte if it was asked.
fn agreed(welcome: &NotedGreeting) -> Compression {
    let asked = welcome.bytes > WELCOME_BYTES;
    COMPRESSIONS[if asked { usize::from(welcome.last) } else { 0 }]
}

/// The packets that a link carries.
#[derive(Default)]
struct Packets {
    whole: Vec<Written>,
    end: End,
}

/// A packet as it is written.
struct Written {
    head: Bytes,
    body: Bytes,
    body_before: usize,
}

/// What stands behind the last whole packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum End {
    /// Nothing, or a packet that is not all here.
    #[default]
    Cut,
    /// The header of one that is too long for any.
    Oversized,
    /// The header of one whose body became longer by compression.
    Contradiction,
}

impl Written {
    const fn is_packed(&self) -> bool {
        self.body.len() < self.body_before
    }
}

/// What stands on a link, read as it is written down for people.
fn packets_in(mut rest: &[u8], compression: Compression) -> Packets {
    let mut packets = Packets::default();
    while let Some((header, behind)) = rest.split_at_checked(ends::packet_header_bytes(compression)) {
        let lengths: Vec<usize> = header.chunks(4).map(|length| number(length) as usize).collect();
        let (head, body) = (lengths[0], lengths[1]);
        let body_before = lengths.get(2).copied().unwrap_or(body);
        if head + body.max(body_before) > TcpLimits::default().packet_bytes_max {
            packets.end = End::Oversized;
            break;
        }
        if body > body_before {
            packets.end = End::Contradiction;
            break;
        }
        if behind.len() < head + body {
            break;
        }
        let (head, behind) = behind.split_at(head);
        let (body, behind) = behind.split_at(body);
        let [head, body] = [head, body].map(Bytes::copy_from_slice);
        packets.whole.push(Written { head, body, body_before });
        rest = behind;
    }
    packets
}

/// A number in its bytes, the least significant one first.
fn number(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

fn answer(input: &[u8]) -> Signature {
    let fates = ends::fates_of_links_answered_by(input);
    let [control, stream] = &fates;
    assert_eq!(control, stream, "the same answer means the same for both links");
    let expects_end = matches!(control.reason, DownReason::Lost | DownReason::Other(_));
    match &control.hello {
        Some(hello) => {
            assert!(hello.node == "b" && hello.id == B && hello.group == ends::GROUP, "{hello:?}");
            assert!(expects_end, "a link that stands ends when the peer hangs up: {:?}", control.reason);
        }
        None => assert_ne!(control.reason, DownReason::Lost, "there was no link to lose"),
    }
    let signature = Signature::new().shape(&control.hello.is_some()).variant(&control.reason);
    match &control.reason {
        DownReason::Hello(refusal) => signature.variant(refusal),
        DownReason::Other(words) => signature.message(words),
        _ => signature,
    }
}

fn calls() -> Vec<Seed> {
    let [control, stream] = Service::ALL.map(|service| call_of(hello(B), service));
    let (call, packets) = link_of(hello(B), Compression::None, &some_packets());
    assert_eq!(call, stream, "the same node introduces itself alike");
    let link = [call, packets].concat();
    let cut = link[..link.len() - 2].to_vec();
    let (call, packets) = link_of(hello(B), Compression::Zstd, &some_packets());
    let wish = [call, packets].concat();
    let seeds =
        [("control", control), ("stream-with-packets", link), ("cut", cut), ("stream-compressed", wish)];
    seeds.into_iter().map(|(name, bytes)| Seed::new(name, bytes)).collect()
}

fn packed_links() -> Vec<Seed> {
    let seed = |compression: Compression| {
        let (_, packets) = link_of(hello(B), compression, &some_packets());
        Seed::new(compression.name(), [vec![compression as u8], packets].concat())
    };
    COMPRESSIONS.into_iter().map(seed).collect()
}

fn call_granted(compression: Compression) -> &'static [u8] {
    static CALLS: OnceLock<[Vec<u8>; 3]> = OnceLock::new();
    let calls = CALLS.get_or_init(|| COMPRESSIONS.map(|wish| call_wishing(hello(B), Service::Stream, wish)));
    &calls[compression as usize]
}

fn some_packets() -> [Packet; 5] {
    let text = b"so many apples, so many pears; ".repeat(80);
    [
        packet(b"head", b"body".to_vec()),
        packet(b"", Vec::new()),
        packet(b"", vec![7; 300]),
        packet(b"text", text),
        packet(b"last", Vec::new()),
    ]
}

fn packet(head: &'static [u8], body: Vec<u8>) -> Packet {
    Packet { head: Bytes::from_static(head), body: body.into() }
}

/// What the other member answers to the node that it expects, and to some that it does not.
fn answers() -> Vec<Seed> {
    let callers = [
        ("welcome", hello(A)),
        ("another-group", Hello { group: "sheds".to_owned(), ..hello(A) }),
        ("another-list", Hello { member_list_hash: Some(8), ..hello(A) }),
        ("another-member", Hello { node: "c".to_owned(), ..hello(A) }),
    ];
    let seed = |(name, caller)| Seed::new(name, answer_of(B, &call_of(caller, Service::Control)));
    callers.into_iter().map(seed).collect()
}

//! What anybody can say to a node's port, and what anybody can answer who listens where a member should.

mod ends;

use crate::{Seed, Signature, Target};
use bytes::Bytes;
use ends::{A, B, Node, NotedGreeting, answer_of, call_of, hello, link_of};
use quorate_core::{DownReason, Hello, Packet, Service};
use quorate_transport::TcpLimits;

pub(super) const CALL: Target = Target::plain(
    "call",
    "what a caller writes to a node's port: it is answered or hung up on, and its packets arrive as written",
    call,
    calls,
);
pub(super) const ANSWER: Target = Target::plain(
    "answer",
    "what is answered where a member should be: it is that member, or the node knows why there is no link",
    answer,
    answers,
);

fn call(input: &[u8]) -> Signature {
    let node = Node::alone(hello(A));
    let said = node.hear(input);
    node.close();
    let (listener, links) = node.stats();
    let greeting = NotedGreeting::of(&said);
    let is_welcome = greeting.as_ref().is_some_and(|greeting| greeting.kind == NotedGreeting::WELCOME);
    let refusals = [listener.rejected_foreign, listener.rejected_protocol, links.rejected_hello];
    assert_eq!(refusals.iter().sum::<u64>() + u64::from(is_welcome), 1, "every caller is accounted for");
    let packets = if is_welcome { packets_behind_greeting(input) } else { Packets::default() };
    assert_eq!(links.rejected_oversized, u64::from(packets.is_cut_off));
    assert_eq!(links.packets_received, packets.whole.len() as u64);
    for packet in &packets.whole {
        assert_eq!(&node.next_packet(), packet, "what arrives is what was written");
    }
    let signature = Signature::new().shape(&refusals.map(|count| count > 0)).shape(&packets.is_cut_off);
    let bytes: usize = packets.whole.iter().map(Packet::bytes).sum();
    let signature = signature.magnitude(packets.whole.len() as u64).magnitude(bytes as u64);
    signature.code(greeting.and_then(|greeting| greeting.reason).unwrap_or(u8::MAX))
}

/// The packets that a link carries.
#[derive(Default)]
struct Packets {
    whole: Vec<Packet>,
    /// Behind those one is announced that is too long for any.
    is_cut_off: bool,
}

/// What stands behind the greeting, read as it is written down for people.
fn packets_behind_greeting(input: &[u8]) -> Packets {
    let mut packets = Packets::default();
    let mut rest = &input[NotedGreeting::of(input).map_or(input.len(), |greeting| greeting.bytes)..];
    while let Some((lengths, behind)) = rest.split_first_chunk::<8>() {
        let [head, body] = [&lengths[..4], &lengths[4..]].map(|length| number(length) as usize);
        packets.is_cut_off = head + body > TcpLimits::default().packet_bytes_max;
        if packets.is_cut_off || behind.len() < head + body {
            break;
        }
        let (head, behind) = behind.split_at(head);
        let (body, behind) = behind.split_at(body);
        packets.whole.push(Packet { head: Bytes::copy_from_slice(head), body: Bytes::copy_from_slice(body) });
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
    let packets = [packet(b"head", b"body"), packet(b"", b""), packet(b"", &[7; 300]), packet(b"last", b"")];
    let link = link_of(hello(B), &packets);
    let cut = link[..link.len() - 2].to_vec();
    assert!(link.starts_with(&stream), "the same node introduces itself alike");
    vec![Seed::new("control", control), Seed::new("stream-with-packets", link), Seed::new("cut", cut)]
}

fn packet(head: &'static [u8], body: &'static [u8]) -> Packet {
    Packet { head: Bytes::from_static(head), body: Bytes::from_static(body) }
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

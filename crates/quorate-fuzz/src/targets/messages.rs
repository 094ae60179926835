//! What nodes say to each other, and the roster in a group's first entry.

use super::frames;
use super::hard_state::sample_roster;
use crate::{Seed, Signature, Target};
use bytes::Bytes;
use quorate_core::{EntryId, GroupUuid, Incarnation, NodeId, Packet, Term, TermTable, Vlsn};
use quorate_policy::CommitDurability;
use quorate_replica::{
    ElectionMessage, Envelope, ForwardedWrite, Heartbeat, HeartbeatReply, Message, Promise, RequestId,
    StreamId, StreamMessage, SyncupAnswer, decode_roster, encode_roster,
};
use std::time::Duration;

pub(super) const MESSAGE: Target = Target::plain(
    "message",
    "a message of a peer, its head's length before it; what is understood is understood again",
    message,
    messages,
);
pub(super) const ROSTER: Target = Target::plain(
    "roster",
    "the payload of a group's first entry; what is understood is understood again",
    roster,
    || vec![Seed::new("three", encode_roster(&sample_roster()))],
);

fn message(input: &[u8]) -> Signature {
    let Ok(envelope) = Envelope::decode(packet(input)) else { return Signature::new().word("refused") };
    let again = envelope.clone().encode();
    assert_eq!(Envelope::decode(again.clone()).as_ref(), Ok(&envelope), "what is sent on is the same");
    assert_eq!(envelope.clone().encode(), again, "one encoding a message");
    Signature::new().shape(&envelope.message).shape(&envelope.uuid.is_some())
}

fn roster(input: &[u8]) -> Signature {
    match decode_roster(input) {
        Err(error) => Signature::new().shape(&error),
        Ok(roster) => {
            assert_eq!(decode_roster(&encode_roster(&roster)).as_ref(), Ok(&roster));
            Signature::new().magnitude(roster.list.members().len() as u64).shape(&roster.list.quorum())
        }
    }
}

/// Two bytes say how long the head is; the rest is the body.
fn packet(input: &[u8]) -> Packet {
    let (length, rest) = input.split_at(input.len().min(2));
    let length = length.iter().rev().fold(0, |length, byte| length << 8 | usize::from(*byte));
    let (head, body) = rest.split_at(length.min(rest.len()));
    Packet { head: Bytes::copy_from_slice(head), body: Bytes::copy_from_slice(body) }
}

fn messages() -> Vec<Seed> {
    let seed = |(name, message)| {
        let packet = Envelope { uuid: Some(GroupUuid(5 << 100)), message }.encode();
        let length = (packet.head.len() as u16).to_le_bytes();
        Seed::new(name, [&length, &packet.head[..], &packet.body[..]].concat())
    };
    let all = election().into_iter().chain(stream()).chain(others());
    all.map(seed).collect()
}

fn term() -> Term {
    Term::new(3, NodeId::new(1))
}

fn election() -> Vec<(&'static str, Message)> {
    let rank = Some(EntryId { term: term(), vlsn: Vlsn::FIRST });
    let promise = Promise {
        voter: NodeId::new(2),
        term: term(),
        rank,
        priority: 1,
        reaches_write_quorum: true,
        recovering: false,
        damaged: true,
    };
    let certificate = vec![promise.clone(), Promise { voter: NodeId::new(1), ..promise.clone() }];
    let reply = ElectionMessage::CanvassReply { nonce: 7, agrees: true, promised: term(), recovering: false };
    vec![
        ("canvass", Message::Election(ElectionMessage::Canvass { nonce: 7 })),
        ("canvass-reply", Message::Election(reply)),
        ("prepare", Message::Election(ElectionMessage::Prepare { term: term() })),
        ("promise", Message::Election(ElectionMessage::Promise(promise))),
        ("refusal", Message::Election(ElectionMessage::Refusal { refused: term(), promised: term() })),
        ("nomination", Message::Election(ElectionMessage::Nomination { term: term(), certificate })),
    ]
}

fn stream() -> Vec<(&'static str, Message)> {
    let (term, stream) = (term(), StreamId(1 << 32 | 1));
    let starts = vec![(Term::new(1, NodeId::new(1)), Vlsn::FIRST), (term, Vlsn::FIRST.advance(3))];
    let table = TermTable::from_parts(None, starts, Some(Vlsn::FIRST.advance(4))).expect("a term table");
    let written = table.last_vlsn();
    let answer = SyncupAnswer::Matchpoint(table.last());
    let frames = frames::sample(Vlsn::FIRST, 0).frames().clone();
    let (committed, first) = (Some(Vlsn::FIRST), Some(Vlsn::FIRST));
    vec![
        ("syncup", Message::Stream(StreamMessage::Syncup { term, stream, table })),
        ("syncup-reply", Message::Stream(StreamMessage::SyncupReply { term, stream, answer, written })),
        ("append", Message::Stream(StreamMessage::Append { term, stream, committed, first, frames })),
        (
            "ack",
            Message::Stream(StreamMessage::Ack { term, stream, written, durable: committed, counts: true }),
        ),
    ]
}

fn others() -> Vec<(&'static str, Message)> {
    let heartbeat = Heartbeat {
        term: term(),
        sequence: 9,
        committed: Some(Vlsn::FIRST),
        stream: Some(StreamId(4)),
        sent: Some(Vlsn::FIRST.next()),
        trim: None,
        lease: Some(Duration::from_millis(500)),
        round_trip: Duration::from_micros(250),
    };
    let reply = HeartbeatReply {
        term: term(),
        sequence: 9,
        applied: Some(Vlsn::FIRST),
        engine_durable: None,
        granted: true,
    };
    let write = ForwardedWrite {
        request: RequestId(1 << 40 | 2),
        payload: Bytes::from_static(b"\x01\x00\x01\x00\x00\x00\x00\x00"),
        reads: Bytes::new(),
        durability: CommitDurability::default(),
        timeout: Duration::from_secs(5),
    };
    let introduce = Message::Introduce {
        incarnation: Incarnation(2 << 90),
        roster: Some(sample_roster()),
        wants_answer: true,
    };
    let frames = frames::sample(Vlsn::FIRST, 0).frames().clone();
    vec![
        ("introduce", introduce),
        ("heartbeat", Message::Heartbeat(heartbeat)),
        ("heartbeat-reply", Message::HeartbeatReply(reply)),
        ("lease-release", Message::LeaseRelease { term: term(), sequence: 9 }),
        ("read-index", Message::ReadIndex { read: 1 }),
        ("read-index-reply", Message::ReadIndexReply { read: 1, at: Ok(Some(Vlsn::FIRST)) }),
        ("repair-request", Message::RepairRequest { first: Vlsn::FIRST, last: Vlsn::FIRST.next() }),
        ("repair", Message::Repair { first: Vlsn::FIRST, frames }),
        ("forward", Message::Forward(write)),
        (
            "forward-reply",
            Message::ForwardReply { request: RequestId(2), outcome: Bytes::from_static(b"\x18\x01") },
        ),
    ]
}

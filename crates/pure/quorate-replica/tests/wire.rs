//! Messages survive the wire, and bytes that nobody trusts do no harm.

use bytes::Bytes;
use proptest::prelude::*;
use quorate_core::*;
use quorate_replica::*;
use std::time::Duration;

fn vlsn() -> impl Strategy<Value = Vlsn> {
    (1_u64..).prop_map(|number| Vlsn::new(number).expect("from 1"))
}

fn position() -> impl Strategy<Value = Option<Vlsn>> {
    any::<u64>().prop_map(Vlsn::new)
}

fn term() -> impl Strategy<Value = Term> {
    any::<u64>().prop_map(Term::from_u64)
}

fn rank() -> impl Strategy<Value = Option<EntryId>> {
    proptest::option::of((term(), vlsn()).prop_map(|(term, vlsn)| EntryId { term, vlsn }))
}

fn stream() -> impl Strategy<Value = StreamId> {
    any::<u64>().prop_map(StreamId)
}

fn promise() -> impl Strategy<Value = Promise> {
    (any::<u16>(), term(), rank(), any::<u32>(), any::<(bool, bool, bool)>()).prop_map(
        |(voter, term, rank, priority, (reaches_write_quorum, recovering, damaged))| Promise {
            voter: NodeId::new(voter),
            term,
            rank,
            priority,
            reaches_write_quorum,
            recovering,
            damaged,
        },
    )
}

fn table() -> impl Strategy<Value = TermTable> {
    proptest::collection::vec((1_u64..5, 1_u64..9), 0..6).prop_map(|steps| {
        let mut table = TermTable::new(None);
        let (mut round, mut next) = (0, 1);
        for (rounds, entries) in steps {
            round += rounds;
            table.append_run(Term::new(round, NodeId::new(1)), Vlsn::new(next).expect("from 1"));
            next += entries;
            table.extend_to(Vlsn::new(next - 1).expect("from 1"));
        }
        table
    })
}

fn roster() -> impl Strategy<Value = Roster> {
    (proptest::collection::btree_map("[a-z]{1,8}", any::<u128>(), 1..6), any::<bool>()).prop_map(
        |(nodes, flexible)| {
            let count = nodes.len() as u16;
            let members = nodes.keys().map(|name| Member {
                id: NodeId::default(),
                name: name.clone(),
                address: format!("{name}:1"),
                node_type: NodeType::Electable,
                priority: 3,
            });
            let quorum = if flexible {
                QuorumPolicy::Flexible { election: count, write: 1 }
            } else {
                QuorumPolicy::SimpleMajority
            };
            let list = MemberList::found(members.collect(), quorum).expect("names differ");
            let listed = list.members().iter().zip(nodes.values());
            let incarnations = listed
                .map(|(member, number)| RosterMember { id: member.id, incarnation: Incarnation(*number) })
                .collect();
            Roster { group: "g".into(), list, incarnations }
        },
    )
}

fn election() -> impl Strategy<Value = ElectionMessage> {
    prop_oneof![
        any::<u64>().prop_map(|nonce| ElectionMessage::Canvass { nonce }),
        (any::<u64>(), any::<bool>(), term(), any::<bool>()).prop_map(
            |(nonce, agrees, promised, recovering)| {
                ElectionMessage::CanvassReply { nonce, agrees, promised, recovering }
            }
        ),
        term().prop_map(|term| ElectionMessage::Prepare { term }),
        promise().prop_map(ElectionMessage::Promise),
        (term(), term()).prop_map(|(refused, promised)| ElectionMessage::Refusal { refused, promised }),
        (term(), proptest::collection::vec(promise(), 0..5))
            .prop_map(|(term, certificate)| ElectionMessage::Nomination { term, certificate }),
    ]
}

fn log() -> impl Strategy<Value = StreamMessage> {
    prop_oneof![
        (term(), stream(), table()).prop_map(|(term, stream, table)| StreamMessage::Syncup {
            term,
            stream,
            table
        }),
        (term(), stream(), rank(), position()).prop_map(|(term, stream, matchpoint, written)| {
            let answer = SyncupAnswer::Matchpoint(matchpoint);
            StreamMessage::SyncupReply { term, stream, answer, written }
        }),
        (term(), stream(), term(), vlsn()).prop_map(|(term, stream, base, vlsn)| {
            let answer = SyncupAnswer::Trimmed { base: EntryId { term: base, vlsn } };
            StreamMessage::SyncupReply { term, stream, answer, written: None }
        }),
        (term(), stream(), position(), position(), proptest::collection::vec(any::<u8>(), 0..99)).prop_map(
            |(term, stream, committed, first, frames)| {
                StreamMessage::Append { term, stream, committed, first, frames: Bytes::from(frames) }
            }
        ),
        (term(), stream(), position(), position(), any::<bool>()).prop_map(
            |(term, stream, written, durable, counts)| {
                StreamMessage::Ack { term, stream, written, durable, counts }
            }
        ),
    ]
}

fn bytes() -> impl Strategy<Value = Bytes> {
    proptest::collection::vec(any::<u8>(), 0..99).prop_map(Bytes::from)
}

fn forwarded() -> impl Strategy<Value = ForwardedWrite> {
    let sync = || prop_oneof![Just("sync"), Just("write-no-sync"), Just("no-sync")];
    let acks = prop_oneof![Just("all"), Just("majority"), Just("none")];
    (any::<u64>(), bytes(), bytes(), sync(), sync(), acks, any::<u32>()).prop_map(
        |(request, payload, reads, local, replica, acks, micros)| ForwardedWrite {
            request: RequestId(request),
            payload,
            reads,
            durability: format!("{local},{replica},{acks}").parse().expect("a durability"),
            timeout: std::time::Duration::from_micros(micros.into()),
        },
    )
}

fn message() -> impl Strategy<Value = Message> {
    prop_oneof![
        (any::<u128>(), proptest::option::of(roster()), any::<bool>()).prop_map(
            |(number, roster, wants_answer)| {
                Message::Introduce { incarnation: Incarnation(number), roster, wants_answer }
            }
        ),
        election().prop_map(Message::Election),
        log().prop_map(Message::Stream),
        (
            (term(), any::<u64>(), position(), proptest::option::of(stream()), position(), position()),
            proptest::option::of((1_u64..).prop_map(Duration::from_nanos)),
            any::<u64>().prop_map(Duration::from_nanos),
        )
            .prop_map(|((term, sequence, committed, stream, sent, trim), lease, round_trip)| {
                Message::Heartbeat(Heartbeat {
                    term,
                    sequence,
                    committed,
                    stream,
                    sent,
                    trim,
                    lease,
                    round_trip,
                })
            }),
        (term(), any::<u64>(), position(), position(), any::<bool>()).prop_map(
            |(term, sequence, applied, engine_durable, granted)| {
                let reply = HeartbeatReply { term, sequence, applied, engine_durable, granted };
                Message::HeartbeatReply(reply)
            }
        ),
        (term(), any::<u64>()).prop_map(|(term, sequence)| Message::LeaseRelease { term, sequence }),
        any::<u64>().prop_map(|read| Message::ReadIndex { read }),
        (any::<u64>(), position()).prop_map(|(read, at)| Message::ReadIndexReply { read, at: Ok(at) }),
        (vlsn(), vlsn()).prop_map(|(first, last)| Message::RepairRequest { first, last }),
        forwarded().prop_map(Message::Forward),
        (any::<u64>(), bytes()).prop_map(|(request, outcome)| {
            Message::ForwardReply { request: RequestId(request), outcome }
        }),
        (vlsn(), proptest::collection::vec(any::<u8>(), 0..99))
            .prop_map(|(first, frames)| Message::Repair { first, frames: Bytes::from(frames) }),
    ]
}

proptest! {
    #[test]
    fn every_message_survives_the_wire(message in message(), uuid in proptest::option::of(any::<u128>())) {
        let envelope = Envelope { uuid: uuid.map(GroupUuid), message };
        prop_assert_eq!(Envelope::decode(envelope.clone().encode()), Ok(envelope));
    }

    #[test]
    fn any_bytes_are_a_message_or_an_error(
        head in proptest::collection::vec(any::<u8>(), 0..300),
        body in proptest::collection::vec(any::<u8>(), 0..50),
    ) {
        let _ = Envelope::decode(Packet { head: Bytes::from(head), body: Bytes::from(body) });
    }

    #[test]
    fn a_message_with_a_damaged_byte_is_a_message_or_an_error(message in message(), place: usize, flip in 1_u8..) {
        let Packet { head, body } = Envelope { uuid: None, message }.encode();
        let mut head = head.to_vec();
        let place = place % head.len().max(1);
        if let Some(byte) = head.get_mut(place) {
            *byte ^= flip;
        }
        let _ = Envelope::decode(Packet { head: Bytes::from(head), body });
    }

    #[test]
    fn a_roster_survives_as_the_first_entry(roster in roster()) {
        prop_assert_eq!(decode_roster(&encode_roster(&roster)), Ok(roster));
    }
}

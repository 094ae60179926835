//! Entries for the tests of frames.
use proptest::prelude::*;
use quorate_codec::Encoder;
use quorate_core::{Batch, EntryId, EntryKind, NodeId, Requirement, Term, Vlsn};

/// An entry to be pushed: everything but its position.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) term: Term,
    pub(crate) kind: EntryKind,
    pub(crate) requirement: Requirement,
    pub(crate) timestamp_micros: u64,
    pub(crate) payload: Vec<u8>,
}

pub(crate) fn v(number: u64) -> Vlsn {
    Vlsn::new(number).unwrap()
}

pub(crate) fn t(round: u64) -> Term {
    Term::new(round, NodeId::new(2))
}

pub(crate) fn id(round: u64, number: u64) -> EntryId {
    EntryId { term: t(round), vlsn: v(number) }
}

pub(crate) fn encode(entries: &[Entry], first: Vlsn, chain: u32) -> Batch {
    let mut encoder = Encoder::new(chain);
    for (entry, index) in entries.iter().zip(0..) {
        let id = EntryId { term: entry.term, vlsn: first.advance(index) };
        encoder.push(id, entry.kind, entry.requirement, entry.timestamp_micros, &entry.payload);
    }
    encoder.finish().unwrap()
}

/// Five entries of two terms from VLSN 10 on, of all kinds and requirements, one of them empty, behind the
/// chain 77.
pub(crate) fn sample() -> Batch {
    let entry = |round, kind, local_sync, replica_sync, payload: &[u8]| Entry {
        term: t(round),
        kind,
        requirement: Requirement { local_sync, replica_sync },
        timestamp_micros: 1_700_000_000_000_000 + round,
        payload: payload.to_vec(),
    };
    let entries = [
        entry(3, EntryKind::Data, true, true, b"alpha"),
        entry(3, EntryKind::Data, true, true, b""),
        entry(3, EntryKind::Data, false, true, b"gamma gamma"),
        entry(5, EntryKind::TermStart, true, true, b"roster"),
        entry(5, EntryKind::Data, false, false, b"epsilon"),
    ];
    encode(&entries, v(10), 77)
}

/// One to twelve entries whose terms do not decrease.
pub(crate) fn entries() -> impl Strategy<Value = Vec<Entry>> {
    let kind = prop_oneof![1 => Just(EntryKind::TermStart), 5 => Just(EntryKind::Data)];
    let payload = proptest::collection::vec(any::<u8>(), 0..80);
    let entry =
        (prop_oneof![4 => Just(0_u64), 1 => 1_u64..4], kind, any::<(bool, bool)>(), any::<u64>(), payload);
    proptest::collection::vec(entry, 1..12).prop_map(|drawn| {
        let mut round = 1;
        let with_terms =
            drawn.into_iter().map(|(rise, kind, (local_sync, replica_sync), timestamp_micros, payload)| {
                round += rise;
                let requirement = Requirement { local_sync, replica_sync };
                Entry { term: t(round), kind, requirement, timestamp_micros, payload }
            });
        with_terms.collect()
    })
}

pub(crate) fn assert_same(a: &Batch, b: &Batch) {
    assert_eq!(a.frames(), b.frames());
    assert_eq!(a.offsets(), b.offsets());
    assert_eq!(a.runs(), b.runs());
    assert_eq!((a.first(), a.last(), a.count()), (b.first(), b.last(), b.count()));
    assert_eq!((a.chain_before(), a.chain_after()), (b.chain_before(), b.chain_after()));
}

//! Payloads: envelopes, operations, what transactions have read.

use crate::{Seed, Signature, Target};
use quorate_codec::{DatabaseId, Envelope, Operation, Operations, PayloadKind, ReadSet, Session, WriteBatch};
use quorate_core::{EntryId, NodeId, Term, Vlsn};
use std::ops::Bound;

pub(super) const ENVELOPE: Target = Target::plain(
    "envelope",
    "an entry's payload; what is accepted encodes to the same bytes",
    envelope,
    envelopes,
);
pub(super) const OPERATIONS: Target = Target::plain(
    "operations",
    "an encoded write batch; what is accepted encodes to the same bytes",
    operations,
    batches,
);
pub(super) const READ_SET: Target = Target::plain(
    "read-set",
    "what a transaction has read; one encoding a set, in whatever order it is gathered",
    read_set,
    read_sets,
);

fn envelope(input: &[u8]) -> Signature {
    match Envelope::decode(input) {
        Err(error) => Signature::new().shape(&error),
        Ok(envelope) => {
            let mut again = Vec::new();
            envelope.encode_into(&mut again);
            assert_eq!(again, input, "one encoding an envelope");
            assert_eq!(envelope.bytes(), input.len());
            let signature = Signature::new().shape(&envelope.kind).shape(&envelope.session.is_some());
            signature.magnitude(envelope.schema_version.into()).magnitude(envelope.body.len() as u64)
        }
    }
}

fn operations(input: &[u8]) -> Signature {
    let mut again = WriteBatch::new();
    let mut signature = Signature::new();
    for operation in Operations::new(input) {
        match operation {
            Err(error) => return signature.shape(&error),
            Ok(Operation::Put { database, key, value }) => {
                again.put(database, key, value);
                signature = signature.word("put").magnitude(value.len() as u64);
            }
            Ok(Operation::Delete { database, key }) => {
                again.delete(database, key);
                signature = signature.word("delete").magnitude(key.len() as u64);
            }
            Ok(Operation::CreateDatabase { name }) => {
                again.create_database(name);
                signature = signature.word("create");
            }
        }
    }
    assert_eq!(again.encoded(), input, "one encoding a batch");
    signature
}

fn read_set(input: &[u8]) -> Signature {
    let set = match ReadSet::decode(input) {
        Err(error) => return Signature::new().shape(&error),
        Ok(set) => set,
    };
    assert_eq!(set.encode(), input, "one encoding a set");
    let mut gathered = ReadSet::new(set.snapshot());
    let ranges: Vec<_> = set.ranges().collect();
    for (database, start, end) in ranges.iter().rev() {
        let end = end.map_or(Bound::Unbounded, Bound::Excluded);
        gathered.add_range(*database, Bound::Included(start), end);
    }
    for (database, key) in set.points() {
        gathered.add_point(database, key);
    }
    assert_eq!(gathered, set, "the order of gathering does not matter");
    Signature::new().magnitude(set.points().count() as u64).magnitude(ranges.len() as u64)
}

fn envelopes() -> Vec<Seed> {
    let session = Some(Session { client: 7 << 100, sequence: 3 });
    let batch = sample_batch();
    let seed = |name: &str, kind, session, body| {
        let mut bytes = Vec::new();
        Envelope { kind, schema_version: 1, session, body }.encode_into(&mut bytes);
        Seed::new(name, bytes)
    };
    vec![
        seed("write", PayloadKind::WriteBatch, None, batch.encoded()),
        seed("write-in-session", PayloadKind::WriteBatch, session, batch.encoded()),
        seed("opaque", PayloadKind::Opaque, None, b"some bytes"),
        seed("open-session", PayloadKind::OpenSession, Some(Session { client: 7, sequence: 0 }), b""),
    ]
}

pub(super) fn sample_batch() -> WriteBatch {
    let mut batch = WriteBatch::new();
    batch.create_database("stock");
    batch.put(DatabaseId::new(1), b"apples", b"42");
    batch.put(DatabaseId::new(300), b"", &[7; 200]);
    batch.delete(DatabaseId::new(2), b"pears");
    batch
}

fn batches() -> Vec<Seed> {
    vec![
        Seed::new("all", sample_batch().encoded()),
        Seed::new("none", WriteBatch::new().encoded()),
        Seed::new("cut", &sample_batch().encoded()[..20]),
    ]
}

fn read_sets() -> Vec<Seed> {
    let id = EntryId { term: Term::new(2, NodeId::new(1)), vlsn: Vlsn::FIRST };
    let mut set = ReadSet::new(Some(id));
    set.add_point(DatabaseId::new(1), b"apples");
    set.add_point(DatabaseId::new(1), b"pears");
    set.add_range(DatabaseId::new(1), Bound::Included(b"a"), Bound::Excluded(b"c"));
    set.add_range(DatabaseId::new(2), Bound::Excluded(b"x"), Bound::Unbounded);
    vec![Seed::new("some", set.encode()), Seed::new("none", ReadSet::new(None).encode())]
}

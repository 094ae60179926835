//! What stands in a payload: the envelope and the operations.
use proptest::prelude::*;
use quorate_codec::{
    DatabaseId, Envelope, EnvelopeError, Operation, OperationError, Operations, PayloadKind, Session,
    WriteBatch,
};

#[derive(Clone, Debug)]
enum Owned {
    Put(u32, Vec<u8>, Vec<u8>),
    Delete(u32, Vec<u8>),
    Create(String),
}

impl Owned {
    fn add_to(&self, batch: &mut WriteBatch) {
        match self {
            Self::Put(database, key, value) => batch.put(DatabaseId::new(*database), key, value),
            Self::Delete(database, key) => batch.delete(DatabaseId::new(*database), key),
            Self::Create(name) => batch.create_database(name),
        }
    }

    fn borrow(&self) -> Operation<'_> {
        match self {
            Self::Put(database, key, value) => {
                Operation::Put { database: DatabaseId::new(*database), key, value }
            }
            Self::Delete(database, key) => Operation::Delete { database: DatabaseId::new(*database), key },
            Self::Create(name) => Operation::CreateDatabase { name },
        }
    }
}

fn operation() -> impl Strategy<Value = Owned> {
    let bytes = || proptest::collection::vec(any::<u8>(), 0..200);
    prop_oneof![
        (any::<u32>(), bytes(), bytes()).prop_map(|(database, key, value)| Owned::Put(database, key, value)),
        (0_u32..300, bytes()).prop_map(|(database, key)| Owned::Delete(database, key)),
        any::<String>().prop_map(Owned::Create),
    ]
}

fn sample() -> WriteBatch {
    let mut batch = WriteBatch::new();
    batch.create_database("orders");
    batch.put(DatabaseId::new(300), b"key", b"value");
    batch.delete(DatabaseId::new(1), b"old");
    batch
}

fn read(encoded: &[u8]) -> Result<Vec<Operation<'_>>, OperationError> {
    Operations::new(encoded).collect()
}

#[test]
fn operations_have_exactly_the_documented_bytes() {
    let expected = b"\x03\0\0\0\x03\x06orders\x01\xac\x02\x03key\x05value\x02\x01\x03old";
    let batch = sample();
    assert_eq!(batch.encoded(), expected);
    assert_eq!((batch.len(), batch.bytes(), batch.is_empty()), (3, expected.len(), false));
}

#[test]
fn a_cleared_batch_is_a_new_one() {
    let mut batch = sample();
    batch.clear();
    assert_eq!(batch, WriteBatch::new());
    assert_eq!(read(batch.encoded()), Ok(vec![]));
}

#[test]
fn operations_that_are_cut_short_anywhere_are_refused() {
    let batch = sample();
    for length in 0..batch.bytes() {
        let cut = read(&batch.encoded()[..length]);
        assert!(matches!(cut, Err(OperationError::Truncated { .. })), "{length} bytes: {cut:?}");
    }
}

#[test]
fn bytes_behind_the_last_operation_are_refused() {
    let longer = [sample().encoded(), b"xy"].concat();
    assert_eq!(read(&longer), Err(OperationError::TrailingBytes { count: 2 }));
}

#[test]
fn malformed_operations_are_refused_for_what_is_wrong() {
    assert_eq!(read(b"\x01\0\0\0\x09"), Err(OperationError::Tag { found: 9 }));
    assert_eq!(read(b"\x01\0\0\0\x03\x02\xff\xfe"), Err(OperationError::Name));
    assert_eq!(read(b"\x01\0\0\0\x02\x81\x00\x00"), Err(OperationError::Number));
    assert_eq!(
        read(b"\x01\0\0\0\x02\x01\xff\xff\xff\xff\x0f"),
        Err(OperationError::Truncated { missing: 1 })
    );
    assert_eq!(read(b"\x02\0\0\0\x02\x01\x00"), Err(OperationError::Truncated { missing: 1 }));
}

#[test]
fn nothing_follows_an_error() {
    let mut operations = Operations::new(b"\x02\0\0\0\x09\x02\x01\x00");
    assert_eq!(operations.next(), Some(Err(OperationError::Tag { found: 9 })));
    assert_eq!(operations.next(), None);
}

#[test]
fn an_envelope_has_exactly_the_documented_bytes() {
    let session = Session { client: 0x0f, sequence: 0x0203 };
    let mut bytes = Vec::new();
    let with = Envelope {
        kind: PayloadKind::WriteBatch,
        schema_version: 0x0405,
        session: Some(session),
        body: b"ab",
    };
    with.encode_into(&mut bytes);
    assert_eq!(bytes, b"\x01\x01\x05\x04\x0f\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x03\x02\0\0\0\0\0\0ab");
    assert_eq!(bytes.len(), with.bytes());
    bytes.clear();
    Envelope { kind: PayloadKind::Opaque, session: None, ..with }.encode_into(&mut bytes);
    assert_eq!(bytes, b"\x02\x00\x05\x04ab");
    bytes.clear();
    Envelope { kind: PayloadKind::OpenSession, body: b"", ..with }.encode_into(&mut bytes);
    assert_eq!(bytes, b"\x03\x01\x05\x04\x0f\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x03\x02\0\0\0\0\0\0");
}

#[test]
fn an_envelope_that_is_cut_short_or_unknown_is_refused() {
    let envelope = |bytes| Envelope::decode(bytes).unwrap_err();
    assert_eq!(envelope(b"\x01\x00\x01"), EnvelopeError::Truncated { needed: 4, found: 3 });
    assert_eq!(envelope(&[1; 27]), EnvelopeError::Truncated { needed: 28, found: 27 });
    assert_eq!(envelope(b"\x00\x00\x01\x00"), EnvelopeError::Kind { found: 0 });
    assert_eq!(envelope(b"\x04\x00\x01\x00"), EnvelopeError::Kind { found: 4 });
    assert_eq!(envelope(b"\x01\x02\x01\x00"), EnvelopeError::Flags { found: 2 });
}

proptest! {
    #[test]
    fn every_list_of_operations_comes_back(operations in proptest::collection::vec(operation(), 0..12)) {
        let mut batch = WriteBatch::new();
        for operation in &operations {
            operation.add_to(&mut batch);
        }
        prop_assert_eq!(batch.len(), operations.len());
        let expected: Vec<_> = operations.iter().map(Owned::borrow).collect();
        prop_assert_eq!(read(batch.encoded()), Ok(expected));
    }

    #[test]
    fn every_envelope_comes_back(
        kind in prop_oneof![
            Just(PayloadKind::WriteBatch),
            Just(PayloadKind::Opaque),
            Just(PayloadKind::OpenSession),
        ],
        schema_version: u16,
        session: Option<(u128, u64)>,
        body in proptest::collection::vec(any::<u8>(), 0..50),
    ) {
        let session = session.map(|(client, sequence)| Session { client, sequence });
        let envelope = Envelope { kind, schema_version, session, body: &body };
        let mut payload = b"before".to_vec();
        envelope.encode_into(&mut payload);
        prop_assert_eq!(Envelope::decode(&payload[6..]), Ok(envelope));
    }

    #[test]
    fn arbitrary_payloads_never_panic(
        bytes in proptest::collection::vec(prop_oneof![4 => 0_u8..6, 1 => any::<u8>()], 0..60),
        count in 0_u8..5,
    ) {
        let _ = Envelope::decode(&bytes);
        let _ = read(&bytes);
        let _ = read(&[&[count, 0, 0, 0], &bytes[..]].concat());
    }
}

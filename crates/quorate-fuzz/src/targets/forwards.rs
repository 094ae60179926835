//! Writes that replicas pass on to their master, and what the master says became of them.

mod pair;

use super::codec::sample_batch;
use super::memory::Kept;
use crate::input::Input;
use crate::{Seed, Signature, Target};
use bytes::Bytes;
use pair::Pair;
use quorate::{CommitDurability, CommitExtent, ReplicaAckPolicy, SyncPolicy, WriteBatch};
use quorate_codec::{DatabaseId, Envelope, PayloadKind, ReadSet, Session};
use quorate_env::kv::SCHEMA_VERSION;
use std::ops::Bound;

pub(super) const FORWARD: Target = Target::plain(
    "forward",
    "a write that a replica passes on: it is answered, and nothing gets into the log that stops a node",
    forward,
    forwards,
);
pub(super) const OUTCOME: Target = Target::plain(
    "outcome",
    "what a master says became of a write: done only once it is applied here, and told to the caller",
    outcome,
    outcomes,
);

static PAIR: Kept<Pair> = Kept::new(Pair::open);

fn forward(input: &[u8]) -> Signature {
    let (durability, payload, reads) = write(input);
    PAIR.with(|pair| {
        let outcome = pair.outcome_of(durability, payload, reads);
        pair.assert_serves();
        let kind = outcome.first().copied().unwrap_or_default();
        Signature::new().code(kind).magnitude(outcome.len() as u64)
    })
}

/// How durable, the length of the payload, the payload, what was read.
fn write(input: &[u8]) -> (CommitDurability, Bytes, Bytes) {
    let mut input = Input::new(input);
    let durability = durability(input.byte());
    let length = usize::from(input.byte()) | usize::from(input.byte()) << 8;
    let payload = Bytes::copy_from_slice(input.take(length));
    (durability, payload, Bytes::copy_from_slice(input.rest()))
}

fn durability(choice: u8) -> CommitDurability {
    const SYNC: [SyncPolicy; 3] = [SyncPolicy::Sync, SyncPolicy::WriteNoSync, SyncPolicy::NoSync];
    const ACKS: [ReplicaAckPolicy; 3] =
        [ReplicaAckPolicy::SimpleMajority, ReplicaAckPolicy::All, ReplicaAckPolicy::None];
    let [local, replica, acks] = [1, 3, 9].map(|unit| usize::from(choice / unit % 3));
    CommitDurability { local: SYNC[local], replica: SYNC[replica], acks: ACKS[acks] }
}

fn outcome(input: &[u8]) -> Signature {
    PAIR.with(|pair| {
        let told = pair.told_that(Bytes::copy_from_slice(input));
        pair.assert_serves();
        match told {
            None => Signature::new().word("waits"),
            Some(Err(error)) => Signature::new().variant(&error).variant(&error.outcome()),
            Some(Ok(committed)) => {
                let (token, applied) = (committed.token, pair.applied());
                assert_eq!(Some(token.group), pair.uuid(), "a commit of this group");
                assert!(
                    committed.extent == CommitExtent::Written || Some(token.vlsn) <= applied,
                    "{token} was acknowledged where only {applied:?} is applied"
                );
                Signature::new().shape(&committed.extent).magnitude(committed.result.len() as u64)
            }
        }
    })
}

fn forwards() -> Vec<Seed> {
    let mut put = WriteBatch::new();
    put.put(DatabaseId::new(1), b"apples", b"42");
    let mut reads = ReadSet::new(None);
    reads.add_point(DatabaseId::new(1), b"apples");
    reads.add_range(DatabaseId::new(1), Bound::Included(b"a"), Bound::Excluded(b"c"));
    let session = |sequence| Some(Session { client: 7, sequence });
    let (write, open) = (PayloadKind::WriteBatch, PayloadKind::OpenSession);
    vec![
        seed("put", 0, &payload(write, None, put.encoded()), b""),
        seed("put-relaxed", 26, &payload(write, None, put.encoded()), b""),
        seed("put-all", 9, &payload(write, None, put.encoded()), b""),
        seed("several", 0, &payload(write, None, sample_batch().encoded()), b""),
        seed("transaction", 0, &payload(write, None, put.encoded()), &reads.encode()),
        seed("open-session", 0, &payload(open, session(0), b""), b""),
        seed("in-session", 0, &payload(write, session(1), put.encoded()), b""),
        seed("fence", 0, &payload(write, session(2), WriteBatch::new().encoded()), b""),
        seed("opaque", 0, &payload(PayloadKind::Opaque, None, b"some bytes"), b""),
    ]
}

fn payload(kind: PayloadKind, session: Option<Session>, body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    Envelope { kind, schema_version: SCHEMA_VERSION, session, body }.encode_into(&mut bytes);
    bytes
}

fn seed(name: &str, durability: u8, payload: &[u8], reads: &[u8]) -> Seed {
    let length = (payload.len() as u16).to_le_bytes();
    Seed::new(name, [&[durability], &length[..], payload, reads].concat())
}

/// What a master says of each of those writes.
fn outcomes() -> Vec<Seed> {
    let pair = Pair::open();
    let outcome = |Seed { name, bytes }: Seed| {
        let (durability, payload, reads) = write(&bytes);
        Seed::new(name, pair.outcome_of(durability, payload, reads).to_vec())
    };
    forwards().into_iter().map(outcome).collect()
}

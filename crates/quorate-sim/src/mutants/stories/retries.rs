use crate::engine_disk::EngineDisk;
use crate::{BrokenRule, Rule, Violation};
use bytes::Bytes;
use quorate_codec::{Envelope, PayloadKind, Session, WriteBatch};
use quorate_core::{Committed, Engine, EngineError, EntryId, EntryKind, NodeId, Random, Term, Vlsn};
use quorate_env::kv::{DEFAULT_DATABASE, KvEngine, SCHEMA_VERSION};
use std::sync::Arc;

const KEY: &[u8] = b"key";

/// A client's write is sent again, once another write has followed it: it is not carried out a second time.
pub(in super::super) fn retries(seed: u64, broken: Option<BrokenRule>) -> Result<(), Violation> {
    let mut random = Random::new(seed);
    let client = u128::from(random.next_u64());
    let request = Session { client, sequence: 1 + random.below(9) };
    let opening = payload(PayloadKind::OpenSession, Some(Session { client, sequence: 0 }), None);
    let first = payload(PayloadKind::WriteBatch, Some(request), Some(b"first"));
    let second = payload(PayloadKind::WriteBatch, None, Some(b"second"));
    match value_after(&[opening, first.clone(), second, first], broken) {
        Ok(Some(value)) if &value[..] == b"second" => Ok(()),
        found => Rule::RequestsHappenOnce
            .broken(format!("a request of a session came twice, and left {found:?} behind")),
    }
}

fn value_after(payloads: &[Bytes], broken: Option<BrokenRule>) -> Result<Option<Bytes>, EngineError> {
    let engine = KvEngine::open(Arc::new(EngineDisk::default()))?;
    let mut engine = engine.breaking(broken.and_then(BrokenRule::in_engine));
    for (payload, number) in payloads.iter().zip(0..) {
        let id = EntryId { term: Term::new(1, NodeId::new(1)), vlsn: Vlsn::FIRST.advance(number) };
        let entry = Committed { id, kind: EntryKind::Data, payload: payload.clone() };
        engine.apply(&[entry], &mut Vec::new())?;
    }
    engine.reader().snapshot()?.get(DEFAULT_DATABASE, KEY)
}

fn payload(kind: PayloadKind, session: Option<Session>, value: Option<&[u8]>) -> Bytes {
    let operations = value.map(|value| {
        let mut operations = WriteBatch::new();
        operations.put(DEFAULT_DATABASE, KEY, value);
        operations
    });
    let body = operations.as_ref().map_or(&[][..], WriteBatch::encoded);
    let mut payload = Vec::new();
    Envelope { kind, schema_version: SCHEMA_VERSION, session, body }.encode_into(&mut payload);
    payload.into()
}

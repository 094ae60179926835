//! Entries for tests.

use bytes::Bytes;
use quorate_codec::{Envelope, PayloadKind, Session, WriteBatch};
use quorate_core::{Committed, EntryId, EntryKind, NodeId, Term, Vlsn};
use quorate_env::kv::SCHEMA_VERSION;

/// A batch with the operations that `fill` adds.
pub(crate) fn batch(fill: impl FnOnce(&mut WriteBatch)) -> WriteBatch {
    let mut batch = WriteBatch::new();
    fill(&mut batch);
    batch
}

/// A batch as an entry.
pub(crate) fn entry(vlsn: u64, batch: &WriteBatch) -> Committed {
    entry_at(vlsn, payload(PayloadKind::WriteBatch, None, batch))
}

/// A request as a payload.
pub(crate) fn payload(kind: PayloadKind, session: Option<Session>, batch: &WriteBatch) -> Bytes {
    let body = if kind == PayloadKind::WriteBatch { batch.encoded() } else { &[] };
    let mut payload = Vec::new();
    Envelope { kind, schema_version: SCHEMA_VERSION, session, body }.encode_into(&mut payload);
    payload.into()
}

/// Any payload as an entry.
pub(crate) fn entry_at(vlsn: u64, payload: Bytes) -> Committed {
    let id = EntryId { term: Term::new(1, NodeId::new(1)), vlsn: Vlsn::new(vlsn).unwrap() };
    Committed { id, kind: EntryKind::Data, payload }
}

use bytes::Bytes;
use quorate_codec::{Envelope, PayloadKind, WriteBatch, decode};
use quorate_core::{Batch, EntryId, Term, Vlsn};
use quorate_env::kv::{DEFAULT_DATABASE, SCHEMA_VERSION};
use std::collections::BTreeMap;

/// An entry that was handed to the log.
#[derive(Clone, Debug)]
pub(crate) struct Written {
    pub(crate) id: EntryId,
    pub(crate) frame: Bytes,
    pub(crate) row: Row,
}

/// What an entry puts into the engine.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) key: Vec<u8>,
    pub(crate) value: Vec<u8>,
}

impl Row {
    /// The payload of its entry.
    pub(crate) fn payload(&self) -> Vec<u8> {
        let mut operations = WriteBatch::new();
        operations.put(DEFAULT_DATABASE, &self.key, &self.value);
        let mut payload = Vec::new();
        let body = operations.encoded();
        Envelope { kind: PayloadKind::WriteBatch, schema_version: SCHEMA_VERSION, session: None, body }
            .encode_into(&mut payload);
        payload
    }
}

/// A truncation that has begun.
#[derive(Clone, Debug)]
pub(crate) struct Cut {
    /// How many entries it keeps.
    pub(crate) keep: usize,
    /// The frames that it drops.
    pub(crate) dropped: Vec<u8>,
}

/// What a node has been told by its storage, and so may have told others: what must be found after a crash.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger {
    /// All entries of the log, from the first one on.
    pub(crate) entries: Vec<Written>,
    /// How many of them a sync has covered.
    pub(crate) durable: usize,
    pub(crate) cut: Option<Cut>,
    /// The frames that each truncation has dropped.
    pub(crate) dropped: Vec<Vec<u8>>,
    /// Trimming up to this position has been allowed.
    pub(crate) trimmed: u64,
    /// The promise stored last.
    pub(crate) promised: Term,
    /// The promise that is being stored.
    pub(crate) promising: Term,
    /// How many entries the engine holds.
    pub(crate) applied: usize,
    /// How many of them it has said to be durable.
    pub(crate) flushed: usize,
    /// A flush has begun.
    pub(crate) flushing: bool,
    /// Damage has been done to this entry, and its repair has not ended.
    pub(crate) damaged: Option<Vlsn>,
}

impl Ledger {
    /// How many entries there are.
    pub(crate) fn written(&self) -> usize {
        self.entries.len()
    }

    /// The frames of the entries from the one at index `from` up to the `count`th.
    pub(crate) fn frames(&self, from: usize, count: usize) -> Vec<u8> {
        self.entries[from..count].iter().flat_map(|entry| entry.frame.iter().copied()).collect()
    }

    /// The entries from `first` to `last`; `None` if some of them were never written.
    pub(crate) fn batch(&self, first: Vlsn, last: Vlsn, chain_before: u32) -> Option<Batch> {
        let (from, count) = (first.as_u64() as usize - 1, last.as_u64() as usize);
        let in_range = from < count && count <= self.entries.len();
        in_range
            .then(|| self.frames(from, count).into())
            .and_then(|frames| decode(frames, first, chain_before, Term::ZERO).ok())
    }

    /// What an engine that holds the first `count` entries shows.
    pub(crate) fn rows(&self, count: usize) -> BTreeMap<&[u8], &[u8]> {
        let rows = self.entries[..count].iter().map(|entry| &entry.row);
        rows.map(|row| (&row.key[..], &row.value[..])).collect()
    }
}

use super::catalog::{Catalog, DATABASES_MAX};
use super::engine::{KEY_BYTES_MAX, SCHEMA_VERSION};
use super::layout;
use super::outcome::{Outcome, Refusal};
use bytes::Bytes;
use quorate_codec::{DATABASE_NAME_BYTES_MAX, DatabaseId, Envelope, Operation, Operations, PayloadKind};
use quorate_core::{Committed, EngineError, EntryId, EntryKind, KvOperation};
use std::collections::BTreeMap;
use std::ops::Range;

/// What a run of entries changes in the store, gathered before anything is written.
///
/// Values of rows stay where they are, in the entries' payloads; keys and the engine's own values lie one
/// behind the other in `bytes`.
pub(crate) struct Plan<'a> {
    catalog: &'a Catalog,
    bytes: &'a mut Vec<u8>,
    changes: Vec<Change<'a>>,
    /// Databases that this run creates.
    created: BTreeMap<&'a str, DatabaseId>,
}

struct Change<'a> {
    key: Range<usize>,
    value: Value<'a>,
}

enum Value<'a> {
    Payload(&'a [u8]),
    Own(Range<usize>),
    Removed,
}

/// Why an entry's operations were not all taken in.
enum Stop {
    /// The entry has no effect, on any node.
    Refused(Refusal),
    /// The payload cannot be understood.
    Unreadable(String),
}

impl<'a> Plan<'a> {
    /// An empty plan over the present catalog, which uses the memory of `bytes`.
    pub(crate) fn new(catalog: &'a Catalog, bytes: &'a mut Vec<u8>) -> Self {
        bytes.clear();
        Self { catalog, bytes, changes: Vec::new(), created: BTreeMap::new() }
    }

    /// Takes in the next entry and returns its result.
    pub(crate) fn add(&mut self, entry: &'a Committed) -> Result<Bytes, EngineError> {
        if entry.kind == EntryKind::TermStart {
            return Ok(Bytes::new());
        }
        let (changes, next_database) = (self.changes.len(), self.next_database());
        match self.add_payload(&entry.payload) {
            Ok(databases) => Ok(Outcome::Done { databases }.encode()),
            Err(Stop::Refused(refusal)) => {
                self.changes.truncate(changes);
                self.created.retain(|_, id| id.as_u32() < next_database);
                Ok(Outcome::Refused(refusal).encode())
            }
            Err(Stop::Unreadable(detail)) => Err(EngineError::Payload { id: entry.id, detail }),
        }
    }

    /// Adds the engine's own rows, which say that everything up to `last` was applied.
    pub(crate) fn mark(&mut self, last: EntryId, is_first: bool) {
        if is_first {
            self.put_own(&layout::FORMAT, &[], &layout::FORMAT_VERSION.to_le_bytes());
        }
        if !self.created.is_empty() {
            self.put_own(&layout::NEXT_DATABASE, &[], &self.next_database().to_le_bytes());
        }
        self.put_own(&layout::APPLIED, &[], &layout::encode_applied(last));
    }

    /// Everything to write, in order.
    pub(crate) fn operations(&self) -> Vec<KvOperation<'_>> {
        let operation = |change: &'_ Change<'a>| {
            let key = &self.bytes[change.key.clone()];
            match &change.value {
                Value::Payload(value) => KvOperation::Put { key, value },
                Value::Own(value) => KvOperation::Put { key, value: &self.bytes[value.clone()] },
                Value::Removed => KvOperation::Delete { key },
            }
        };
        self.changes.iter().map(operation).collect()
    }

    /// The databases that this run creates, in order.
    pub(crate) fn into_created(self) -> Vec<(String, DatabaseId)> {
        let mut created: Vec<_> = self.created.into_iter().map(|(name, id)| (name.to_owned(), id)).collect();
        created.sort_by_key(|(_, id)| *id);
        created
    }

    fn add_payload(&mut self, payload: &'a [u8]) -> Result<Vec<DatabaseId>, Stop> {
        let mut databases = Vec::new();
        for operation in Operations::new(body(payload)?) {
            match operation.map_err(|error| Stop::Unreadable(error.to_string()))? {
                Operation::Put { database, key, value } => {
                    self.add_row(database, key, Value::Payload(value))?
                }
                Operation::Delete { database, key } => self.add_row(database, key, Value::Removed)?,
                Operation::CreateDatabase { name } => databases.push(self.create(name)?),
            }
        }
        Ok(databases)
    }

    fn add_row(&mut self, database: DatabaseId, key: &[u8], value: Value<'a>) -> Result<(), Stop> {
        if !(1..self.next_database()).contains(&database.as_u32()) {
            return Err(Stop::Refused(Refusal::UnknownDatabase(database)));
        }
        if key.len() > KEY_BYTES_MAX {
            return Err(Stop::Refused(Refusal::KeyTooLong));
        }
        let key = self.store(&layout::prefix(database), key);
        self.changes.push(Change { key, value });
        Ok(())
    }

    fn create(&mut self, name: &'a str) -> Result<DatabaseId, Stop> {
        if let Some(id) = self.catalog.find(name).or_else(|| self.created.get(name).copied()) {
            return Ok(id);
        }
        if name.len() > DATABASE_NAME_BYTES_MAX {
            return Err(Stop::Refused(Refusal::NameTooLong));
        }
        let number = self.next_database();
        if number > DATABASES_MAX {
            return Err(Stop::Refused(Refusal::TooManyDatabases));
        }
        let id = DatabaseId::new(number);
        self.created.insert(name, id);
        self.put_own(&layout::DATABASE, name.as_bytes(), &number.to_le_bytes());
        Ok(id)
    }

    fn next_database(&self) -> u32 {
        let created = u32::try_from(self.created.len()).expect("databases are limited");
        self.catalog.next() + created
    }

    fn put_own(&mut self, prefix: &[u8], rest: &[u8], value: &[u8]) {
        let key = self.store(prefix, rest);
        let value = self.store(value, &[]);
        self.changes.push(Change { key, value: Value::Own(value) });
    }

    fn store(&mut self, head: &[u8], tail: &[u8]) -> Range<usize> {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(head);
        self.bytes.extend_from_slice(tail);
        start..self.bytes.len()
    }
}

/// The encoded operations in a payload.
fn body(payload: &[u8]) -> Result<&[u8], Stop> {
    let envelope = Envelope::decode(payload).map_err(|error| Stop::Unreadable(error.to_string()))?;
    match (envelope.kind, envelope.schema_version) {
        (PayloadKind::WriteBatch, SCHEMA_VERSION) => Ok(envelope.body),
        (kind, version) => Err(Stop::Unreadable(format!(
            "write batches of schema {SCHEMA_VERSION} are understood, not {kind:?} of schema {version}"
        ))),
    }
}

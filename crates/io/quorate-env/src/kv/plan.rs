use super::catalog::{Catalog, DATABASES_MAX};
use super::engine::KEY_BYTES_MAX;
use super::layout;
use super::outcome::{Outcome, Refusal};
use super::request::Request;
use super::sessions::{SESSION_DATABASES_MAX, Sessions, Taken};
use bytes::Bytes;
use quorate_codec::{DATABASE_NAME_BYTES_MAX, DatabaseId, Operation, Operations, Session};
use quorate_core::{Committed, EngineError, EntryId, EntryKind, KvOperation};
use std::collections::BTreeMap;
use std::ops::Range;

/// What a run of entries changes in the store, gathered before anything is written.
///
/// Values of rows stay where they are, in the entries' payloads; keys and the engine's own values lie one
/// behind the other in `bytes`.
pub(crate) struct Plan<'a> {
    catalog: &'a Catalog,
    /// As the entries taken in so far leave them.
    sessions: &'a mut Sessions,
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
    /// An empty plan over the present catalog and sessions, which uses the memory of `bytes`. The sessions
    /// are of no use any more if the plan fails, or is not written.
    pub(crate) fn new(catalog: &'a Catalog, sessions: &'a mut Sessions, bytes: &'a mut Vec<u8>) -> Self {
        bytes.clear();
        Self { catalog, sessions, bytes, changes: Vec::new(), created: BTreeMap::new() }
    }

    /// Takes in the next entry and returns its result.
    pub(crate) fn add(&mut self, entry: &'a Committed) -> Result<Bytes, EngineError> {
        if entry.kind == EntryKind::TermStart {
            return Ok(Bytes::new());
        }
        let unreadable = |detail| EngineError::Payload { id: entry.id, detail };
        let request = Request::read(&entry.payload).map_err(unreadable)?;
        let outcome = match request {
            Request::Write { operations, session: None } => self.write(operations).map_err(unreadable)?,
            Request::Write { operations, session: Some(session) } => {
                self.write_once(entry.id, session, operations).map_err(unreadable)?
            }
            Request::OpenSession { client } => self.open_session(entry.id, client),
        };
        Ok(outcome.encode())
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

    /// The effects of a write batch, or none.
    fn write(&mut self, operations: &'a [u8]) -> Result<Outcome, String> {
        let (changes, next_database) = (self.changes.len(), self.next_database());
        let refusal = match self.add_operations(operations) {
            Ok(databases) => return Ok(Outcome::Done { databases }),
            Err(Stop::Unreadable(detail)) => return Err(detail),
            Err(Stop::Refused(refusal)) => refusal,
        };
        self.changes.truncate(changes);
        self.created.retain(|_, id| id.as_u32() < next_database);
        Ok(Outcome::Refused(refusal))
    }

    /// The effects of a write batch whose number in its session was not taken before, or none.
    fn write_once(&mut self, id: EntryId, session: Session, operations: &'a [u8]) -> Result<Outcome, String> {
        self.expire_sessions(id);
        if let Some(outcome) = self.sessions.decided(session) {
            return Ok(outcome);
        }
        let outcome = match operations_asked(operations)? {
            Asked { operations: 0, .. } => Outcome::Fenced,
            Asked { databases, .. } if databases > SESSION_DATABASES_MAX => {
                Outcome::Refused(Refusal::TooManyCreated)
            }
            _ => self.write(operations)?,
        };
        self.take_number(
            session.client,
            Taken { sequence: session.sequence, by: id, result: outcome.encode() },
        );
        Ok(outcome)
    }

    fn open_session(&mut self, id: EntryId, client: u128) -> Outcome {
        self.expire_sessions(id);
        self.sessions.opened(client).unwrap_or_else(|| {
            let outcome = Outcome::Done { databases: Vec::new() };
            self.take_number(client, Taken { sequence: 0, by: id, result: outcome.encode() });
            outcome
        })
    }

    fn expire_sessions(&mut self, id: EntryId) {
        for client in self.sessions.expire(id.vlsn) {
            self.remove_session(client);
        }
    }

    fn take_number(&mut self, client: u128, taken: Taken) {
        self.put_own(&layout::SESSION, &client.to_be_bytes(), &layout::encode_session(&taken));
        if let Some(given_up) = self.sessions.take(client, taken) {
            self.remove_session(given_up);
        }
    }

    fn remove_session(&mut self, client: u128) {
        let key = self.store(&layout::SESSION, &client.to_be_bytes());
        self.changes.push(Change { key, value: Value::Removed });
    }

    fn add_operations(&mut self, operations: &'a [u8]) -> Result<Vec<DatabaseId>, Stop> {
        let mut databases = Vec::new();
        for operation in Operations::new(operations) {
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

/// What the operations of a write ask for, in numbers.
#[derive(Default)]
struct Asked {
    operations: usize,
    databases: usize,
}

fn operations_asked(operations: &[u8]) -> Result<Asked, String> {
    let mut asked = Asked::default();
    for operation in Operations::new(operations) {
        asked.operations += 1;
        let is_creation = matches!(operation, Ok(Operation::CreateDatabase { .. }));
        asked.databases += usize::from(is_creation);
        operation.map_err(|error| error.to_string())?;
    }
    Ok(asked)
}

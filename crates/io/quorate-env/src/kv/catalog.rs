use super::layout;
use quorate_codec::DatabaseId;
use quorate_core::{EngineError, KvSnapshot};
use std::collections::BTreeMap;

/// The database that every store has from the start: number 1, named [`DEFAULT_DATABASE_NAME`].
pub const DEFAULT_DATABASE: DatabaseId = DatabaseId::new(1);
/// The name of [`DEFAULT_DATABASE`].
pub const DEFAULT_DATABASE_NAME: &str = "default";
/// Databases in one store, at most: their names are held in memory.
pub const DATABASES_MAX: u32 = 65_536;

/// Which databases there are, as the writer knows it.
///
/// Numbers are given in the order in which entries are applied, so every node gives the same ones. A number
/// below [`next`](Self::next) was given.
#[derive(Clone, Debug)]
pub(crate) struct Catalog {
    created: BTreeMap<String, DatabaseId>,
    next: u32,
}

impl Catalog {
    /// Reads the catalog of a store.
    pub(crate) fn load(snapshot: &dyn KvSnapshot) -> Result<Self, EngineError> {
        let created: BTreeMap<_, _> = layout::read_databases(snapshot)?.into_iter().collect();
        let next = layout::read_next_database(snapshot)?.unwrap_or(DEFAULT_DATABASE.as_u32() + 1);
        match created.iter().find(|(_, id)| id.as_u32() >= next || **id <= DEFAULT_DATABASE) {
            None => Ok(Self { created, next }),
            Some((name, id)) => {
                Err(layout::corrupt(format!("database {name:?} has number {id}, the next one is {next}")))
            }
        }
    }

    /// The number of a database.
    pub(crate) fn find(&self, name: &str) -> Option<DatabaseId> {
        if name == DEFAULT_DATABASE_NAME { Some(DEFAULT_DATABASE) } else { self.created.get(name).copied() }
    }

    /// The number that the next database gets.
    pub(crate) const fn next(&self) -> u32 {
        self.next
    }

    /// Takes in a database that was created.
    pub(crate) fn insert(&mut self, name: String, id: DatabaseId) {
        assert_eq!(id.as_u32(), self.next, "numbers are given in order");
        self.created.insert(name, id);
        self.next += 1;
    }
}

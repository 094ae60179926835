use super::SourceError;
use crate::directory;
use crate::redb_store::{MAGIC, failed};
use redb::{
    Database, DatabaseError, Key, ReadOnlyTable, ReadTransaction, ReadableDatabase, ReadableTableMetadata,
    TableDefinition, TableError, TableHandle, Value,
};
use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};

const ENGINE: &str = "redb";

/// The bytes of a key and of its value.
type RawRow = (Vec<u8>, Vec<u8>);

/// A table of a redb file as it is now. Rows are read as they are asked for.
pub struct RedbTable<K: Key + 'static, V: Value + 'static> {
    table: ReadOnlyTable<K, V>,
    name: String,
    path: PathBuf,
}

/// The table of an application's redb file that `table` defines, as the application defines it itself. The
/// file is opened for reading only.
///
/// # Errors
/// [`SourceError`].
pub fn redb_table<K: Key + 'static, V: Value + 'static>(
    path: &Path,
    table: TableDefinition<'_, K, V>,
) -> Result<RedbTable<K, V>, SourceError> {
    let database = Database::builder().open_read_only(path).map_err(|error| refused(path, error))?;
    let transaction = database.begin_read().map_err(|error| broken(path, error))?;
    match transaction.open_table(table) {
        Ok(opened) => Ok(RedbTable { table: opened, name: table.name().to_owned(), path: path.to_owned() }),
        Err(error) => Err(no_table(path, table.name(), &transaction, error)),
    }
}

impl<K: Key + 'static, V: Value + 'static> RedbTable<K, V> {
    /// How many rows the table has.
    ///
    /// # Errors
    /// [`SourceError`].
    pub fn len(&self) -> Result<u64, SourceError> {
        self.table.len().map_err(|error| broken(&self.path, error))
    }

    /// Whether the table has no rows.
    ///
    /// # Errors
    /// [`SourceError`].
    pub fn is_empty(&self) -> Result<bool, SourceError> {
        Ok(self.len()? == 0)
    }

    /// All rows, keys and values in the bytes in which redb keeps them.
    ///
    /// # Errors
    /// [`SourceError::Unordered`] if the keys are not strings or byte strings, whose bytes sort as they do:
    /// numbers, tuples and types of the application's own are to be [mapped](Self::map).
    pub fn rows(&self) -> Result<impl Iterator<Item = Result<RawRow, SourceError>> + use<K, V>, SourceError> {
        if !sorts_as_bytes::<K>() {
            let type_name = K::type_name().name().to_owned();
            return Err(SourceError::Unordered { table: self.name.clone(), type_name });
        }
        let path = self.path.clone();
        let rows = self.table.range_owned::<K::SelfType<'_>>(..).map_err(|error| broken(&path, error))?;
        Ok(rows.map(move |row| {
            let (key, value) = row.map_err(|error| broken(&path, error))?;
            Ok((K::as_bytes(&key.value()).as_ref().to_vec(), V::as_bytes(&value.value()).as_ref().to_vec()))
        }))
    }

    /// All rows, as `map` makes them of the table's own types: for a typed database, with its `encode_row`.
    ///
    /// # Errors
    /// [`SourceError`]. What `map` cannot make a row of is an error in its place.
    pub fn map<R, E>(
        &self,
        mut map: impl FnMut(K::SelfType<'_>, V::SelfType<'_>) -> Result<R, E>,
    ) -> Result<impl Iterator<Item = Result<R, Box<dyn Error + Send + Sync>>>, SourceError>
    where
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let path = self.path.clone();
        let rows = self.table.range_owned::<K::SelfType<'_>>(..).map_err(|error| broken(&path, error))?;
        Ok(rows.map(move |row| {
            let (key, value) = row.map_err(|error| broken(&path, error))?;
            map(key.value(), value.value()).map_err(Into::into)
        }))
    }
}

/// Strings, byte strings and arrays of bytes lie in redb as what they are.
fn sorts_as_bytes<K: Key>() -> bool {
    let own = K::type_name();
    own == <&[u8]>::type_name()
        || own == <&str>::type_name()
        || own == String::type_name()
        || K::fixed_width().is_some_and(|width| own.name() == format!("[u8;{width}]"))
}

fn no_table(path: &Path, table: &str, transaction: &ReadTransaction, error: TableError) -> SourceError {
    match error {
        TableError::TableDoesNotExist(_) => match transaction.list_tables() {
            Ok(tables) => SourceError::NoTable {
                path: path.to_owned(),
                table: table.to_owned(),
                present: tables.map(|table| table.name().to_owned()).collect(),
            },
            Err(error) => broken(path, error),
        },
        TableError::Storage(error) => broken(path, error),
        error => SourceError::OtherTypes {
            path: path.to_owned(),
            table: table.to_owned(),
            detail: error.to_string(),
        },
    }
}

fn refused(path: &Path, error: DatabaseError) -> SourceError {
    let foreign = |detail| SourceError::Foreign { path: path.to_owned(), engine: ENGINE, detail };
    match error {
        DatabaseError::DatabaseAlreadyOpen | DatabaseError::LockProtocolMismatch => {
            SourceError::InUse { path: path.to_owned() }
        }
        DatabaseError::RepairAborted => SourceError::NotClosed { path: path.to_owned() },
        DatabaseError::UpgradeRequired(version) => foreign(format!("it has file format {version}")),
        error => match directory::starts_with(path, MAGIC) {
            Err(missing) if missing.kind() == io::ErrorKind::NotFound => {
                SourceError::Missing { path: path.to_owned() }
            }
            Ok(false) => foreign("it does not begin as one".to_owned()),
            _ => broken(path, error),
        },
    }
}

fn broken(path: &Path, error: impl Into<redb::Error>) -> SourceError {
    match error.into() {
        redb::Error::Io(source) => SourceError::Io { path: path.to_owned(), source },
        error => SourceError::Engine { path: path.to_owned(), source: failed(error) },
    }
}

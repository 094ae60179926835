use super::SourceError;
use bytes::Bytes;
use fjall::{Database, KeyspaceCreateOptions, Readable, Snapshot};
use quorate_core::EngineError;
use std::path::{Path, PathBuf};

const ENGINE: &str = "fjall";
/// The file by which a directory is known to be fjall's.
pub(crate) const MARKER: &str = "version";

/// The keyspaces of a fjall directory, all as they were when it was opened. Rows are read as they are asked
/// for.
pub struct FjallKeyspaces {
    database: Database,
    snapshot: Snapshot,
    path: PathBuf,
}

/// The keyspaces of an application's fjall directory. Opening it writes what is in its journal out, as the
/// application would; the rows stay as they are.
///
/// # Errors
/// [`SourceError`].
pub fn fjall_keyspaces(path: &Path) -> Result<FjallKeyspaces, SourceError> {
    check_directory(path)?;
    let database = Database::builder(path).open().map_err(|error| refused(path, error))?;
    let snapshot = database.snapshot();
    Ok(FjallKeyspaces { database, snapshot, path: path.to_owned() })
}

impl FjallKeyspaces {
    /// The names of all keyspaces, sorted.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let names = self.database.list_keyspace_names();
        let mut names: Vec<_> = names.iter().map(|name| String::from(&**name)).collect();
        names.sort();
        names
    }

    /// All rows of a keyspace.
    ///
    /// # Errors
    /// [`SourceError::NoTable`] if there is no such keyspace; any other.
    pub fn rows(
        &self,
        keyspace: &str,
    ) -> Result<impl Iterator<Item = Result<(Bytes, Bytes), SourceError>> + use<>, SourceError> {
        if !self.database.keyspace_exists(keyspace) {
            let (path, table) = (self.path.clone(), keyspace.to_owned());
            return Err(SourceError::NoTable { path, table, present: self.names() });
        }
        let path = self.path.clone();
        let opened = self.database.keyspace(keyspace, KeyspaceCreateOptions::default);
        let rows = self.snapshot.iter(&opened.map_err(|error| broken(&path, error))?);
        Ok(rows.map(move |row| {
            let (key, value) = row.into_inner().map_err(|error| broken(&path, error))?;
            Ok((Bytes::copy_from_slice(&key), Bytes::from_owner(value)))
        }))
    }
}

/// Fjall would make itself at home in any directory, and make one that is not there.
fn check_directory(path: &Path) -> Result<(), SourceError> {
    let io = |source| SourceError::Io { path: path.to_owned(), source };
    if !path.try_exists().map_err(io)? {
        return Err(SourceError::Missing { path: path.to_owned() });
    }
    if !path.join(MARKER).try_exists().map_err(io)? {
        return Err(foreign(path, format!("it has no file {MARKER:?}")));
    }
    Ok(())
}

fn foreign(path: &Path, detail: String) -> SourceError {
    SourceError::Foreign { path: path.to_owned(), engine: ENGINE, detail }
}

fn refused(path: &Path, error: fjall::Error) -> SourceError {
    match error {
        fjall::Error::Locked => SourceError::InUse { path: path.to_owned() },
        fjall::Error::InvalidVersion(version) => foreign(path, format!("it has file format {version:?}")),
        error => broken(path, error),
    }
}

fn broken(path: &Path, error: fjall::Error) -> SourceError {
    match error {
        fjall::Error::Io(source) => SourceError::Io { path: path.to_owned(), source },
        error => SourceError::Engine {
            path: path.to_owned(),
            source: EngineError::Storage { engine: ENGINE, detail: error.to_string() },
        },
    }
}

use crate::directory;
use redb::StorageBackend;
use redb::backends::FileBackend;
use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::Path;

/// The files among which a [`RedbStore`](crate::RedbStore) lies: the operating system's, or a simulated
/// disk's.
pub trait RedbFiles {
    /// An open file.
    type File: StorageBackend;

    /// Opens a file; `None` if there is none, or nothing in it.
    ///
    /// # Errors
    /// The file system's.
    fn open(&self, path: &Path) -> io::Result<Option<Self::File>>;

    /// Makes an empty file, in the place of any that has this name.
    ///
    /// # Errors
    /// The file system's.
    fn create(&self, path: &Path) -> io::Result<Self::File>;

    /// Gives a file another name in the same directory, in one step. It is durable on return.
    ///
    /// # Errors
    /// The file system's.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
}

/// The operating system's files.
pub(super) struct OsFiles;

impl RedbFiles for OsFiles {
    type File = FileBackend;

    fn open(&self, path: &Path) -> io::Result<Option<FileBackend>> {
        match OpenOptions::new().read(true).write(true).open(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Ok(file) if file.metadata()?.len() == 0 => Ok(None),
            opened => backend(opened?).map(Some),
        }
    }

    fn create(&self, path: &Path) -> io::Result<FileBackend> {
        backend(OpenOptions::new().read(true).write(true).create(true).truncate(true).open(path)?)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)?;
        directory::sync_parent(to)
    }
}

fn backend(file: fs::File) -> io::Result<FileBackend> {
    FileBackend::new(file).map_err(io::Error::other)
}

use crate::error::failed;
use crate::vfs::{Lock, Vfs};
use quorate_core::LogError;
use std::io;
use std::path::Path;

/// Keeps other processes out of a node's data directory until it is dropped, or the process ends.
#[derive(Debug)]
pub struct DirectoryLock {
    /// Released when dropped.
    _lock: Box<dyn Lock>,
}

impl DirectoryLock {
    /// Takes the lock of `directory`, which is created if it does not exist. It is a file named
    /// `quorate.lock` in it.
    ///
    /// # Errors
    /// [`LogError::Unusable`] if another process has it; [`LogError::Io`].
    pub fn acquire(vfs: &dyn Vfs, directory: &Path) -> Result<Self, LogError> {
        Self::acquire_named(vfs, directory, "quorate.lock")
    }

    pub(crate) fn acquire_named(vfs: &dyn Vfs, directory: &Path, name: &str) -> Result<Self, LogError> {
        vfs.create_directory(directory).map_err(|error| failed("creating", directory, &error))?;
        match vfs.lock(&directory.join(name)) {
            Ok(lock) => Ok(Self { _lock: lock }),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                let reason = format!(
                    "{} is in use by another process: stop it first, or give this node another directory",
                    directory.display()
                );
                Err(LogError::Unusable { reason })
            }
            Err(error) => Err(failed("locking", directory, &error)),
        }
    }
}

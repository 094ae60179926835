//! The few things that the stores need of a file system and their engines do not do.

use std::fs::File;
use std::io;
#[cfg(feature = "redb")]
use std::io::Read;
use std::path::Path;

/// Makes the entry of `path` in its directory durable: a new file can otherwise be gone after power loss,
/// whatever was synced in it.
pub(crate) fn sync_parent(path: &Path) -> io::Result<()> {
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    sync(parent)
}

/// Makes the entries of a directory durable.
#[cfg(unix)]
pub(crate) fn sync(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

/// Directories cannot be opened as files here, and the file system keeps its entries in order by itself.
#[cfg(not(unix))]
pub(crate) fn sync(_directory: &Path) -> io::Result<()> {
    Ok(())
}

/// Whether the file at `path` begins with `prefix`.
#[cfg(feature = "redb")]
pub(crate) fn starts_with(path: &Path, prefix: &[u8]) -> io::Result<bool> {
    let mut head = Vec::new();
    File::open(path)?.take(prefix.len() as u64).read_to_end(&mut head)?;
    Ok(head == prefix)
}

/// Whether a directory exists and holds anything.
#[cfg(feature = "fjall")]
pub(crate) fn has_entries(path: &Path) -> io::Result<bool> {
    match path.read_dir() {
        Ok(mut entries) => Ok(entries.next().transpose()?.is_some()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

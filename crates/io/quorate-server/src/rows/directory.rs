use super::{Row, RowError, RowSink};
use crate::encoding::shortened;
use bytes::Bytes;
use std::ffi::OsStr;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

/// Rows from a directory: each regular file's relative path is a key and its content the value. Names are in
/// order; links and other special files are no rows.
pub struct DirectoryRows {
    root: PathBuf,
    /// What is still to be visited, the next one last.
    waiting: Vec<PathBuf>,
}

impl DirectoryRows {
    /// The rows below a directory.
    ///
    /// # Errors
    /// [`RowError::File`] if it cannot be read.
    pub fn new(root: &Path) -> Result<Self, RowError> {
        Ok(Self { root: root.to_owned(), waiting: children(root)? })
    }

    fn visit(&mut self, path: &Path) -> Result<Option<Row>, RowError> {
        let failed = |source| RowError::File { path: path.to_owned(), source };
        let kind = fs::symlink_metadata(path).map_err(failed)?.file_type();
        if kind.is_dir() {
            self.waiting.extend(children(path)?);
        }
        if !kind.is_file() {
            return Ok(None);
        }
        let value = Bytes::from(fs::read(path).map_err(failed)?);
        let key = path.strip_prefix(&self.root).unwrap_or(path);
        let key = Bytes::copy_from_slice(key.as_os_str().as_bytes());
        Ok(Some(Row { source_bytes: value.len() as u64, key, value }))
    }
}

/// What a directory holds, the first name last.
fn children(directory: &Path) -> Result<Vec<PathBuf>, RowError> {
    let failed = |source| RowError::File { path: directory.to_owned(), source };
    let entries = fs::read_dir(directory).map_err(failed)?;
    let mut paths: Vec<PathBuf> =
        entries.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<_>>().map_err(failed)?;
    paths.sort();
    paths.reverse();
    Ok(paths)
}

impl Iterator for DirectoryRows {
    type Item = Result<Row, RowError>;

    fn next(&mut self) -> Option<Self::Item> {
        while let Some(path) = self.waiting.pop() {
            if let Some(found) = self.visit(&path).transpose() {
                return Some(found);
            }
        }
        None
    }
}

/// Writes a file per row below a directory. A key that is no plain relative path is refused, so that nothing
/// is ever written elsewhere.
pub struct DirectorySink {
    root: PathBuf,
}

impl DirectorySink {
    /// Rows are written below `root`.
    #[must_use]
    pub const fn new(root: PathBuf) -> Self {
        Self { root }
    }
}

impl RowSink for DirectorySink {
    fn add(&mut self, key: &[u8], value: &[u8]) -> Result<(), RowError> {
        let relative = plain_path(key).ok_or_else(|| RowError::NoPath { key: shortened(key) })?;
        let path = self.root.join(relative);
        let failed = |source| RowError::Unwritable { place: path.display().to_string(), source };
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(failed)?;
        }
        let mut file = OpenOptions::new().write(true).create_new(true).open(&path).map_err(failed)?;
        file.write_all(value).map_err(failed)
    }

    fn finish(&mut self) -> Result<(), RowError> {
        Ok(())
    }
}

/// The key as a path, if that names a file below any directory, and gives the key back when it is imported.
fn plain_path(key: &[u8]) -> Option<&Path> {
    let path = Path::new(OsStr::from_bytes(key));
    let is_plain = !key.is_empty()
        && !key.contains(&0)
        && path.components().all(|component| matches!(component, Component::Normal(_)))
        && path.iter().map(|name| name.as_bytes()).collect::<Vec<_>>().join(&b'/') == key;
    is_plain.then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_were_written_are_read_again_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("rows");
        fs::create_dir(&root).unwrap();
        let mut sink = DirectorySink::new(root.clone());
        for key in [&b"b"[..], b"a/x", b"a/\xff", b"c d"] {
            sink.add(key, &[b"value of ", key].concat()).unwrap();
        }
        sink.finish().unwrap();
        let rows: Vec<Row> = DirectoryRows::new(&root).unwrap().map(Result::unwrap).collect();
        let keys: Vec<&[u8]> = rows.iter().map(|row| &row.key[..]).collect();
        assert_eq!(keys, [&b"a/x"[..], b"a/\xff", b"b", b"c d"]);
        assert!(rows.iter().all(|row| row.value == [b"value of ", &row.key[..]].concat()));
    }

    #[test]
    fn a_key_that_leads_elsewhere_or_would_not_come_back_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let mut sink = DirectorySink::new(folder.path().to_owned());
        for key in [&b"/etc/x"[..], b"../x", b"a/../../x", b"a//b", b"./a", b"a/", b"", b"a\0b", b"."] {
            assert!(matches!(sink.add(key, b""), Err(RowError::NoPath { .. })), "{}", shortened(key));
        }
        sink.add(b"a", b"").unwrap();
        assert!(matches!(sink.add(b"a/b", b""), Err(RowError::Unwritable { .. })));
    }
}

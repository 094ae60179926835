use super::DemoError;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// The directory that a demonstration works in: a temporary one, removed when this is dropped, or one that
/// its user wants to keep.
#[derive(Debug)]
pub struct Workplace {
    path: PathBuf,
    temporary: Option<TempDir>,
}

impl Workplace {
    /// A new temporary directory, or `keep`, made if it is not there.
    ///
    /// # Errors
    /// [`DemoError::DirectoryInUse`] if `keep` is not empty; [`DemoError::System`].
    pub fn new(keep: Option<&Path>) -> Result<Self, DemoError> {
        let Some(keep) = keep else {
            let temporary = tempfile::Builder::new().prefix("quorate-demo-").tempdir();
            let temporary = temporary.map_err(DemoError::system("making a temporary directory"))?;
            return Ok(Self { path: temporary.path().to_owned(), temporary: Some(temporary) });
        };
        if !is_empty(keep).map_err(DemoError::system("reading the directory to keep"))? {
            return Err(DemoError::DirectoryInUse { directory: keep.to_owned() });
        }
        fs::create_dir_all(keep).map_err(DemoError::system("making the directory to keep"))?;
        let path = fs::canonicalize(keep).map_err(DemoError::system("reading the directory to keep"))?;
        Ok(Self { path, temporary: None })
    }

    /// The directory, as an absolute path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Keeps a temporary directory too: it holds the evidence of what went wrong.
    pub fn keep(&mut self) {
        self.temporary = self.temporary.take().and_then(|temporary| {
            self.path = temporary.keep();
            None
        });
    }

    /// Where the directory will be found when this is dropped, if it will.
    #[must_use]
    pub fn kept(&self) -> Option<PathBuf> {
        self.temporary.is_none().then(|| self.path.clone())
    }
}

fn is_empty(directory: &Path) -> io::Result<bool> {
    match fs::read_dir(directory) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_temporary_workplace_is_removed_unless_it_is_evidence() {
        let workplace = Workplace::new(None).unwrap();
        let path = workplace.path().to_owned();
        assert_eq!(workplace.kept(), None);
        drop(workplace);
        assert!(!path.exists());
        let mut workplace = Workplace::new(None).unwrap();
        workplace.keep();
        let path = workplace.kept().unwrap();
        drop(workplace);
        assert!(path.exists());
        fs::remove_dir(path).unwrap();
    }

    #[test]
    fn a_directory_to_keep_is_made_and_must_be_empty() {
        let folder = tempfile::tempdir().unwrap();
        let keep = folder.path().join("a/b");
        drop(Workplace::new(Some(&keep)).unwrap());
        assert!(keep.exists());
        fs::write(keep.join("x"), "").unwrap();
        assert!(matches!(Workplace::new(Some(&keep)), Err(DemoError::DirectoryInUse { .. })));
    }
}

use crate::bench::BenchError;
use std::fs::Permissions;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// A file that holds a page in full or is not there: the page is written beside it and then takes its name.
pub(in crate::bench) struct PageFile {
    path: PathBuf,
    beside: NamedTempFile,
}

/// Who may read and write a page, before the process's own restriction.
const MODE: u32 = 0o666;

impl PageFile {
    /// Makes ready to write a page to `path`, so that what stands against it is found now. A file that is there is
    /// left as it is until then.
    ///
    /// # Errors
    /// [`BenchError::PageFolder`] if the folder is not there; [`BenchError::Page`] if it takes no file, or if `path`
    /// is a folder itself.
    pub(in crate::bench) fn prepare(path: &Path) -> Result<Self, BenchError> {
        let failed = |source| BenchError::Page { path: path.to_owned(), source };
        if path.is_dir() {
            return Err(failed(io::ErrorKind::IsADirectory.into()));
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if !folder.is_dir() {
            return Err(BenchError::PageFolder { path: path.to_owned() });
        }
        let mut builder = tempfile::Builder::new();
        builder.prefix(".quorate-bench-").suffix(".html").permissions(Permissions::from_mode(MODE));
        let beside = builder.tempfile_in(folder).map_err(failed)?;
        Ok(Self { path: path.to_owned(), beside })
    }

    /// Writes the page.
    ///
    /// # Errors
    /// [`BenchError::Page`]; what was there is still there then.
    pub(in crate::bench) fn write(mut self, page: &str) -> Result<(), BenchError> {
        let written = self.beside.write_all(page.as_bytes()).and_then(|()| self.beside.as_file().sync_all());
        let kept = written.and_then(|()| Ok(self.beside.persist(&self.path)?));
        kept.map(|_| ()).map_err(|source| BenchError::Page { path: self.path, source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_page_takes_the_place_of_an_older_one_at_its_end_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.html");
        fs::write(&path, "older").unwrap();
        let file = PageFile::prepare(&path).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "older");
        file.write("newer").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "newer");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
    }

    #[test]
    fn a_page_that_is_given_up_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        drop(PageFile::prepare(&folder.path().join("report.html")).unwrap());
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
    }

    #[test]
    fn a_place_that_takes_no_page_is_found_before_there_is_one() {
        let folder = tempfile::tempdir().unwrap();
        let refused = |path: &Path| PageFile::prepare(path).err().unwrap().to_string();
        let missing = refused(&folder.path().join("missing/report.html"));
        assert!(missing.contains("its folder does not exist"), "{missing}");
        let taken = refused(folder.path());
        assert!(taken.contains("is a directory"), "{taken}");
    }
}

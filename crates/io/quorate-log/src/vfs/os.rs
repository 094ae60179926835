use super::{Lock, Mapping, OpenMode, Vfs, VfsFile};
use crate::map;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, IoSlice};
use std::path::Path;
use std::sync::Arc;

/// The operating system's files.
#[derive(Clone, Copy, Debug, Default)]
pub struct OsVfs;

impl Vfs for OsVfs {
    fn create_directory(&self, directory: &Path) -> io::Result<()> {
        let missing: Vec<&Path> =
            directory.ancestors().take_while(|path| !path.as_os_str().is_empty() && !path.is_dir()).collect();
        std::fs::create_dir_all(directory)?;
        for made in missing {
            self.sync_directory(parent(made))?;
        }
        Ok(())
    }

    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn VfsFile>> {
        let create = mode == OpenMode::Create;
        let file = OpenOptions::new().read(true).write(true).create(create).truncate(create).open(path)?;
        Ok(Arc::new(OsFile(file)))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_file(path)
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(directory)? {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                names.extend(entry.file_name().into_string());
            }
        }
        names.sort();
        Ok(names)
    }

    #[cfg(unix)]
    fn sync_directory(&self, directory: &Path) -> io::Result<()> {
        File::open(directory)?.sync_all()
    }

    /// Only Unix lets a directory be opened and synced; elsewhere the file system orders its own metadata.
    #[cfg(not(unix))]
    fn sync_directory(&self, _directory: &Path) -> io::Result<()> {
        Ok(())
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn Lock>> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Box::new(OsLock(file))),
            Err(TryLockError::WouldBlock) => Err(io::ErrorKind::WouldBlock.into()),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// The lock ends with the file's last handle.
#[derive(Debug)]
struct OsLock(#[expect(dead_code, reason = "held for its drop")] File);

impl Lock for OsLock {}

#[derive(Debug)]
struct OsFile(File);

impl VfsFile for OsFile {
    fn bytes(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            match platform::read_at(&self.0, offset + filled as u64, &mut buffer[filled..]) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }

    fn write_at(&self, mut offset: u64, parts: &[IoSlice<'_>]) -> io::Result<()> {
        let mut parts: Vec<IoSlice<'_>> = parts.iter().copied().filter(|part| !part.is_empty()).collect();
        let mut left = parts.as_mut_slice();
        while !left.is_empty() {
            match platform::write_at(&self.0, offset, left) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => {
                    offset += count as u64;
                    IoSlice::advance_slices(&mut left, count);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn start_writing(&self, offset: u64, count: u64) {
        platform::start_writing(&self.0, offset, count);
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn sync_all(&self) -> io::Result<()> {
        self.0.sync_all()
    }

    fn map(&self) -> io::Result<Mapping> {
        map::read_only(&self.0)
    }
}

/// Reads and writes at an offset: each may do a part, and says how much.
#[cfg(target_os = "linux")]
mod platform {
    use std::fs::File;
    use std::io::{IoSlice, Result};
    use std::os::fd::AsRawFd;
    use std::os::unix::fs::FileExt;

    /// As many parts as one call takes (`IOV_MAX`).
    const PARTS_MAX: usize = 1024;

    pub(super) fn read_at(file: &File, offset: u64, buffer: &mut [u8]) -> Result<usize> {
        file.read_at(buffer, offset)
    }

    pub(super) fn write_at(file: &File, offset: u64, parts: &[IoSlice<'_>]) -> Result<usize> {
        Ok(rustix::io::pwritev(file, &parts[..parts.len().min(PARTS_MAX)], offset)?)
    }

    /// `fadvise`, which needs no `unsafe`, may drop from the system's cache what the log writes to next.
    #[allow(unsafe_code)]
    pub(super) fn start_writing(file: &File, offset: u64, count: u64) {
        let (Ok(offset), Ok(count)) = (offset.try_into(), count.try_into()) else { return };
        // SAFETY: the call takes numbers only, and the descriptor is open for as long as `file` lives.
        unsafe { libc::sync_file_range(file.as_raw_fd(), offset, count, libc::SYNC_FILE_RANGE_WRITE) };
    }
}

/// Reads and writes at an offset: each may do a part, and says how much.
#[cfg(all(unix, not(target_os = "linux")))]
mod platform {
    use std::fs::File;
    use std::io::{IoSlice, Result};
    use std::os::unix::fs::FileExt;

    pub(super) fn read_at(file: &File, offset: u64, buffer: &mut [u8]) -> Result<usize> {
        file.read_at(buffer, offset)
    }

    pub(super) fn write_at(file: &File, offset: u64, parts: &[IoSlice<'_>]) -> Result<usize> {
        file.write_at(&parts[0], offset)
    }

    pub(super) const fn start_writing(_file: &File, _offset: u64, _count: u64) {}
}

/// Reads and writes at an offset: each may do a part, and says how much.
#[cfg(windows)]
mod platform {
    use std::fs::File;
    use std::io::{IoSlice, Result};
    use std::os::windows::fs::FileExt;

    pub(super) fn read_at(file: &File, offset: u64, buffer: &mut [u8]) -> Result<usize> {
        file.seek_read(buffer, offset)
    }

    pub(super) fn write_at(file: &File, offset: u64, parts: &[IoSlice<'_>]) -> Result<usize> {
        file.seek_write(&parts[0], offset)
    }

    pub(super) const fn start_writing(_file: &File, _offset: u64, _count: u64) {}
}

use crate::error::{failed, failed_or_full};
use crate::names;
use crate::vfs::{OpenMode, Vfs, VfsFile};
use quorate_core::LogError;
use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The reserve: a file of a segment's length whose blocks are all taken, made step by step while there is
/// nothing else to do.
///
/// It is zero-filled, not merely allocated, so that a later sync of a write into it has no metadata to flush. One that
/// a crash left full though it was not synced serves as well: the first sync of a write into it takes longer.
#[derive(Debug)]
pub(crate) struct Reserve {
    vfs: Arc<dyn Vfs>,
    path: PathBuf,
    directory: PathBuf,
    segment_bytes: usize,
    file: Option<(Arc<dyn VfsFile>, usize)>,
}

/// A file for the next segment.
pub(crate) struct Space {
    /// The name that it has until it becomes a segment.
    pub(crate) path: PathBuf,
    pub(crate) file: Arc<dyn VfsFile>,
    /// Its length.
    pub(crate) bytes: usize,
}

/// How much is filled in one step, in bytes. Whoever syncs the log meanwhile waits for the disk that long, and longer steps are not cheaper.
/// Only the last step is followed by a sync: one after each would make the file system write out what it knows of the file each time.
const STEP_BYTES: usize = 256 << 10;
static ZEROS: [u8; 64 << 10] = [0; 64 << 10];

impl Reserve {
    /// Finds what reserve an earlier run has left.
    pub(crate) fn open(
        vfs: Arc<dyn Vfs>,
        directory: PathBuf,
        segment_bytes: usize,
    ) -> Result<Self, LogError> {
        let mut reserve =
            Self { vfs, path: directory.join(names::SPARE), directory, segment_bytes, file: None };
        match reserve.vfs.open(&reserve.path, OpenMode::Existing) {
            Ok(file) => {
                let bytes = file.bytes().map_err(|error| failed("measuring", &reserve.path, &error))?;
                match usize::try_from(bytes) {
                    Ok(bytes) if bytes <= segment_bytes => reserve.file = Some((file, bytes)),
                    _ => reserve.give_up()?,
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed("opening", &reserve.path, &error)),
        }
        Ok(reserve)
    }

    /// Whether the next segment can be had at once.
    pub(crate) fn is_full(&self) -> bool {
        self.file.as_ref().is_some_and(|(_, bytes)| *bytes == self.segment_bytes)
    }

    /// Fills one step more.
    pub(crate) fn fill(&mut self) -> Result<(), LogError> {
        let filled = self.fill_step();
        if filled.is_err() {
            self.file = None;
            self.give_up()?;
        }
        filled
    }

    fn fill_step(&mut self) -> Result<(), LogError> {
        let error = |error| failed_or_full("filling", &self.path, &error);
        let (file, bytes) = match self.file.take() {
            Some(found) => found,
            None => (self.vfs.open(&self.path, OpenMode::Create).map_err(error)?, 0),
        };
        let step = STEP_BYTES.min(self.segment_bytes - bytes);
        zero(&*file, bytes, step).map_err(error)?;
        if bytes + step == self.segment_bytes {
            file.sync_data().map_err(error)?;
        } else {
            file.start_writing(bytes as u64, step as u64);
        }
        self.file = Some((file, bytes + step));
        Ok(())
    }

    /// Takes a file for the next segment: the reserve, or one of its own length for a group that needs more
    /// room. It has no durable name yet.
    pub(crate) fn take(&mut self, bytes_min: usize) -> Result<Space, LogError> {
        if bytes_min > self.segment_bytes {
            return self.make(bytes_min);
        }
        while !self.is_full() {
            self.fill()?;
        }
        let (file, bytes) = self.file.take().ok_or(LogError::DiskFull)?;
        Ok(Space { path: self.path.clone(), file, bytes })
    }

    /// As [`take`](Self::take), or a file of `bytes_min` bytes where the disk is too full for a whole
    /// segment.
    pub(crate) fn take_any(&mut self, bytes_min: usize) -> Result<Space, LogError> {
        match self.take(bytes_min) {
            Err(LogError::DiskFull) => self.make(bytes_min),
            taken => taken,
        }
    }

    fn make(&self, bytes: usize) -> Result<Space, LogError> {
        let path = self.directory.join(names::UNFINISHED);
        let made =
            self.vfs.open(&path, OpenMode::Create).and_then(|file| zero(&*file, 0, bytes).map(|()| file));
        match made {
            Ok(file) => Ok(Space { path, file, bytes }),
            Err(error) => {
                // Best effort: the file is in nobody's way, and the next one made takes its place.
                let _ = self.vfs.remove(&path);
                Err(failed_or_full("filling", &path, &error))
            }
        }
    }

    /// Takes in the file of a trimmed segment, if the reserve is not full yet and the file has the right
    /// length. False if not.
    pub(crate) fn recycle(
        &mut self,
        path: &Path,
        file: Arc<dyn VfsFile>,
        bytes: usize,
    ) -> Result<bool, LogError> {
        if self.is_full() || bytes != self.segment_bytes {
            return Ok(false);
        }
        self.vfs.rename(path, &self.path).map_err(|error| failed("recycling", path, &error))?;
        self.file = Some((file, bytes));
        Ok(true)
    }

    /// Gives the space back.
    fn give_up(&self) -> Result<(), LogError> {
        match self.vfs.remove(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(failed("removing", &self.path, &error))
            }
            _ => Ok(()),
        }
    }
}

/// Writes zeros.
pub(crate) fn zero(file: &dyn VfsFile, mut offset: usize, mut count: usize) -> io::Result<()> {
    while count > 0 {
        let step = count.min(STEP_BYTES);
        let (whole, rest) = (step / ZEROS.len(), step % ZEROS.len());
        let mut parts = vec![IoSlice::new(&ZEROS); whole];
        parts.push(IoSlice::new(&ZEROS[..rest]));
        file.write_at(offset as u64, &parts)?;
        offset += step;
        count -= step;
    }
    Ok(())
}

#[cfg(all(test, feature = "simulated"))]
mod tests {
    use super::*;
    use crate::vfs::{MemoryVfs, Operation};

    #[test]
    fn only_the_last_step_of_filling_waits_for_the_disk() {
        let disk = MemoryVfs::new();
        disk.create_directory(Path::new("log")).unwrap();
        let mut reserve = Reserve::open(Arc::new(disk.clone()), "log".into(), 4 * STEP_BYTES).unwrap();
        disk.fail_next(Operation::Sync, io::ErrorKind::Other);
        (0..3).for_each(|_| reserve.fill().unwrap());
        assert!(!reserve.is_full());
        assert!(matches!(reserve.fill(), Err(LogError::Io { .. })));
    }
}

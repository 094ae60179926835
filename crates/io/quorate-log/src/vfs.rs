//! The files under a log, as a trait, so that a simulator can tear, lose, reorder and corrupt what is
//! written.

mod conformance;
#[cfg(feature = "simulated")]
mod memory;
mod os;

pub use conformance::check_vfs;
#[cfg(feature = "simulated")]
pub use memory::{MemoryFile, MemoryVfs, Operation, Retain};
pub use os::OsVfs;

use std::fmt;
use std::io::{self, IoSlice};
use std::path::Path;
use std::sync::Arc;

/// A read-only view of a whole file, as it was long when it was mapped.
pub type Mapping = Box<dyn AsRef<[u8]> + Send + Sync>;

/// What releases a lock when it is dropped.
pub trait Lock: Send + Sync + fmt::Debug {}

/// A file system, as far as a log needs one.
///
/// What survives the end of the **process** is every call that returned success. What survives **power
/// loss**:
///
/// 1. *Bytes* that a successful [`VfsFile::sync_data`] or [`VfsFile::sync_all`] covered: those of every
///    write to that file that returned before the sync began, through whatever handle. The file's length
///    counts as data where it is needed to read the bytes back.
/// 2. Of the writes that no sync covered, each aligned block of [`BLOCK_BYTES`] survives or not, one
///    independently of the other and in no order: a write can be torn between blocks, never within one, and
///    never harms bytes outside its range. A file that grew may be found at its old or its new length; what
///    is missing in between reads as zeros.
/// 3. *Directory entries* that a successful [`sync_directory`](Self::sync_directory) covered: names created,
///    renamed or removed in that directory before it began. Of the others, each survives or not; a rename is
///    one step, never half of one. Syncing a file does not sync its name, and syncing a directory does not
///    sync its files.
/// 4. After a sync that *failed*, what it should have covered may be lost though a later sync succeeds: the
///    system may hold it for clean.
///
/// Errors are the operating system's. These kinds are told apart: [`io::ErrorKind::NotFound`],
/// [`io::ErrorKind::StorageFull`] (of [`VfsFile::write_at`]: some of the bytes may have been written), and
/// of [`lock`](Self::lock) [`io::ErrorKind::WouldBlock`].
pub trait Vfs: Send + Sync + fmt::Debug {
    /// Creates a directory and those above it, unless it exists. On return the names of all that were made
    /// are durable.
    ///
    /// # Errors
    /// The operating system's.
    fn create_directory(&self, directory: &Path) -> io::Result<()>;

    /// Opens a file for reading and writing.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] if `mode` is [`OpenMode::Existing`] and there is no such file; the
    /// operating system's.
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn VfsFile>>;

    /// Gives a file another name in the same directory, in one step; a file that had the new name loses it.
    /// Handles stay valid.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`]; the operating system's.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file's name. Handles stay valid, and the file lives as long as they do.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`]; the operating system's.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// The names of the files in a directory, sorted.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`]; the operating system's.
    fn list(&self, directory: &Path) -> io::Result<Vec<String>>;

    /// Makes the directory's entries durable.
    ///
    /// # Errors
    /// The operating system's.
    fn sync_directory(&self, directory: &Path) -> io::Result<()>;

    /// Takes the exclusive lock that `path` (created if missing) stands for. It ends when the guard is
    /// dropped, or with the process.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] if somebody has it, in this process or another; the operating system's.
    fn lock(&self, path: &Path) -> io::Result<Box<dyn Lock>>;
}

/// How to open a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OpenMode {
    /// It must exist.
    Existing,
    /// It is made empty, whether it existed or not.
    Create,
}

/// An open file.
pub trait VfsFile: Send + Sync + fmt::Debug {
    /// The file's length in bytes.
    ///
    /// # Errors
    /// The operating system's.
    fn bytes(&self) -> io::Result<u64>;

    /// Fills `buffer` from `offset` on and returns how many bytes there were: fewer than asked for only at
    /// the file's end.
    ///
    /// # Errors
    /// The operating system's.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;

    /// Writes all parts, one behind the other, from `offset` on; in one call of the operating system where
    /// it takes them. The file grows where needed, with zeros in a gap.
    ///
    /// # Errors
    /// The operating system's; any of the bytes may have been written.
    fn write_at(&self, offset: u64, parts: &[IoSlice<'_>]) -> io::Result<()>;

    /// Has `count` bytes from `offset` on, which were written, begin their way to the disk, so that a later sync has less
    /// to wait for. It promises nothing, and what fails shows at that sync.
    fn start_writing(&self, _offset: u64, _count: u64) {}

    /// Makes the file's bytes durable, and its length where it grew.
    ///
    /// # Errors
    /// The operating system's: see the durability rules of [`Vfs`].
    fn sync_data(&self) -> io::Result<()>;

    /// Makes the file's bytes and all that is known of it durable.
    ///
    /// # Errors
    /// As [`sync_data`](Self::sync_data).
    fn sync_all(&self) -> io::Result<()>;

    /// Maps the whole file for reading. The caller sees to it that nobody writes to the file while the
    /// mapping lives.
    ///
    /// # Errors
    /// The operating system's.
    fn map(&self) -> io::Result<Mapping>;
}

/// The unit in which unsynced bytes survive power loss.
pub const BLOCK_BYTES: usize = 512;

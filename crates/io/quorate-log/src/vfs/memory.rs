mod disk;
mod fate;
mod inode;

pub use disk::Operation;

use super::{Lock, Mapping, OpenMode, Vfs, VfsFile};
use disk::Disk;
use inode::InodeNumber;
use std::io::{self, ErrorKind, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A disk in memory that can be killed, lose power, fail and rot, the same way for the same calls and seeds.
///
/// A clone is another handle to the same disk; [`snapshot`](Self::snapshot) is a disk of its own, and cheap:
/// files are shared until one side writes.
///
/// Operations that change something (create, write, resize, sync, rename, remove, sync of a directory) are
/// counted from 0, so that a test can repeat a run and let it [`crash_at`](Self::crash_at) or
/// [`fail_at`](Self::fail_at) each of them in turn.
///
/// ```
/// use quorate_log::vfs::{MemoryVfs, OpenMode, Retain, Vfs};
/// # fn main() -> std::io::Result<()> {
/// let disk = MemoryVfs::new();
/// disk.create_directory("data".as_ref())?;
/// let file = disk.open("data/file".as_ref(), OpenMode::Create)?;
/// file.write_at(0, &[std::io::IoSlice::new(b"hello")])?;
/// file.sync_data()?;
/// disk.lose_power(Retain::Nothing);
/// assert_eq!(disk.list("data".as_ref())?.len(), 0, "nobody had synced the directory");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct MemoryVfs {
    disk: Arc<Mutex<Disk>>,
}

/// What becomes of unsynced blocks and names when the power goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retain {
    /// They are all lost.
    Nothing,
    /// They all survive.
    Everything,
    /// Each survives or not, as drawn from this seed. A block that was written several times may be found as
    /// any of those writes left it.
    Random(u64),
    /// Those survive that were changed first, up to a moment drawn from this seed; the write of that moment
    /// may be torn.
    Prefix(u64),
}

impl MemoryVfs {
    /// An empty disk.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A copy of the disk as it is now, with what is unsynced, and without locks, faults and open files.
    #[must_use]
    pub fn snapshot(&self) -> Self {
        Self { disk: Arc::new(Mutex::new(self.locked().snapshot())) }
    }

    /// Ends the process: what was written is still there, and what is unsynced can still be lost with the
    /// power; open files and locks are gone, planned faults too.
    pub fn kill(&self) {
        self.locked().kill();
    }

    /// Ends the process with the machine's power; then all that is found is durable. Planned faults are
    /// forgotten.
    pub fn lose_power(&self, retain: Retain) {
        self.locked().lose_power(retain);
    }

    /// How many operations were begun.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.locked().operations()
    }

    /// Turns the machine off when operation number `operation` begins: it and every later call fails, until
    /// [`kill`](Self::kill) or [`lose_power`](Self::lose_power) turns it on again.
    pub fn crash_at(&self, operation: u64) {
        self.locked().crash_at(operation);
    }

    /// At which operation a planned crash turned the machine off, and the file or directory that it was for
    /// (nothing, for a file without a name). `None` unless it is off.
    #[must_use]
    pub fn crashed_at(&self) -> Option<(Operation, PathBuf)> {
        self.locked().crashed_at()
    }

    /// Lets operation number `operation` fail with `kind`, once. A sync that fails loses what it should have
    /// covered, for good.
    pub fn fail_at(&self, operation: u64, kind: ErrorKind) {
        self.locked().fail_at(operation, kind);
    }

    /// Lets the next operation of this sort fail with `kind`, once.
    pub fn fail_next(&self, operation: Operation, kind: ErrorKind) {
        self.locked().fail_next(operation, kind);
    }

    /// Lets the next write report success and change nothing.
    pub fn lose_next_write(&self) {
        self.locked().lose_next_write();
    }

    /// Forgets what was planned to go wrong, and gives the disk room for any number of bytes.
    pub fn forget_faults(&self) {
        self.locked().forget_faults();
    }

    /// How many bytes all files may have together; a write beyond fails with [`ErrorKind::StorageFull`] and
    /// changes nothing. `None`: any number.
    pub fn set_capacity(&self, bytes_max: Option<u64>) {
        self.locked().set_capacity(bytes_max);
    }

    /// How many bytes all files have together, those without a name included while they are open.
    #[must_use]
    pub fn used_bytes(&self) -> u64 {
        self.locked().used_bytes()
    }

    /// Whether a failure was planned for the next operation of some sort and has not happened yet.
    #[must_use]
    pub fn awaits_failure(&self) -> bool {
        self.locked().awaits_failure()
    }

    /// The bytes of a file as a reader sees them now.
    #[must_use]
    pub fn contents(&self, path: &Path) -> Option<Vec<u8>> {
        self.locked().contents(path)
    }

    /// Changes bytes behind everyone's back, as if they had always stood so. Bytes beyond the file's end are
    /// ignored; false if there is no such file.
    pub fn corrupt(&self, path: &Path, offset: u64, bytes: &[u8]) -> bool {
        self.locked().corrupt(path, offset, bytes)
    }

    /// Flips one bit (0 to 7) of the byte at `offset`; false if there is no such byte.
    pub fn flip_bit(&self, path: &Path, offset: u64, bit: u8) -> bool {
        self.locked().flip_bit(path, offset, bit)
    }

    /// Puts other contents in the place of all that a file holds, behind everyone's back, as if it had always
    /// held them. False if there is no such file.
    pub fn replace(&self, path: &Path, contents: &[u8]) -> bool {
        self.locked().replace(path, contents)
    }

    /// Opens a file as [`Vfs::open`] does, for more than a log asks of one.
    ///
    /// # Errors
    /// As [`Vfs::open`].
    pub fn open_file(&self, path: &Path, mode: OpenMode) -> io::Result<MemoryFile> {
        let (inode, life) = self.locked().open(path, mode)?;
        Ok(MemoryFile { vfs: self.clone(), inode, life })
    }

    /// A panic of another thread leaves the disk as usable as a crash does.
    fn locked(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Vfs for MemoryVfs {
    fn create_directory(&self, directory: &Path) -> io::Result<()> {
        self.locked().create_directory(directory)
    }

    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn VfsFile>> {
        Ok(Arc::new(self.open_file(path, mode)?))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.locked().rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.locked().remove(path)
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<String>> {
        self.locked().list(directory)
    }

    fn sync_directory(&self, directory: &Path) -> io::Result<()> {
        self.locked().sync_directory(directory)
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn Lock>> {
        let life = self.locked().lock(path)?;
        Ok(Box::new(MemoryLock { vfs: self.clone(), path: path.to_owned(), life }))
    }
}

#[derive(Debug)]
struct MemoryLock {
    vfs: MemoryVfs,
    path: PathBuf,
    life: u64,
}

impl Lock for MemoryLock {}

impl Drop for MemoryLock {
    fn drop(&mut self) {
        self.vfs.locked().unlock(&self.path, self.life);
    }
}

/// An open file of a [`MemoryVfs`]; it belongs to one life of the process.
#[derive(Debug)]
pub struct MemoryFile {
    vfs: MemoryVfs,
    inode: InodeNumber,
    life: u64,
}

impl MemoryFile {
    /// Makes the file `bytes` long: with zeros at its end, or without what was there.
    ///
    /// # Errors
    /// [`ErrorKind::StorageFull`]; whatever was planned.
    pub fn resize(&self, bytes: u64) -> io::Result<()> {
        self.vfs.locked().resize(self.inode, self.life, bytes)
    }
}

impl VfsFile for MemoryFile {
    fn bytes(&self) -> io::Result<u64> {
        Ok(self.vfs.locked().inode(self.inode, self.life)?.bytes())
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(self.vfs.locked().inode(self.inode, self.life)?.read_at(offset, buffer))
    }

    fn write_at(&self, offset: u64, parts: &[IoSlice<'_>]) -> io::Result<()> {
        self.vfs.locked().write_at(self.inode, self.life, offset, parts)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.vfs.locked().sync(self.inode, self.life)
    }

    fn sync_all(&self) -> io::Result<()> {
        self.sync_data()
    }

    /// A copy: bytes that rot later do not show in it.
    fn map(&self) -> io::Result<Mapping> {
        Ok(Box::new(self.vfs.locked().inode(self.inode, self.life)?.shared()))
    }
}

impl Drop for MemoryFile {
    fn drop(&mut self) {
        self.vfs.locked().close(self.inode, self.life);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vfs::check_vfs;

    fn file(disk: &MemoryVfs) -> Arc<dyn VfsFile> {
        disk.create_directory("d".as_ref()).unwrap();
        disk.open("d/f".as_ref(), OpenMode::Create).unwrap()
    }

    fn write(file: &Arc<dyn VfsFile>, offset: u64, bytes: &[u8]) -> io::Result<()> {
        file.write_at(offset, &[IoSlice::new(bytes)])
    }

    #[test]
    fn it_keeps_the_rules_of_a_file_system() {
        check_vfs(&MemoryVfs::new(), Path::new("data"));
    }

    #[test]
    fn power_loss_keeps_what_was_synced_and_a_part_of_the_rest() {
        let mut kept = std::collections::BTreeSet::new();
        for seed in 0..64 {
            let disk = MemoryVfs::new();
            let file = file(&disk);
            write(&file, 0, &[1; 1024]).unwrap();
            file.sync_data().unwrap();
            disk.sync_directory("d".as_ref()).unwrap();
            write(&file, 0, &[2; 1536]).unwrap();
            disk.lose_power(Retain::Random(seed));
            let bytes = disk.contents("d/f".as_ref()).unwrap();
            kept.insert(bytes.chunks(512).map(|block| block[0]).collect::<Vec<_>>());
            assert!(
                bytes.chunks(512).all(|block| block.iter().all(|byte| *byte == block[0])),
                "blocks are never torn"
            );
        }
        assert!(
            kept.contains(&vec![1, 2]) && kept.contains(&vec![2, 1]) && kept.contains(&vec![1, 1, 2]),
            "{kept:?}"
        );
        assert!(kept.iter().flatten().all(|byte| *byte != 0 || kept.iter().any(|blocks| blocks.len() == 3)));
    }

    #[test]
    fn a_prefix_of_what_was_unsynced_survives_and_the_write_at_its_end_may_be_torn() {
        let mut kept = std::collections::BTreeSet::new();
        for seed in 0..256 {
            let disk = MemoryVfs::new();
            let file = file(&disk);
            disk.sync_directory("d".as_ref()).unwrap();
            write(&file, 0, &[1; 1024]).unwrap();
            disk.rename("d/f".as_ref(), "d/g".as_ref()).unwrap();
            write(&file, 512, &[2; 1024]).unwrap();
            disk.lose_power(Retain::Prefix(seed));
            let (old, new) = (disk.contents("d/f".as_ref()), disk.contents("d/g".as_ref()));
            let is_renamed = new.is_some();
            let bytes = old.or(new).unwrap();
            kept.insert((is_renamed, bytes.chunks(512).map(|block| block[0]).collect::<Vec<_>>()));
        }
        let expected = [
            (false, vec![]),
            (false, vec![1, 0]),
            (false, vec![1, 1]),
            (true, vec![1, 1]),
            (true, vec![1, 2, 0]),
            (true, vec![1, 2, 2]),
        ];
        assert_eq!(kept, expected.into());
    }

    #[test]
    fn a_block_written_twice_may_be_found_as_the_first_write_left_it() {
        let mut kept = std::collections::BTreeSet::new();
        for seed in 0..64 {
            let disk = MemoryVfs::new();
            let file = file(&disk);
            write(&file, 0, &[1; 512]).unwrap();
            file.sync_data().unwrap();
            disk.sync_directory("d".as_ref()).unwrap();
            write(&file, 0, &[2; 10]).unwrap();
            write(&file, 5, &[3; 10]).unwrap();
            disk.lose_power(Retain::Random(seed));
            let bytes = disk.contents("d/f".as_ref()).unwrap();
            kept.insert((bytes[0], bytes[7], bytes[12], bytes[20]));
        }
        assert_eq!(kept, [(1, 1, 1, 1), (2, 2, 1, 1), (2, 3, 3, 1)].into());
    }

    #[test]
    fn a_cut_takes_its_bytes_away_for_good_or_has_not_happened() {
        let mut kept = std::collections::BTreeSet::new();
        for seed in 0..256 {
            let disk = MemoryVfs::new();
            disk.create_directory("d".as_ref()).unwrap();
            let file = disk.open_file("d/f".as_ref(), OpenMode::Create).unwrap();
            file.write_at(0, &[IoSlice::new(&[1; 1100])]).unwrap();
            file.sync_data().unwrap();
            disk.sync_directory("d".as_ref()).unwrap();
            file.resize(600).unwrap();
            file.resize(1100).unwrap();
            disk.lose_power(Retain::Random(seed));
            let bytes = disk.contents("d/f".as_ref()).unwrap();
            kept.insert((bytes.len(), bytes.iter().filter(|byte| **byte == 1).count()));
        }
        assert_eq!(kept, [(1100, 1100), (600, 600), (1100, 600)].into());
    }

    #[test]
    fn a_name_survives_only_with_its_directory() {
        let disk = MemoryVfs::new();
        let file = file(&disk);
        write(&file, 0, b"x").unwrap();
        file.sync_all().unwrap();
        let unsynced = disk.snapshot();
        unsynced.lose_power(Retain::Nothing);
        assert_eq!(unsynced.contents("d/f".as_ref()), None);
        disk.sync_directory("d".as_ref()).unwrap();
        disk.rename("d/f".as_ref(), "d/g".as_ref()).unwrap();
        disk.lose_power(Retain::Nothing);
        assert_eq!(disk.contents("d/f".as_ref()).as_deref(), Some(&b"x"[..]));
    }

    #[test]
    fn a_failed_sync_loses_its_blocks_though_a_later_one_succeeds() {
        let disk = MemoryVfs::new();
        let file = file(&disk);
        disk.sync_directory("d".as_ref()).unwrap();
        write(&file, 0, b"old").unwrap();
        file.sync_data().unwrap();
        write(&file, 0, b"new").unwrap();
        disk.fail_next(Operation::Sync, ErrorKind::Other);
        assert!(file.sync_data().is_err());
        file.sync_data().unwrap();
        disk.lose_power(Retain::Everything);
        assert_eq!(disk.contents("d/f".as_ref()).as_deref(), Some(&b"old"[..]));
    }

    #[test]
    fn a_crash_ends_every_handle_and_lock() {
        let disk = MemoryVfs::new();
        let file = file(&disk);
        let lock = disk.lock("d/lock".as_ref()).unwrap();
        disk.crash_at(disk.operations() + 1);
        write(&file, 0, b"a").unwrap();
        assert!(write(&file, 1, b"b").is_err() && disk.list("d".as_ref()).is_err(), "the machine is off");
        disk.kill();
        assert!(write(&file, 1, b"b").is_err(), "the handle belonged to the process that ended");
        assert_eq!(disk.contents("d/f".as_ref()).as_deref(), Some(&b"a"[..]));
        let fresh = disk.lock("d/lock".as_ref()).unwrap();
        drop(lock);
        assert!(disk.lock("d/lock".as_ref()).is_err(), "the old guard does not release the new lock");
        drop(fresh);
    }

    #[test]
    fn a_full_disk_takes_no_byte_more_until_there_is_room() {
        let disk = MemoryVfs::new();
        let file = file(&disk);
        disk.set_capacity(Some(4));
        assert_eq!(write(&file, 0, b"12345").unwrap_err().kind(), ErrorKind::StorageFull);
        write(&file, 0, b"1234").unwrap();
        disk.set_capacity(None);
        write(&file, 4, b"5").unwrap();
        assert_eq!(file.bytes().unwrap(), 5);
    }
}

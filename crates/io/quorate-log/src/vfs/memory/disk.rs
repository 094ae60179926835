use super::Retain;
use super::fate::Fate;
use super::inode::{Inode, InodeNumber};
use crate::vfs::OpenMode;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, ErrorKind, IoSlice};
use std::path::{Path, PathBuf};

/// A sort of operation that changes something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// A file is made or emptied.
    Create,
    /// Bytes are written.
    Write,
    /// A file is made longer or shorter.
    Resize,
    /// A file is synced.
    Sync,
    /// A file gets another name.
    Rename,
    /// A name is removed.
    Remove,
    /// A directory is synced.
    SyncDirectory,
}

/// What an operation is carried out on.
#[derive(Clone, Copy)]
enum Subject<'a> {
    Name(&'a Path),
    File(InodeNumber),
}

/// A change of names that no sync of the directory has covered.
#[derive(Clone, Debug)]
struct UnsyncedName {
    /// The number of the operation that made it.
    operation: u64,
    change: NameChange,
}

#[derive(Clone, Debug)]
enum NameChange {
    Link { path: PathBuf, inode: InodeNumber },
    Unlink { path: PathBuf, inode: InodeNumber },
    Rename { from: PathBuf, to: PathBuf, inode: InodeNumber },
}

impl NameChange {
    fn directory(&self) -> Option<&Path> {
        match self {
            Self::Link { path, .. } | Self::Unlink { path, .. } => path.parent(),
            Self::Rename { to, .. } => to.parent(),
        }
    }

    const fn inode(&self) -> InodeNumber {
        match self {
            Self::Link { inode, .. } | Self::Unlink { inode, .. } | Self::Rename { inode, .. } => *inode,
        }
    }

    fn apply(self, names: &mut BTreeMap<PathBuf, InodeNumber>) {
        match self {
            Self::Link { path, inode } => {
                names.insert(path, inode);
            }
            Self::Unlink { path, inode } => {
                if names.get(&path) == Some(&inode) {
                    names.remove(&path);
                }
            }
            Self::Rename { from, to, inode } => {
                if names.get(&from) == Some(&inode) {
                    names.remove(&from);
                }
                names.insert(to, inode);
            }
        }
    }
}

/// Faults that were planned and have not happened yet.
#[derive(Debug, Default)]
struct Plan {
    crash_at: Option<u64>,
    fail_at: BTreeMap<u64, ErrorKind>,
    fail_next: Vec<(Operation, ErrorKind)>,
    lose_next_write: bool,
}

/// Files, names, and what of both is durable.
#[derive(Debug, Default)]
pub(super) struct Disk {
    directories: BTreeSet<PathBuf>,
    names: BTreeMap<PathBuf, InodeNumber>,
    durable_names: BTreeMap<PathBuf, InodeNumber>,
    name_changes: Vec<UnsyncedName>,
    inodes: BTreeMap<InodeNumber, Inode>,
    inode_next: InodeNumber,
    locks: BTreeSet<PathBuf>,
    capacity: Option<u64>,
    /// Counts the processes that have used this disk: handles of one that ended are dead.
    life: u64,
    off: bool,
    operations: u64,
    /// The operation at which the machine was turned off, and the file that it was for.
    crashed_at: Option<(Operation, PathBuf)>,
    plan: Plan,
}

impl Disk {
    pub(super) fn snapshot(&self) -> Self {
        Self {
            directories: self.directories.clone(),
            names: self.names.clone(),
            durable_names: self.durable_names.clone(),
            name_changes: self.name_changes.clone(),
            inodes: self.inodes.iter().map(|(number, inode)| (*number, inode.snapshot())).collect(),
            inode_next: self.inode_next,
            capacity: self.capacity,
            ..Self::default()
        }
    }

    pub(super) fn lose_power(&mut self, retain: Retain) {
        let names = self.name_changes.iter().map(|name| name.operation);
        let mut fate =
            Fate::new(retain, names.chain(self.inodes.values().flat_map(Inode::unsynced)).collect());
        for name in std::mem::take(&mut self.name_changes) {
            if fate.keeps_name(name.operation) {
                name.change.apply(&mut self.durable_names);
            }
        }
        for inode in self.inodes.values_mut() {
            inode.lose_power(&mut fate);
        }
        self.names = self.durable_names.clone();
        self.kill();
    }

    pub(super) fn kill(&mut self) {
        for inode in self.inodes.values_mut() {
            inode.handles = 0;
        }
        self.locks.clear();
        self.plan = Plan::default();
        self.off = false;
        self.crashed_at = None;
        self.life += 1;
        self.drop_unused();
    }

    pub(super) const fn operations(&self) -> u64 {
        self.operations
    }

    pub(super) fn crashed_at(&self) -> Option<(Operation, PathBuf)> {
        self.crashed_at.clone()
    }

    pub(super) fn crash_at(&mut self, operation: u64) {
        self.plan.crash_at = Some(operation);
    }

    pub(super) fn fail_at(&mut self, operation: u64, kind: ErrorKind) {
        self.plan.fail_at.insert(operation, kind);
    }

    pub(super) fn fail_next(&mut self, operation: Operation, kind: ErrorKind) {
        self.plan.fail_next.push((operation, kind));
    }

    pub(super) fn forget_faults(&mut self) {
        self.plan = Plan::default();
        self.capacity = None;
    }

    pub(super) fn awaits_failure(&self) -> bool {
        !self.plan.fail_next.is_empty()
    }

    pub(super) fn used_bytes(&self) -> u64 {
        self.inodes.values().map(Inode::bytes).sum()
    }

    pub(super) fn lose_next_write(&mut self) {
        self.plan.lose_next_write = true;
    }

    pub(super) fn set_capacity(&mut self, bytes_max: Option<u64>) {
        self.capacity = bytes_max;
    }

    pub(super) fn contents(&self, path: &Path) -> Option<Vec<u8>> {
        self.names.get(path).map(|number| self.inodes[number].shared().as_ref().to_vec())
    }

    pub(super) fn corrupt(&mut self, path: &Path, offset: u64, bytes: &[u8]) -> bool {
        self.change(path, offset, |index, _| bytes[index], bytes.len())
    }

    pub(super) fn flip_bit(&mut self, path: &Path, offset: u64, bit: u8) -> bool {
        self.change(path, offset, |_, byte| byte ^ 1 << (bit & 7), 1)
    }

    pub(super) fn replace(&mut self, path: &Path, contents: &[u8]) -> bool {
        let inode = self.names.get(path).and_then(|number| self.inodes.get_mut(number));
        inode.is_some_and(|inode| {
            inode.replace(contents);
            true
        })
    }

    fn change(&mut self, path: &Path, offset: u64, change: impl Fn(usize, u8) -> u8, count: usize) -> bool {
        let Ok(offset) = usize::try_from(offset) else { return false };
        let inode = self.names.get(path).and_then(|number| self.inodes.get_mut(number));
        inode.is_some_and(|inode| inode.corrupt(offset, change, count))
    }

    pub(super) fn create_directory(&mut self, directory: &Path) -> io::Result<()> {
        self.powered()?;
        self.directories.extend(directory.ancestors().map(Path::to_owned));
        Ok(())
    }

    pub(super) fn open(&mut self, path: &Path, mode: OpenMode) -> io::Result<(InodeNumber, u64)> {
        self.powered()?;
        let number = match (self.names.get(path).copied(), mode) {
            (Some(number), OpenMode::Existing) => number,
            (None, OpenMode::Existing) => return Err(ErrorKind::NotFound.into()),
            (existing, OpenMode::Create) => {
                let operation = self.begin(Operation::Create, Subject::Name(path))?;
                match existing {
                    Some(number) => self.empty(operation, number),
                    None => self.create(operation, path)?,
                }
            }
        };
        self.inodes.entry(number).or_default().handles += 1;
        Ok((number, self.life))
    }

    fn create(&mut self, operation: u64, path: &Path) -> io::Result<InodeNumber> {
        if !path.parent().is_some_and(|parent| self.directories.contains(parent)) {
            return Err(ErrorKind::NotFound.into());
        }
        let number = self.inode_next;
        self.inode_next += 1;
        self.inodes.insert(number, Inode::default());
        self.names.insert(path.to_owned(), number);
        self.note(operation, NameChange::Link { path: path.to_owned(), inode: number });
        Ok(number)
    }

    fn empty(&mut self, operation: u64, number: InodeNumber) -> InodeNumber {
        self.inodes.entry(number).or_default().resize(operation, 0);
        number
    }

    fn note(&mut self, operation: u64, change: NameChange) {
        self.name_changes.push(UnsyncedName { operation, change });
    }

    pub(super) fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let operation = self.begin(Operation::Rename, Subject::Name(to))?;
        let inode = self.names.remove(from).ok_or(ErrorKind::NotFound)?;
        self.names.insert(to.to_owned(), inode);
        self.note(operation, NameChange::Rename { from: from.to_owned(), to: to.to_owned(), inode });
        self.drop_unused();
        Ok(())
    }

    pub(super) fn remove(&mut self, path: &Path) -> io::Result<()> {
        let operation = self.begin(Operation::Remove, Subject::Name(path))?;
        let inode = self.names.remove(path).ok_or(ErrorKind::NotFound)?;
        self.note(operation, NameChange::Unlink { path: path.to_owned(), inode });
        self.drop_unused();
        Ok(())
    }

    pub(super) fn list(&mut self, directory: &Path) -> io::Result<Vec<String>> {
        self.powered()?;
        if !self.directories.contains(directory) {
            return Err(ErrorKind::NotFound.into());
        }
        let inside = self.names.keys().filter(|path| path.parent() == Some(directory));
        Ok(inside.filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned())).collect())
    }

    pub(super) fn sync_directory(&mut self, directory: &Path) -> io::Result<()> {
        self.begin(Operation::SyncDirectory, Subject::Name(directory))?;
        let (covered, others): (Vec<_>, Vec<_>) = std::mem::take(&mut self.name_changes)
            .into_iter()
            .partition(|name| name.change.directory() == Some(directory));
        self.name_changes = others;
        for name in covered {
            name.change.apply(&mut self.durable_names);
        }
        self.drop_unused();
        Ok(())
    }

    pub(super) fn lock(&mut self, path: &Path) -> io::Result<u64> {
        self.powered()?;
        if !self.names.contains_key(path) {
            self.create(self.operations, path)?;
        }
        if !self.locks.insert(path.to_owned()) {
            return Err(ErrorKind::WouldBlock.into());
        }
        Ok(self.life)
    }

    pub(super) fn unlock(&mut self, path: &Path, life: u64) {
        if life == self.life {
            self.locks.remove(path);
        }
    }

    /// The file behind a handle of the present life.
    pub(super) fn inode(&mut self, number: InodeNumber, life: u64) -> io::Result<&mut Inode> {
        self.powered()?;
        if life != self.life {
            return Err(io::Error::other("the process that opened this file has ended"));
        }
        self.inodes.get_mut(&number).ok_or_else(|| ErrorKind::NotFound.into())
    }

    pub(super) fn close(&mut self, number: InodeNumber, life: u64) {
        if life == self.life
            && let Some(inode) = self.inodes.get_mut(&number)
        {
            inode.handles -= 1;
            self.drop_unused();
        }
    }

    pub(super) fn write_at(
        &mut self,
        number: InodeNumber,
        life: u64,
        offset: u64,
        parts: &[IoSlice<'_>],
    ) -> io::Result<()> {
        self.inode(number, life)?;
        let operation = self.begin(Operation::Write, Subject::File(number))?;
        let end = offset + parts.iter().map(|part| part.len() as u64).sum::<u64>();
        self.make_room(number, end)?;
        if std::mem::take(&mut self.plan.lose_next_write) {
            return Ok(());
        }
        let offset = usize::try_from(offset).map_err(|_| ErrorKind::StorageFull)?;
        self.inode(number, life)?.write_at(operation, offset, parts);
        Ok(())
    }

    pub(super) fn resize(&mut self, number: InodeNumber, life: u64, length: u64) -> io::Result<()> {
        self.inode(number, life)?;
        let operation = self.begin(Operation::Resize, Subject::File(number))?;
        self.make_room(number, length)?;
        let length = usize::try_from(length).map_err(|_| ErrorKind::StorageFull)?;
        self.inode(number, life)?.resize(operation, length);
        Ok(())
    }

    /// Sees to it that a file may reach up to `end`.
    fn make_room(&self, number: InodeNumber, end: u64) -> io::Result<()> {
        let bytes = self.inodes.get(&number).map_or(0, Inode::bytes);
        match self.capacity {
            Some(capacity) if end > bytes && self.used_bytes() + (end - bytes) > capacity => {
                Err(ErrorKind::StorageFull.into())
            }
            _ => Ok(()),
        }
    }

    pub(super) fn sync(&mut self, number: InodeNumber, life: u64) -> io::Result<()> {
        self.inode(number, life)?;
        let begun = self.begin(Operation::Sync, Subject::File(number));
        if begun.is_err() && !self.off {
            let operation = self.operations;
            self.inode(number, life)?.fail_sync(operation);
        }
        begun?;
        self.inode(number, life)?.sync();
        Ok(())
    }

    /// Counts an operation and lets a planned fault happen. Returns its number.
    fn begin(&mut self, operation: Operation, subject: Subject<'_>) -> io::Result<u64> {
        self.powered()?;
        let number = self.operations;
        self.operations += 1;
        if self.plan.crash_at == Some(number) {
            self.off = true;
            self.crashed_at = Some((operation, self.path_of(subject)));
            self.powered()?;
        }
        if let Some(kind) = self.plan.fail_at.remove(&number) {
            return Err(kind.into());
        }
        match self.plan.fail_next.iter().position(|(planned, _)| *planned == operation) {
            Some(place) => Err(self.plan.fail_next.remove(place).1.into()),
            None => Ok(number),
        }
    }

    /// The name that something has; nothing for a file whose name was removed.
    fn path_of(&self, subject: Subject<'_>) -> PathBuf {
        match subject {
            Subject::Name(path) => path.to_owned(),
            Subject::File(number) => {
                let named = self.names.iter().find(|(_, named)| **named == number);
                named.map(|(path, _)| path.clone()).unwrap_or_default()
            }
        }
    }

    fn powered(&self) -> io::Result<()> {
        if self.off { Err(io::Error::other("the machine is off")) } else { Ok(()) }
    }

    /// Forgets files that no name, no handle and no power loss can bring back.
    fn drop_unused(&mut self) {
        let named: BTreeSet<InodeNumber> =
            self.names.values().chain(self.durable_names.values()).copied().collect();
        let pending: BTreeSet<InodeNumber> =
            self.name_changes.iter().map(|name| name.change.inode()).collect();
        self.inodes
            .retain(|number, inode| inode.handles > 0 || named.contains(number) || pending.contains(number));
    }
}

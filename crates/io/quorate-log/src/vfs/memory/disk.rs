use super::Retain;
use super::inode::{Inode, InodeNumber, survives};
use crate::vfs::OpenMode;
use quorate_core::Random;
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
    /// A file is synced.
    Sync,
    /// A file gets another name.
    Rename,
    /// A name is removed.
    Remove,
    /// A directory is synced.
    SyncDirectory,
}

/// A change of names that no sync of the directory has covered.
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
    name_changes: Vec<NameChange>,
    inodes: BTreeMap<InodeNumber, Inode>,
    inode_next: InodeNumber,
    locks: BTreeSet<PathBuf>,
    capacity: Option<u64>,
    /// Counts the processes that have used this disk: handles of one that ended are dead.
    life: u64,
    off: bool,
    operations: u64,
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
        let mut random = Random::new(if let Retain::Random(seed) = retain { seed } else { 0 });
        for change in std::mem::take(&mut self.name_changes) {
            if survives(retain, &mut random) {
                change.apply(&mut self.durable_names);
            }
        }
        for inode in self.inodes.values_mut() {
            inode.lose_power(retain, &mut random);
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
        self.life += 1;
        self.drop_unused();
    }

    pub(super) const fn operations(&self) -> u64 {
        self.operations
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
                self.begin(Operation::Create)?;
                match existing {
                    Some(number) => self.empty(number),
                    None => self.create(path)?,
                }
            }
        };
        self.inodes.entry(number).or_default().handles += 1;
        Ok((number, self.life))
    }

    fn create(&mut self, path: &Path) -> io::Result<InodeNumber> {
        if !path.parent().is_some_and(|parent| self.directories.contains(parent)) {
            return Err(ErrorKind::NotFound.into());
        }
        let number = self.inode_next;
        self.inode_next += 1;
        self.inodes.insert(number, Inode::default());
        self.names.insert(path.to_owned(), number);
        self.name_changes.push(NameChange::Link { path: path.to_owned(), inode: number });
        Ok(number)
    }

    fn empty(&mut self, number: InodeNumber) -> InodeNumber {
        self.inodes.entry(number).or_default().empty();
        number
    }

    pub(super) fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        self.begin(Operation::Rename)?;
        let inode = self.names.remove(from).ok_or(ErrorKind::NotFound)?;
        self.names.insert(to.to_owned(), inode);
        self.name_changes.push(NameChange::Rename { from: from.to_owned(), to: to.to_owned(), inode });
        self.drop_unused();
        Ok(())
    }

    pub(super) fn remove(&mut self, path: &Path) -> io::Result<()> {
        self.begin(Operation::Remove)?;
        let inode = self.names.remove(path).ok_or(ErrorKind::NotFound)?;
        self.name_changes.push(NameChange::Unlink { path: path.to_owned(), inode });
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
        self.begin(Operation::SyncDirectory)?;
        let (covered, others) = std::mem::take(&mut self.name_changes)
            .into_iter()
            .partition(|change: &NameChange| change.directory() == Some(directory));
        self.name_changes = others;
        for change in covered {
            change.apply(&mut self.durable_names);
        }
        self.drop_unused();
        Ok(())
    }

    pub(super) fn lock(&mut self, path: &Path) -> io::Result<u64> {
        self.powered()?;
        if !self.names.contains_key(path) {
            self.create(path)?;
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
        let bytes = self.inode(number, life)?.bytes();
        self.begin(Operation::Write)?;
        let end = offset + parts.iter().map(|part| part.len() as u64).sum::<u64>();
        let used: u64 = self.inodes.values().map(Inode::bytes).sum();
        if self.capacity.is_some_and(|capacity| end > bytes && used + (end - bytes) > capacity) {
            return Err(ErrorKind::StorageFull.into());
        }
        if std::mem::take(&mut self.plan.lose_next_write) {
            return Ok(());
        }
        let offset = usize::try_from(offset).map_err(|_| ErrorKind::StorageFull)?;
        self.inode(number, life)?.write_at(offset, parts);
        Ok(())
    }

    pub(super) fn sync(&mut self, number: InodeNumber, life: u64) -> io::Result<()> {
        self.inode(number, life)?;
        let begun = self.begin(Operation::Sync);
        if begun.is_err() && !self.off {
            self.inode(number, life)?.fail_sync();
        }
        begun?;
        self.inode(number, life)?.sync();
        Ok(())
    }

    /// Counts an operation and lets a planned fault happen.
    fn begin(&mut self, operation: Operation) -> io::Result<()> {
        self.powered()?;
        let number = self.operations;
        self.operations += 1;
        if self.plan.crash_at == Some(number) {
            self.off = true;
            return self.powered();
        }
        if let Some(kind) = self.plan.fail_at.remove(&number) {
            return Err(kind.into());
        }
        match self.plan.fail_next.iter().position(|(planned, _)| *planned == operation) {
            Some(place) => Err(self.plan.fail_next.remove(place).1.into()),
            None => Ok(()),
        }
    }

    fn powered(&self) -> io::Result<()> {
        if self.off { Err(io::Error::other("the machine is off")) } else { Ok(()) }
    }

    /// Forgets files that no name, no handle and no power loss can bring back.
    fn drop_unused(&mut self) {
        let named: BTreeSet<InodeNumber> =
            self.names.values().chain(self.durable_names.values()).copied().collect();
        let pending: BTreeSet<InodeNumber> = self
            .name_changes
            .iter()
            .map(|change| match change {
                NameChange::Link { inode, .. }
                | NameChange::Unlink { inode, .. }
                | NameChange::Rename { inode, .. } => *inode,
            })
            .collect();
        self.inodes
            .retain(|number, inode| inode.handles > 0 || named.contains(number) || pending.contains(number));
    }
}

//! A healthy group, stopped in order, whose node has every kind of file; and what those held earlier.

use super::contents::Contents;
use super::group::{Group, NODES};
use super::ledger::Row;
use super::storage::{DIRECTORY, LOG_DIRECTORY, Storage, StorageError};
use quorate_codec::Encoder;
use quorate_core::{EntryId, EntryKind, LogStore, NodeId, Random, Requirement, Vlsn};
use quorate_log::vfs::{MemoryVfs, Vfs};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The node that is damaged, by its place in the group.
pub(crate) const VICTIM: usize = 1;
/// How often the group was stopped before.
const EARLIER_STOPS: u64 = 3;
/// How many rows are written between two stops.
const ROWS: u64 = 14;

/// Files by name.
pub(crate) type Files = BTreeMap<PathBuf, Vec<u8>>;

/// A group that was stopped in order.
pub(crate) struct Fixture {
    disks: [MemoryVfs; NODES],
    /// What the victim's files held when it was stopped before.
    pub(crate) earlier: Vec<Files>,
    /// What the victim's files hold.
    pub(crate) files: Files,
    /// What can be read of the victim's.
    pub(crate) contents: Contents,
}

impl Fixture {
    /// Lets a group write, elect and stop several times.
    pub(crate) fn new(seed: u64) -> Result<Self, StorageError> {
        let disks = [(); NODES].map(|()| MemoryVfs::new());
        let mut random = Random::new(seed);
        let mut earlier = Vec::new();
        for stop in 0..=EARLIER_STOPS {
            let mut group = Group::new(disks.clone());
            group.start();
            assert!(group.settle(), "a healthy group agrees");
            for number in 0..ROWS {
                assert!(group.write(&row(stop * ROWS + number, &mut random)), "a healthy group takes writes");
            }
            group.stop();
            if stop == EARLIER_STOPS {
                break;
            }
            if stop == 1 {
                roll_back(&disks[VICTIM])?;
            }
            if stop == 2 {
                trim(&disks[VICTIM])?;
            }
            earlier.push(files(&disks[VICTIM])?);
        }
        let copy = disks[VICTIM].snapshot();
        let storage = Storage::open_as(&copy, NodeId::new(VICTIM as u16 + 1), true)?;
        let contents = Contents::of(&storage, &copy)?;
        let files = files(&disks[VICTIM])?;
        Ok(Self { disks, earlier, files, contents })
    }

    /// The group's disks, for one trial.
    pub(crate) fn disks(&self) -> [MemoryVfs; NODES] {
        self.disks.each_ref().map(MemoryVfs::snapshot)
    }
}

fn row(number: u64, random: &mut Random) -> Row {
    let value = (0..40 + random.below(700)).map(|_| random.next_u64() as u8).collect();
    Row { key: format!("key-{number:03}").into_bytes(), value }
}

/// Leaves entries behind that never committed, in a rollback file.
fn roll_back(disk: &MemoryVfs) -> Result<(), StorageError> {
    let mut storage = Storage::open_as(disk, NodeId::new(VICTIM as u16 + 1), false)?;
    let summary = storage.log.summary();
    let Some(last) = summary.terms.last() else { return Ok(()) };
    let mut encoder = Encoder::new(summary.chain);
    for count in 1..=3 {
        let id = EntryId { vlsn: last.vlsn.advance(count), ..last };
        encoder.push(id, EntryKind::Data, Requirement::SYNC, 0, &[count as u8; 300]);
    }
    let batch = encoder.finish().expect("three entries");
    storage.log.append(&[batch])?;
    storage.log.truncate_after(Some(last.vlsn))?;
    while storage.log.prepare()? {}
    drop(storage);
    disk.kill();
    Ok(())
}

/// Drops the oldest entries, which the engine holds.
fn trim(disk: &MemoryVfs) -> Result<(), StorageError> {
    let mut storage = Storage::open_as(disk, NodeId::new(VICTIM as u16 + 1), false)?;
    if let Some(base) = Vlsn::new(ROWS) {
        storage.log.trim_through(base)?;
    }
    while storage.log.prepare()? {}
    drop(storage);
    disk.kill();
    Ok(())
}

/// All files of a node but its locks.
fn files(disk: &MemoryVfs) -> Result<Files, StorageError> {
    let mut files = Files::new();
    for directory in [DIRECTORY, LOG_DIRECTORY].map(Path::new) {
        for name in disk.list(directory)?.into_iter().filter(|name| !name.ends_with(".lock")) {
            let path = directory.join(name);
            files.extend(disk.contents(&path).map(|bytes| (path, bytes)));
        }
    }
    Ok(files)
}

//! What becomes of a machine's disks while nobody looks.

use super::{ENGINE_FILE, LOG_DIRECTORY, Machine};
use crate::checker::{Ending, NodeModel};
use crate::engine_disk::EngineDisk;
use quorate_core::{Random, StateStore, Vlsn};
use quorate_log::vfs::{MemoryVfs, Vfs};
use quorate_log::{HardStateFile, first_entry_of};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A copy of a machine's disks, and what was known of the node when it was taken.
pub(crate) struct Backup {
    disk: MemoryVfs,
    engine: EngineDisk,
    /// How the last process before it had ended.
    ending: Ending,
    pub(crate) model: NodeModel,
}

/// One file of a node's log.
pub(crate) struct SegmentFile {
    pub(crate) path: PathBuf,
    /// The first entry that belongs there.
    pub(crate) first: Vlsn,
    /// How much of it is not zero.
    pub(crate) used_bytes: u64,
}

impl Machine {
    /// The files of the log, oldest first.
    pub(crate) fn segments(&self) -> Vec<SegmentFile> {
        let directory = Path::new(LOG_DIRECTORY);
        let mut names = self.disk.list(directory).unwrap_or_default();
        names.sort();
        names.iter().filter_map(|name| self.segment(&directory.join(name))).collect()
    }

    fn segment(&self, path: &Path) -> Option<SegmentFile> {
        path.file_name()?.to_str()?.strip_prefix("segment-")?.strip_suffix(".log")?;
        let contents = self.disk.contents(path)?;
        let used_bytes = contents.iter().rposition(|byte| *byte != 0)? as u64 + 1;
        Some(SegmentFile { path: path.to_owned(), first: first_entry_of(&contents)?, used_bytes })
    }

    /// Flips a bit of one copy of the hard state, if the other one is whole; says where.
    pub(crate) fn flip_bit_of_state(&mut self, details: &mut Random) -> Option<String> {
        let path = Path::new(["data/state-a", "data/state-b"][details.below(2) as usize]);
        let contents = self.disk.contents(path)?;
        let used_bytes = contents.iter().rposition(|byte| *byte != 0)? as u64 + 1;
        let (offset, bit) = (details.below(used_bytes), details.below(8) as u8);
        let trial = self.disk.snapshot();
        trial.flip_bit(path, offset, bit);
        let found = HardStateFile::new(Arc::new(trial), super::DIRECTORY).load();
        found.ok()?;
        self.disk.flip_bit(path, offset, bit);
        Some(format!("bit {bit} of byte {offset} of {} flips", path.display()))
    }

    /// Flips a bit of the engine's file, where it holds something; says where.
    pub(crate) fn flip_bit_of_engine(&mut self, details: &mut Random) -> Option<String> {
        let path = Path::new(ENGINE_FILE);
        let contents = self.disk.contents(path).filter(|contents| !contents.is_empty())?;
        let drawn = details.below(contents.len() as u64) as usize;
        let offset = contents[drawn..].iter().position(|byte| *byte != 0)? + drawn;
        let bit = details.below(8) as u8;
        self.disk.flip_bit(path, offset as u64, bit);
        Some(format!("bit {bit} of byte {offset} of {} flips", path.display()))
    }

    /// Copies the disks as they are.
    pub(crate) fn back_up(&self, model: NodeModel) -> Backup {
        Backup { disk: self.disk.snapshot(), engine: self.engine.copy(), ending: self.ending, model }
    }

    /// Puts back what was copied, while the machine is down.
    pub(crate) fn put_back(&mut self, backup: Backup) -> NodeModel {
        assert!(self.process.is_none(), "a directory is put back while nobody uses it");
        self.disk = backup.disk;
        self.disk.kill();
        self.engine = backup.engine;
        self.boots += 1;
        self.ending = backup.ending;
        backup.model
    }
}

use super::Retain;
use crate::vfs::BLOCK_BYTES;
use quorate_core::Random;
use std::collections::BTreeSet;
use std::io::IoSlice;
use std::sync::Arc;

/// A file's number on its disk; never used again.
pub(super) type InodeNumber = u64;

/// Whether something unsynced survives.
pub(super) fn survives(retain: Retain, random: &mut Random) -> bool {
    match retain {
        Retain::Nothing => false,
        Retain::Everything => true,
        Retain::Random(_) => random.below(2) == 1,
    }
}

/// A file's bytes, as readers see them and as they are after power loss.
#[derive(Clone, Debug, Default)]
pub(super) struct Inode {
    current: Arc<Vec<u8>>,
    durable: Arc<Vec<u8>>,
    dirty: BTreeSet<usize>,
    /// The file was emptied since the last sync.
    emptied: bool,
    /// Handles of the present life.
    pub(super) handles: u32,
}

impl Inode {
    /// The same file without its handles.
    pub(super) fn snapshot(&self) -> Self {
        Self { handles: 0, ..self.clone() }
    }

    pub(super) fn bytes(&self) -> u64 {
        self.current.len() as u64
    }

    pub(super) fn shared(&self) -> SharedBytes {
        SharedBytes(Arc::clone(&self.current))
    }

    pub(super) fn read_at(&self, offset: u64, buffer: &mut [u8]) -> usize {
        let start =
            usize::try_from(offset).map_or(self.current.len(), |offset| offset.min(self.current.len()));
        let count = buffer.len().min(self.current.len() - start);
        buffer[..count].copy_from_slice(&self.current[start..start + count]);
        count
    }

    pub(super) fn write_at(&mut self, offset: usize, parts: &[IoSlice<'_>]) {
        let current = Arc::make_mut(&mut self.current);
        let mut end = offset;
        for part in parts {
            let start = end;
            end += part.len();
            if current.len() < end {
                current.resize(end, 0);
            }
            current[start..end].copy_from_slice(part);
        }
        if end > offset {
            self.dirty.extend(offset / BLOCK_BYTES..=(end - 1) / BLOCK_BYTES);
        }
    }

    pub(super) fn empty(&mut self) {
        self.current = Arc::default();
        self.dirty.clear();
        self.emptied = true;
    }

    pub(super) fn sync(&mut self) {
        self.settle(Retain::Everything, &mut Random::new(0));
    }

    /// The system forgets that the blocks are dirty; whether they are durable it does not say, so they are
    /// not.
    pub(super) fn fail_sync(&mut self) {
        self.dirty.clear();
    }

    pub(super) fn lose_power(&mut self, retain: Retain, random: &mut Random) {
        self.settle(retain, random);
        self.current = Arc::clone(&self.durable);
    }

    fn settle(&mut self, retain: Retain, random: &mut Random) {
        let durable = Arc::make_mut(&mut self.durable);
        if std::mem::take(&mut self.emptied) && survives(retain, random) {
            durable.clear();
        }
        if self.current.len() > durable.len() && survives(retain, random) {
            durable.resize(self.current.len(), 0);
        }
        for block in std::mem::take(&mut self.dirty) {
            let start = block * BLOCK_BYTES;
            let end = (start + BLOCK_BYTES).min(self.current.len()).min(durable.len());
            if survives(retain, random) && start < end {
                durable[start..end].copy_from_slice(&self.current[start..end]);
            }
        }
    }

    /// Changes bytes that exist, in both views. Returns false if none of them does.
    pub(super) fn corrupt(&mut self, offset: usize, change: impl Fn(usize, u8) -> u8, count: usize) -> bool {
        let mut changed = false;
        for bytes in [&mut self.current, &mut self.durable] {
            let end = offset.saturating_add(count).min(bytes.len());
            if offset < end {
                changed = true;
                for (index, byte) in Arc::make_mut(bytes)[offset..end].iter_mut().enumerate() {
                    *byte = change(index, *byte);
                }
            }
        }
        changed
    }
}

/// A file's bytes at one moment.
pub(super) struct SharedBytes(Arc<Vec<u8>>);

impl AsRef<[u8]> for SharedBytes {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

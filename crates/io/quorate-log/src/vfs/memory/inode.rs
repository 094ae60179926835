use super::fate::Fate;
use crate::vfs::BLOCK_BYTES;
use std::collections::BTreeMap;
use std::io::IoSlice;
use std::sync::Arc;

/// A file's number on its disk; never used again.
pub(super) type InodeNumber = u64;

/// A file's bytes, as readers see them and as they are after power loss.
#[derive(Clone, Debug, Default)]
pub(super) struct Inode {
    current: Arc<Vec<u8>>,
    durable: Arc<Vec<u8>>,
    /// What no sync has covered, in the order in which it happened.
    unsynced: Vec<Change>,
    /// Handles of the present life.
    pub(super) handles: u32,
}

/// A change of a file's bytes or length.
#[derive(Clone, Debug)]
struct Change {
    /// The number of the operation that made it.
    operation: u64,
    /// The file's length afterwards.
    length: usize,
    /// The first block written to.
    first: usize,
    /// What that block and those written to behind it held afterwards, up to the file's end.
    blocks: Arc<[u8]>,
    /// Bytes were taken away from the end.
    cuts: bool,
}

impl Change {
    /// What a block held afterwards; `None` if the change did not touch it.
    fn block(&self, block: usize) -> Option<&[u8]> {
        let start = block.checked_sub(self.first)? * BLOCK_BYTES;
        match self.blocks.get(start..) {
            Some(rest) if !rest.is_empty() => Some(&rest[..rest.len().min(BLOCK_BYTES)]),
            _ => self.cuts.then_some(&[]),
        }
    }

    fn blocks(&self) -> impl Iterator<Item = usize> + use<> {
        self.first..self.first + self.blocks.len().div_ceil(BLOCK_BYTES)
    }

    /// Carries it out; of what it wrote, the first `blocks_max` blocks alone.
    fn replay(&self, bytes: &mut Vec<u8>, blocks_max: usize) {
        bytes.resize(self.length, 0);
        let start = (self.first * BLOCK_BYTES).min(bytes.len());
        let count = self.blocks.len().min(blocks_max.saturating_mul(BLOCK_BYTES)).min(bytes.len() - start);
        bytes[start..start + count].copy_from_slice(&self.blocks[..count]);
    }
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

    /// The operations that made what no sync has covered.
    pub(super) fn unsynced(&self) -> impl Iterator<Item = u64> {
        self.unsynced.iter().map(|change| change.operation)
    }

    pub(super) fn read_at(&self, offset: u64, buffer: &mut [u8]) -> usize {
        let start =
            usize::try_from(offset).map_or(self.current.len(), |offset| offset.min(self.current.len()));
        let count = buffer.len().min(self.current.len() - start);
        buffer[..count].copy_from_slice(&self.current[start..start + count]);
        count
    }

    pub(super) fn write_at(&mut self, operation: u64, offset: usize, parts: &[IoSlice<'_>]) {
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
            self.note(operation, offset / BLOCK_BYTES, end.div_ceil(BLOCK_BYTES), false);
        }
    }

    pub(super) fn resize(&mut self, operation: u64, length: usize) {
        let cuts = length < self.current.len();
        let block = length / BLOCK_BYTES;
        Arc::make_mut(&mut self.current).resize(length, 0);
        self.note(operation, block, if cuts { block + 1 } else { block }, cuts);
    }

    /// A change has touched the blocks from `first` to before `end`.
    fn note(&mut self, operation: u64, first: usize, end: usize, cuts: bool) {
        let length = self.current.len();
        let written = (first * BLOCK_BYTES).min(length)..(end * BLOCK_BYTES).min(length);
        let blocks = Arc::from(&self.current[written]);
        self.unsynced.push(Change { operation, length, first, blocks, cuts });
    }

    pub(super) fn sync(&mut self) {
        self.settle(&mut Fate::Everything);
    }

    /// The system forgets that the blocks are dirty; whether they are durable it does not say, so they are
    /// not. The length it does not forget.
    pub(super) fn fail_sync(&mut self, operation: u64) {
        self.unsynced.clear();
        if self.current.len() > self.durable.len() {
            let length = self.current.len();
            self.unsynced.push(Change { operation, length, first: 0, blocks: Arc::from([]), cuts: false });
        }
    }

    pub(super) fn lose_power(&mut self, fate: &mut Fate) {
        self.settle(fate);
        self.current = Arc::clone(&self.durable);
    }

    fn settle(&mut self, fate: &mut Fate) {
        let changes = std::mem::take(&mut self.unsynced);
        if changes.is_empty() {
            return;
        }
        let durable = Arc::make_mut(&mut self.durable);
        match fate {
            Fate::Nothing => {}
            Fate::Everything => changes.iter().for_each(|change| change.replay(durable, usize::MAX)),
            Fate::Prefix { end, torn_blocks } => {
                for change in changes.iter().take_while(|change| change.operation < *end) {
                    change.replay(durable, usize::MAX);
                }
                let torn = changes.iter().find(|change| change.operation == *end);
                if let Some(torn) = torn.filter(|_| *torn_blocks > 0) {
                    torn.replay(durable, *torn_blocks);
                }
            }
            Fate::Random(_) => scatter(&changes, durable, fate),
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

    /// Puts other contents in the place of all, durably.
    pub(super) fn replace(&mut self, contents: &[u8]) {
        self.current = Arc::new(contents.to_vec());
        self.durable = Arc::clone(&self.current);
        self.unsynced.clear();
    }
}

/// Lets the length and each block, one independently of the other, be found as any of the changes left it.
///
/// A cut that survives takes away for good what it cut; after one that does not survive nothing happened.
fn scatter(changes: &[Change], durable: &mut Vec<u8>, fate: &mut Fate) {
    let kept = fate.versions(changes.len());
    let lost_cut = changes[kept..].iter().position(|change| change.cuts);
    let happened = &changes[..lost_cut.map_or(changes.len(), |place| kept + place)];
    let length = kept.checked_sub(1).map_or(durable.len(), |last| changes[last].length);
    for cut in changes[..kept].iter().filter(|change| change.cuts) {
        durable.truncate(cut.length);
    }
    durable.resize(length, 0);
    let mut versions: BTreeMap<usize, Vec<(usize, &[u8])>> = BTreeMap::new();
    for block in happened.iter().flat_map(Change::blocks) {
        versions.entry(block).or_insert_with(|| {
            let touched = happened.iter().enumerate();
            touched.filter_map(|(place, change)| Some((place, change.block(block)?))).collect()
        });
    }
    for (block, versions) in versions {
        let cut = versions.iter().rposition(|(place, _)| changes[*place].cuts);
        let chosen = fate.versions(versions.len()).max(cut.map_or(0, |place| place + 1));
        let Some((_, bytes)) = chosen.checked_sub(1).and_then(|place| versions.get(place)) else { continue };
        put_block(durable, block, bytes);
    }
}

/// A block's bytes, and zeros up to its end.
fn put_block(durable: &mut [u8], block: usize, bytes: &[u8]) {
    let start = (block * BLOCK_BYTES).min(durable.len());
    let end = (start + BLOCK_BYTES).min(durable.len());
    let count = bytes.len().min(end - start);
    durable[start..start + count].copy_from_slice(&bytes[..count]);
    durable[start + count..end].fill(0);
}

/// A file's bytes at one moment.
pub(super) struct SharedBytes(Arc<Vec<u8>>);

impl AsRef<[u8]> for SharedBytes {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

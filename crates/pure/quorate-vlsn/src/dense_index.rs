use crate::dense_view::{BODY_BYTES_BEFORE_OFFSETS, MAGIC};
use crate::layout;
use alloc::vec::Vec;
use quorate_core::Vlsn;

/// Where the entries of one segment begin, for a log that has every VLSN: 4 bytes an entry, a lookup is one
/// read.
///
/// Offsets increase strictly. At most `u32::MAX` entries fit, as many as a segment can hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DenseIndex {
    first: Vlsn,
    offsets: Vec<u32>,
}

impl DenseIndex {
    /// An empty index, in which the entry at `first` comes first.
    #[must_use]
    pub const fn new(first: Vlsn) -> Self {
        Self { first, offsets: Vec::new() }
    }

    /// An index with these offsets, which increase strictly.
    pub(crate) const fn with_offsets(first: Vlsn, offsets: Vec<u32>) -> Self {
        Self { first, offsets }
    }

    /// Position of the first entry, whether it is there yet or not.
    #[must_use]
    pub const fn first(&self) -> Vlsn {
        self.first
    }

    /// Position of the last entry.
    #[must_use]
    pub fn last(&self) -> Option<Vlsn> {
        self.next().previous().filter(|_| !self.offsets.is_empty())
    }

    /// Position of the entry that the next offset is for.
    #[must_use]
    pub fn next(&self) -> Vlsn {
        self.first.advance(self.offsets.len() as u64)
    }

    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.offsets.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.offsets.is_empty()
    }

    /// Adds the entry that follows, at `offset` bytes in the segment.
    ///
    /// # Panics
    /// If the offset is not above the last one: a bug of the caller.
    pub fn push(&mut self, offset: u32) {
        assert!(
            self.offsets.last().is_none_or(|last| *last < offset),
            "entries follow each other in a segment"
        );
        self.offsets.push(offset);
    }

    /// Where the entry at `vlsn` begins, in bytes, if it is in this segment.
    #[must_use]
    pub fn offset(&self, vlsn: Vlsn) -> Option<u32> {
        let index = vlsn.as_u64().checked_sub(self.first.as_u64())?;
        self.offsets.get(usize::try_from(index).ok()?).copied()
    }

    /// Forgets every entry behind `keep` (all, for `None`).
    pub fn truncate_after(&mut self, keep: Option<Vlsn>) {
        self.offsets.truncate(self.entries_before(Vlsn::after(keep)));
    }

    /// Forgets every entry before `from`. The first position becomes `from`, or the one behind the last entry
    /// if that comes earlier.
    pub fn trim_before(&mut self, from: Vlsn) {
        let gone = self.entries_before(from);
        self.offsets.drain(..gone);
        self.first = self.first.advance(gone as u64);
    }

    /// The index as bytes, for [`DenseView`](crate::DenseView).
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes =
            layout::begin(MAGIC, BODY_BYTES_BEFORE_OFFSETS + self.offsets.len() * size_of::<u32>());
        bytes.extend_from_slice(&self.first.as_u64().to_le_bytes());
        bytes.extend_from_slice(&(self.offsets.len() as u32).to_le_bytes());
        for offset in &self.offsets {
            bytes.extend_from_slice(&offset.to_le_bytes());
        }
        layout::seal(&mut bytes);
        bytes
    }

    fn entries_before(&self, vlsn: Vlsn) -> usize {
        vlsn.since(self.first).min(self.offsets.len() as u64) as usize
    }
}

use crate::bucket_view::{BODY_BYTES_BEFORE_BUCKETS, ENTRY_BYTES, HEAD_BYTES, MAGIC};
use crate::buckets::{BucketEntry, BucketHead, Buckets};
use crate::layout;
use alloc::collections::VecDeque;
use alloc::vec;
use alloc::vec::Vec;
use quorate_core::{Lsn, Vlsn};

/// A bucket that has so many entries takes no more, so that trimming the front costs little.
const BUCKET_ENTRIES_MAX: usize = 4096;

/// Where entries lie, for a log in which only some VLSNs have a position of their own: 8 bytes an entry,
/// spread over any number of segments.
///
/// VLSNs and positions both increase strictly.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BucketIndex {
    buckets: VecDeque<Bucket>,
    last: Option<(Vlsn, Lsn)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Bucket {
    first: Vlsn,
    segment: u64,
    entries: Vec<BucketEntry>,
}

impl BucketIndex {
    /// An empty index.
    #[must_use]
    pub const fn new() -> Self {
        Self { buckets: VecDeque::new(), last: None }
    }

    /// Adds the entry at `vlsn`, which lies at `lsn`.
    ///
    /// # Panics
    /// If either is not above that of the last entry: a bug of the caller.
    pub fn put(&mut self, vlsn: Vlsn, lsn: Lsn) {
        assert!(self.can_follow(vlsn, lsn), "entries follow each other in VLSN and in position");
        self.last = Some((vlsn, lsn));
        if let Some(bucket) = self.buckets.back_mut()
            && bucket.entries.len() < BUCKET_ENTRIES_MAX
            && bucket.segment == lsn.segment
            && let Ok(distance) = u32::try_from(vlsn.since(bucket.first))
        {
            bucket.entries.push(BucketEntry { distance, offset: lsn.offset });
        } else {
            let entries = vec![BucketEntry { distance: 0, offset: lsn.offset }];
            self.buckets.push_back(Bucket { first: vlsn, segment: lsn.segment, entries });
        }
    }

    pub(crate) fn can_follow(&self, vlsn: Vlsn, lsn: Lsn) -> bool {
        self.last.is_none_or(|(last_vlsn, last_lsn)| last_vlsn < vlsn && last_lsn < lsn)
    }

    /// The last entry at or before `vlsn`: its own VLSN, and where it lies.
    #[must_use]
    pub fn floor(&self, vlsn: Vlsn) -> Option<(Vlsn, Lsn)> {
        self.find_floor(vlsn)
    }

    /// The first entry at or behind `vlsn`: its own VLSN, and where it lies.
    #[must_use]
    pub fn ceiling(&self, vlsn: Vlsn) -> Option<(Vlsn, Lsn)> {
        self.find_ceiling(vlsn)
    }

    /// The first entry.
    #[must_use]
    pub fn first(&self) -> Option<(Vlsn, Lsn)> {
        self.resolve(0, 0)
    }

    /// The last entry.
    #[must_use]
    pub const fn last(&self) -> Option<(Vlsn, Lsn)> {
        self.last
    }

    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.buckets.iter().map(|bucket| bucket.entries.len()).sum()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.buckets.is_empty()
    }

    /// Forgets every entry behind `keep` (all, for `None`).
    pub fn truncate_after(&mut self, keep: Option<Vlsn>) {
        self.last = keep.and_then(|keep| self.floor(keep));
        let Some(keep) = keep else { return self.buckets.clear() };
        self.buckets.truncate(self.buckets_through(keep));
        if let Some(bucket) = self.buckets.back_mut() {
            bucket.entries.truncate(bucket.entries_through(keep));
        }
    }

    /// Forgets every entry before `from`.
    pub fn trim_before(&mut self, from: Vlsn) {
        let Some(before) = from.previous() else { return };
        if self.last.is_none_or(|(last, _)| last <= before) {
            *self = Self::new();
            return;
        }
        let begun = self.buckets_through(before);
        self.buckets.drain(..begun.saturating_sub(1));
        if begun > 0 {
            self.trim_front(before);
        }
    }

    /// Forgets what the first bucket has at or before `before`, which is where it begins or behind that.
    fn trim_front(&mut self, before: Vlsn) {
        let Some(bucket) = self.buckets.front_mut() else { return };
        let gone = bucket.entries_through(before);
        if gone == bucket.entries.len() {
            self.buckets.pop_front();
        } else {
            bucket.trim(gone);
        }
    }

    /// The index as bytes, for [`BucketView`](crate::BucketView).
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let body_bytes =
            BODY_BYTES_BEFORE_BUCKETS + self.buckets.len() * HEAD_BYTES + self.len() * ENTRY_BYTES;
        let mut bytes = layout::begin(MAGIC, body_bytes);
        bytes.extend_from_slice(&(self.buckets.len() as u32).to_le_bytes());
        bytes.extend_from_slice(&(self.len() as u32).to_le_bytes());
        let mut start = 0_u32;
        for bucket in &self.buckets {
            bytes.extend_from_slice(&bucket.first.as_u64().to_le_bytes());
            bytes.extend_from_slice(&bucket.segment.to_le_bytes());
            bytes.extend_from_slice(&start.to_le_bytes());
            start += bucket.entries.len() as u32;
        }
        for entry in self.buckets.iter().flat_map(|bucket| &bucket.entries) {
            bytes.extend_from_slice(&entry.distance.to_le_bytes());
            bytes.extend_from_slice(&entry.offset.to_le_bytes());
        }
        layout::seal(&mut bytes);
        bytes
    }
}

impl Buckets for BucketIndex {
    fn bucket_count(&self) -> usize {
        self.buckets.len()
    }

    fn bucket(&self, bucket: usize) -> Option<BucketHead> {
        let Bucket { first, segment, entries } = self.buckets.get(bucket)?;
        Some(BucketHead { first: *first, segment: *segment, count: entries.len() })
    }

    fn entry(&self, bucket: usize, index: usize) -> Option<BucketEntry> {
        self.buckets.get(bucket)?.entries.get(index).copied()
    }
}

impl Bucket {
    /// How many entries lie at or before `vlsn`, which is where the bucket begins or behind that.
    fn entries_through(&self, vlsn: Vlsn) -> usize {
        let distance = vlsn.since(self.first);
        self.entries.partition_point(|entry| u64::from(entry.distance) <= distance)
    }

    /// Forgets the first `gone` entries, fewer than there are.
    fn trim(&mut self, gone: usize) {
        self.entries.drain(..gone);
        let moved = self.entries[0].distance;
        self.first = self.first.advance(moved.into());
        for entry in &mut self.entries {
            entry.distance -= moved;
        }
    }
}

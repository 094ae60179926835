use crate::buckets::{BucketEntry, BucketHead, Buckets};
use crate::layout::{PRELUDE_BYTES, check_length, u32_at, u64_at};
use crate::{BucketIndex, IndexError, layout};
use quorate_core::{Lsn, Vlsn};

pub(crate) const MAGIC: [u8; 4] = *b"QVLB";
/// Bytes of a body that stand before its first bucket: the counts of buckets and of entries.
pub(crate) const BODY_BYTES_BEFORE_BUCKETS: usize = 2 * size_of::<u32>();
/// A bucket's first VLSN, its segment, and the index of its first entry among all.
pub(crate) const HEAD_BYTES: usize = 2 * size_of::<u64>() + size_of::<u32>();
/// An entry's distance and offset.
pub(crate) const ENTRY_BYTES: usize = 2 * size_of::<u32>();

const SEGMENT_AT: usize = size_of::<u64>();
const START_AT: usize = 2 * size_of::<u64>();

/// An encoded [`BucketIndex`], read where it lies: in a slice, in shared bytes, in a mapped file.
///
/// ```text
///  12        16        20
///  +---------+---------+---------------------------------+--    --+------------------+--
///  | buckets | entries | first VLSN  | segment   | start | ..     |distance | offset | ..
///  +---------+---------+---------------------------------+--    --+------------------+--
///                       once a bucket: 20 B                        once an entry: 8 B
/// ```
///
/// Behind magic, version and checksum; little endian. `start` counts the entries of the buckets before. All
/// bytes are checked once, by [`new`](Self::new). Should they change later, as a mapped file can, results may
/// be wrong, but nothing fails.
#[derive(Clone, Debug)]
pub struct BucketView<B> {
    bytes: B,
    buckets: u32,
    entries: u32,
}

impl<B: AsRef<[u8]>> BucketView<B> {
    /// Checks `bytes`, in time linear in their length.
    ///
    /// # Errors
    /// [`IndexError`] if they are not what [`BucketIndex::encode`] makes.
    pub fn new(bytes: B) -> Result<Self, IndexError> {
        let body = layout::open(bytes.as_ref(), MAGIC)?;
        let too_short =
            IndexError::Length { needed: BODY_BYTES_BEFORE_BUCKETS as u64, found: body.len() as u64 };
        let buckets = u32_at(body, 0).ok_or(too_short)?;
        let entries = u32_at(body, size_of::<u32>()).ok_or(too_short)?;
        let heads_bytes = u64::from(buckets) * HEAD_BYTES as u64;
        let entries_bytes = u64::from(entries) * ENTRY_BYTES as u64;
        check_length(body, BODY_BYTES_BEFORE_BUCKETS as u64 + heads_bytes + entries_bytes)?;
        let view = Self { bytes, buckets, entries };
        view.check_order()?;
        Ok(view)
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
    pub fn last(&self) -> Option<(Vlsn, Lsn)> {
        let bucket = self.bucket_count().checked_sub(1)?;
        self.resolve(bucket, self.bucket(bucket)?.count.checked_sub(1)?)
    }

    /// How many entries there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.entries as usize
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.entries == 0
    }

    /// The same index, to be built further.
    #[must_use]
    pub fn to_index(&self) -> BucketIndex {
        let mut index = BucketIndex::new();
        for (vlsn, lsn) in self.positions() {
            if index.can_follow(vlsn, lsn) {
                index.put(vlsn, lsn);
            }
        }
        index
    }

    fn positions(&self) -> impl Iterator<Item = (Vlsn, Lsn)> {
        (0..self.bucket_count()).flat_map(move |bucket| {
            let count = self.bucket(bucket).map_or(0, |head| head.count);
            (0..count).filter_map(move |index| self.resolve(bucket, index))
        })
    }

    fn check_order(&self) -> Result<(), IndexError> {
        let mut index = 0;
        let mut last = None;
        for bucket in 0..self.bucket_count() {
            let out_of_order = |index| IndexError::OutOfOrder { index };
            let head = self.bucket(bucket).ok_or(out_of_order(index))?;
            let starts_here = self.start(bucket) == Some(index);
            let first_is_its_own = self.entry(bucket, 0).is_some_and(|entry| entry.distance == 0);
            if head.count == 0 || !starts_here || !first_is_its_own {
                return Err(out_of_order(index));
            }
            for entry in 0..head.count {
                last = self.check_follows(bucket, head, entry, last).ok_or(out_of_order(index))?;
                index += 1;
            }
        }
        if index == self.entries { Ok(()) } else { Err(IndexError::OutOfOrder { index }) }
    }

    /// The position of an entry, if it is behind `last` in both respects and does not leave the range of
    /// VLSNs.
    fn check_follows(
        &self,
        bucket: usize,
        head: BucketHead,
        index: usize,
        last: Option<(Vlsn, Lsn)>,
    ) -> Option<Option<(Vlsn, Lsn)>> {
        let entry = self.entry(bucket, index)?;
        head.first.as_u64().checked_add(entry.distance.into())?;
        let (vlsn, lsn) = self.resolve(bucket, index)?;
        let follows = last.is_none_or(|(last_vlsn, last_lsn)| last_vlsn < vlsn && last_lsn < lsn);
        follows.then_some(Some((vlsn, lsn)))
    }

    fn head_bytes(&self, bucket: usize) -> Option<&[u8]> {
        let at = PRELUDE_BYTES + BODY_BYTES_BEFORE_BUCKETS + bucket * HEAD_BYTES;
        self.bytes.as_ref().get(at..at + HEAD_BYTES).filter(|_| bucket < self.bucket_count())
    }

    /// Index of a bucket's first entry among all entries; their count, behind the last bucket.
    fn start(&self, bucket: usize) -> Option<u32> {
        if bucket == self.bucket_count() {
            return Some(self.entries);
        }
        u32_at(self.head_bytes(bucket)?, START_AT)
    }
}

impl<B: AsRef<[u8]>> Buckets for BucketView<B> {
    fn bucket_count(&self) -> usize {
        self.buckets as usize
    }

    fn bucket(&self, bucket: usize) -> Option<BucketHead> {
        let head = self.head_bytes(bucket)?;
        let count = self.start(bucket + 1)?.checked_sub(self.start(bucket)?)?;
        let first = Vlsn::new(u64_at(head, 0)?)?;
        Some(BucketHead { first, segment: u64_at(head, SEGMENT_AT)?, count: count as usize })
    }

    fn entry(&self, bucket: usize, index: usize) -> Option<BucketEntry> {
        let heads_end = PRELUDE_BYTES + BODY_BYTES_BEFORE_BUCKETS + self.bucket_count() * HEAD_BYTES;
        let at = heads_end + (self.start(bucket)? as usize + index) * ENTRY_BYTES;
        let entry = self.bytes.as_ref().get(at..at + ENTRY_BYTES)?;
        Some(BucketEntry { distance: u32_at(entry, 0)?, offset: u32_at(entry, size_of::<u32>())? })
    }
}

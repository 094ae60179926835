use quorate_core::{Lsn, Vlsn};

/// A bucket: entries of one segment whose VLSNs lie close enough together for 32 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BucketHead {
    /// The first entry's position.
    pub(crate) first: Vlsn,
    /// The segment of all its entries.
    pub(crate) segment: u64,
    /// How many entries there are.
    pub(crate) count: usize,
}

/// An entry within a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BucketEntry {
    /// How far its VLSN is behind the bucket's first.
    pub(crate) distance: u32,
    /// Its offset in the bucket's segment in bytes.
    pub(crate) offset: u32,
}

/// Buckets wherever they lie, and the searches that are the same everywhere. Buckets and entries are in VLSN
/// order; no bucket is empty.
pub(crate) trait Buckets {
    fn bucket_count(&self) -> usize;
    fn bucket(&self, bucket: usize) -> Option<BucketHead>;
    fn entry(&self, bucket: usize, index: usize) -> Option<BucketEntry>;

    /// The last entry at or before `vlsn`.
    fn find_floor(&self, vlsn: Vlsn) -> Option<(Vlsn, Lsn)> {
        let bucket = self.buckets_through(vlsn).checked_sub(1)?;
        let head = self.bucket(bucket)?;
        self.resolve(bucket, self.entries_through(bucket, head, vlsn).checked_sub(1)?)
    }

    /// The first entry at or behind `vlsn`.
    fn find_ceiling(&self, vlsn: Vlsn) -> Option<(Vlsn, Lsn)> {
        let before = match vlsn.previous() {
            Some(previous) => self.buckets_through(previous),
            None => 0,
        };
        let Some(bucket) = before.checked_sub(1) else { return self.resolve(0, 0) };
        let head = self.bucket(bucket)?;
        let index = self.entries_through(bucket, head, vlsn.previous()?);
        if index < head.count { self.resolve(bucket, index) } else { self.resolve(bucket + 1, 0) }
    }

    /// How many buckets begin at or before `vlsn`.
    fn buckets_through(&self, vlsn: Vlsn) -> usize {
        count_while(self.bucket_count(), |bucket| self.bucket(bucket).is_some_and(|head| head.first <= vlsn))
    }

    /// How many entries of a bucket, which begins at or before `vlsn`, lie at or before `vlsn`.
    fn entries_through(&self, bucket: usize, head: BucketHead, vlsn: Vlsn) -> usize {
        let distance = vlsn.since(head.first);
        count_while(head.count, |index| {
            self.entry(bucket, index).is_some_and(|entry| u64::from(entry.distance) <= distance)
        })
    }

    fn resolve(&self, bucket: usize, index: usize) -> Option<(Vlsn, Lsn)> {
        let head = self.bucket(bucket)?;
        let entry = self.entry(bucket, index)?;
        let lsn = Lsn { segment: head.segment, offset: entry.offset };
        Some((head.first.advance(entry.distance.into()), lsn))
    }
}

/// How many of `0..count` satisfy a condition that holds for the first ones and not for the rest.
fn count_while(count: usize, holds: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (0, count);
    while low < high {
        let middle = low + (high - low) / 2;
        if holds(middle) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

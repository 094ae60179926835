use crate::{EntryId, EntryKind, Requirement, Term, Vlsn};
use alloc::sync::Arc;
use bytes::Bytes;

/// Consecutive entries of a batch that share term, kind and requirement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// The first entry of the run; it lasts until the next run, or the batch's end.
    pub first: Vlsn,
    /// Their term.
    pub term: Term,
    /// Their kind.
    pub kind: EntryKind,
    /// Their requirement.
    pub requirement: Requirement,
}

/// A contiguous, non-empty run of frames, encoded once, and what there is to know of it without decoding it again.
///
/// Made by `quorate-codec` only (by its encoder, or by its decoder after every check), so whoever holds one may rely on:
/// 1. VLSNs are dense from [`first`](Self::first) to [`last`](Self::last). 2. Terms never decrease. 3. Both checksums of every
///    frame were right. 4. `offsets` has one offset a frame, `runs` starts at `first`.
///
/// Cloning shares all memory.
#[derive(Clone)]
pub struct Batch {
    frames: Bytes,
    offsets: Arc<[u32]>,
    runs: Arc<[Run]>,
    chain_before: u32,
    chain_after: u32,
}

impl Batch {
    /// Puts a batch together. For `quorate-codec`, which has established the guarantees above.
    ///
    /// # Panics
    /// If `offsets` or `runs` is empty: a bug of the caller.
    #[must_use]
    pub fn new(
        frames: Bytes,
        offsets: Arc<[u32]>,
        runs: Arc<[Run]>,
        chain_before: u32,
        chain_after: u32,
    ) -> Self {
        assert!(!offsets.is_empty() && !runs.is_empty(), "a batch holds at least one frame");
        Self { frames, offsets, runs, chain_before, chain_after }
    }

    /// Position of the first entry.
    #[must_use]
    pub fn first(&self) -> Vlsn {
        self.runs[0].first
    }

    /// The last entry.
    #[must_use]
    pub fn last(&self) -> EntryId {
        let vlsn = self.first().advance(self.offsets.len() as u64 - 1);
        EntryId { term: self.runs[self.runs.len() - 1].term, vlsn }
    }

    /// How many entries there are, at least 1.
    #[must_use]
    pub fn count(&self) -> usize {
        self.offsets.len()
    }

    /// All frames, one behind the other, as they stand on every disk and wire.
    #[must_use]
    pub const fn frames(&self) -> &Bytes {
        &self.frames
    }

    /// Length of all frames in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.frames.len()
    }

    /// Where each frame begins within [`frames`](Self::frames), in bytes.
    #[must_use]
    pub fn offsets(&self) -> &[u32] {
        &self.offsets
    }

    /// The runs of equal term, kind and requirement, in order.
    #[must_use]
    pub fn runs(&self) -> &[Run] {
        &self.runs
    }

    /// Header checksum of the frame before the first one: the seed of the chain (0 before VLSN 1).
    #[must_use]
    pub const fn chain_before(&self) -> u32 {
        self.chain_before
    }

    /// Header checksum of the last frame.
    #[must_use]
    pub const fn chain_after(&self) -> u32 {
        self.chain_after
    }

    /// The bytes of the frame at `vlsn`, or `None` if it is not in this batch.
    #[must_use]
    pub fn frame(&self, vlsn: Vlsn) -> Option<Bytes> {
        let index = usize::try_from(vlsn.as_u64().checked_sub(self.first().as_u64())?).ok()?;
        let start = *self.offsets.get(index)? as usize;
        let end = self.offsets.get(index + 1).map_or(self.frames.len(), |end| *end as usize);
        Some(self.frames.slice(start..end))
    }

    /// Whether some entry's copy on a replica counts before it is fsynced.
    #[must_use]
    pub fn has_relaxed_replica_entry(&self) -> bool {
        self.runs.iter().any(|run| !run.requirement.replica_sync)
    }

    /// Whether some entry needs an fsync, on the master (`local`) or on a replica, before it counts there.
    #[must_use]
    pub fn needs_sync(&self, local: bool) -> bool {
        self.runs
            .iter()
            .any(|run| if local { run.requirement.local_sync } else { run.requirement.replica_sync })
    }
}

impl core::fmt::Debug for Batch {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "[{}..{:?}, {} B]", self.first(), self.last(), self.bytes())
    }
}

use crate::header;
use crate::runs;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;
use quorate_core::{Batch, Run, Vlsn};

/// The entries of a batch from `from` on, or `None` if there is none. The whole batch if it begins at `from`
/// or behind it.
#[must_use]
pub fn suffix(batch: &Batch, from: Vlsn) -> Option<Batch> {
    let start = frames_before(batch, from);
    (start < batch.count()).then(|| part(batch, start..batch.count()))
}

/// The entries of a batch up to and including `through`, or `None` if there is none.
#[must_use]
pub fn prefix(batch: &Batch, through: Vlsn) -> Option<Batch> {
    let end = frames_before(batch, through.next());
    (end > 0).then(|| part(batch, 0..end))
}

/// Cuts a batch at a frame border so that the first part has `bytes_max` bytes at most, but one frame at
/// least.
#[must_use]
pub fn split_at_bytes(batch: &Batch, bytes_max: usize) -> (Batch, Option<Batch>) {
    if batch.bytes() <= bytes_max {
        return (batch.clone(), None);
    }
    // A frame fits if the next one begins within the limit; the last one does not, since the batch does not.
    let fitting = batch.offsets().partition_point(|offset| *offset as usize <= bytes_max) - 1;
    let end = fitting.max(1);
    let rest = (end < batch.count()).then(|| part(batch, end..batch.count()));
    (part(batch, 0..end), rest)
}

/// How many frames of the batch stand before `vlsn`.
fn frames_before(batch: &Batch, vlsn: Vlsn) -> usize {
    vlsn.since(batch.first()).min(batch.count() as u64) as usize
}

/// The frames with these indices, at least one; the memory of the frames is shared.
fn part(batch: &Batch, frames: Range<usize>) -> Batch {
    if frames.len() == batch.count() {
        return batch.clone();
    }
    let first = batch.first().advance(frames.start as u64);
    let last = batch.first().advance(frames.end as u64 - 1);
    let start = batch.offsets()[frames.start];
    let end = batch.offsets().get(frames.end).map_or(batch.bytes(), |end| *end as usize);
    let offsets: Vec<u32> = batch.offsets()[frames.clone()].iter().map(|offset| offset - start).collect();
    Batch::new(
        batch.frames().slice(start as usize..end),
        Arc::from(offsets),
        runs_between(batch.runs(), first, last),
        chain_before(batch, frames.start),
        chain_before(batch, frames.end),
    )
}

/// Header checksum of the frame before the one with this index, which may be one past the last.
fn chain_before(batch: &Batch, index: usize) -> u32 {
    match index.checked_sub(1) {
        Some(previous) => header::checksum_of(&batch.frames()[batch.offsets()[previous] as usize..]),
        None => batch.chain_before(),
    }
}

fn runs_between(all: &[Run], first: Vlsn, last: Vlsn) -> Arc<[Run]> {
    let mut kept: Vec<Run> = all[runs::index_of(all, first)..=runs::index_of(all, last)].to_vec();
    kept[0].first = first;
    Arc::from(kept)
}

use crate::{HEADER_BYTES, header};
use bytes::Bytes;
use quorate_core::{Batch, EntryId, EntryKind, Requirement};

/// One entry, taken out of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Which entry it is.
    pub id: EntryId,
    /// What it is for.
    pub kind: EntryKind,
    /// How durable its copies must be before they count.
    pub requirement: Requirement,
    /// When the master took it, in microseconds since the Unix epoch by its wall clock.
    pub timestamp_micros: u64,
    /// What was proposed: a part of the batch's memory, shared with it.
    pub payload: Bytes,
}

/// The entries of a batch, in order.
pub fn frames(batch: &Batch) -> impl Iterator<Item = Frame> {
    let all = batch.frames();
    let ends = batch.offsets().iter().skip(1).map(|end| *end as usize).chain([all.len()]);
    let bounds = batch.offsets().iter().map(|start| *start as usize).zip(ends);
    let mut runs = batch.runs().iter().peekable();
    let mut current = batch.runs()[0];
    bounds.zip(0..).map(move |((start, end), index)| {
        let vlsn = batch.first().advance(index);
        if let Some(run) = runs.next_if(|run| run.first <= vlsn) {
            current = *run;
        }
        Frame {
            id: EntryId { term: current.term, vlsn },
            kind: current.kind,
            requirement: current.requirement,
            timestamp_micros: header::timestamp_of(&all[start..end]),
            payload: all.slice(start + HEADER_BYTES..end),
        }
    })
}

//! Finds out what a segment holds, from its bytes alone.
//!
//! The blocks of a write that nobody synced persist in any order, so a good frame behind a bad one proves
//! nothing. What proves something is a later group header, or the next segment's: it says what had been
//! durable when it was written. A bad entry that had been durable is *damage*; it is reported, and what
//! stands behind it is kept. The first bad group that had not been durable is a torn write; the log ends
//! before it.

mod groups;
mod walk;

use crate::group_header::GroupHeader;
use crate::segment_header::SegmentHeader;
use quorate_core::{DamagedRange, Term, Vlsn};
use quorate_vlsn::DenseIndex;
use std::ops::Range;
use walk::Walk;

/// What follows the last entry of a segment, where that is known from elsewhere: from the next segment's
/// header, or from memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Follows {
    /// The entry behind the last; everything before it had been durable, or is known to have been written.
    pub(crate) first: Vlsn,
    /// Term of the last entry.
    pub(crate) term_before: Term,
    /// Header checksum of the last frame.
    pub(crate) chain_before: u32,
}

impl From<&SegmentHeader> for Follows {
    fn from(next: &SegmentHeader) -> Self {
        Self { first: next.first, term_before: next.term_before, chain_before: next.chain_before }
    }
}

/// What a segment holds.
#[derive(Debug)]
pub(crate) struct Scan {
    /// Where each frame stands. A damaged one that cannot be located has a place within the damage.
    pub(crate) index: DenseIndex,
    /// The first entry of each term; where damage hides it, the damage counts for the later term, so that
    /// nobody takes it for a match.
    pub(crate) terms: Vec<(Term, Vlsn)>,
    pub(crate) damaged: Vec<DamagedRange>,
    /// Header checksum of the last frame.
    pub(crate) chain: u32,
    /// Where the next group goes, in bytes.
    pub(crate) end: usize,
    /// The next group's number.
    pub(crate) group_next: u32,
    /// What the group headers say was durable.
    pub(crate) durable: Option<Vlsn>,
    /// Bytes behind the end, left by a torn write, that look like a group.
    pub(crate) torn: Option<Range<usize>>,
    /// Where the first group begins of which no header says that it was durable; beyond the end, if there is
    /// none.
    pub(crate) unproven: usize,
    /// Durable entries stood behind the end.
    pub(crate) lost_durable_end: bool,
}

/// Scans a segment. `follows` is `None` for the last one, whose end the scan is to find.
///
/// `None` where the damage hides so much that the entries cannot even be counted.
pub(crate) fn scan(bytes: &[u8], header: &SegmentHeader, follows: Option<Follows>) -> Option<Scan> {
    let groups = groups::find(bytes, header);
    let stated = groups.iter().map(|group| group.durable).max().flatten();
    let durable = match follows {
        Some(follows) => follows.first.previous(),
        None => stated.max(header.first.previous()),
    };
    let mut walk = Walk::new(bytes, header, durable, follows);
    let mut taken = 0;
    for group in &groups {
        if !walk.take(group)? {
            break;
        }
        taken += 1;
    }
    let torn = if follows.is_none() { torn(walk.end()..bytes.len(), &groups[taken..]) } else { None };
    let group_next = groups[..taken].last().map_or(0, |group| group.number + 1);
    let unproven = groups[..taken].iter().find(|group| group.count > 0 && Some(group.first) > stated);
    walk.finish(Scan {
        unproven: unproven.map_or(usize::MAX, |group| group.offset as usize),
        index: DenseIndex::new(header.first),
        terms: Vec::new(),
        damaged: Vec::new(),
        chain: header.chain_before,
        end: 0,
        group_next,
        durable: stated,
        torn,
        lost_durable_end: false,
    })
}

/// What the dropped groups take of the rest of a segment.
fn torn(rest: Range<usize>, dropped: &[GroupHeader]) -> Option<Range<usize>> {
    dropped.iter().map(GroupHeader::end).max().map(|last| rest.start..last.min(rest.end))
}

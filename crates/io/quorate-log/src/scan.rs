//! Finds out what a segment holds, from its bytes alone.
//!
//! The blocks of a write that nobody synced persist in any order, so a good frame behind a bad one proves
//! nothing. What proves something is a later group header, or the next segment's: it says what had been
//! durable when it was written. A bad entry that had been durable is *damage*; it is reported, and what
//! stands behind it is kept. The first bad group that had not been durable is a torn write; the log ends
//! before it.

mod contents;
mod groups;
mod walk;

pub(crate) use contents::Contents;

use crate::config::LogConfig;
use crate::group_header::GroupHeader;
use crate::segment_header::SegmentHeader;
use groups::Groups;
use quorate_codec::HEADER_BYTES;
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

/// No segment holds more entries: a frame has a header at least.
const ENTRIES_MAX: u64 = LogConfig::SEGMENT_BYTES_MAX as u64 / HEADER_BYTES as u64;

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
    /// Bytes behind the end, left by a torn write or an earlier one, that look like groups.
    pub(crate) torn: Option<Range<usize>>,
    /// Where the first group begins of which no header says that it was durable; beyond the end, if there is
    /// none.
    pub(crate) unproven: usize,
    /// Durable entries stood behind the end.
    pub(crate) lost_durable_end: bool,
    /// Only what stands behind the end tells that the last entries had been durable: the header of their
    /// group is lost or announces more than there is, or they are damaged and no header before the end speaks
    /// of them.
    pub(crate) leans_on_rest: bool,
}

impl Scan {
    /// What stands behind the end must stay as it is until the next segment's header says where the log ends.
    pub(crate) const fn needs_cut(&self) -> bool {
        self.lost_durable_end || self.leans_on_rest
    }
}

/// Scans a segment. `follows` is `None` for the last one, whose end the scan is to find.
///
/// `None` where the damage hides so much that the entries cannot even be counted.
pub(crate) fn scan(contents: &Contents, header: &SegmentHeader, follows: Option<Follows>) -> Option<Scan> {
    if follows.is_some_and(|follows| follows.first.since(header.first) > ENTRIES_MAX) {
        return None;
    }
    let Groups { in_order: groups, stated, strays_end } = &contents.groups;
    let stated = *stated;
    let durable = match follows {
        Some(follows) => follows.first.previous(),
        None => stated.max(header.first.previous()),
    };
    let mut walk = Walk::new(contents, header, durable, follows);
    let mut taken = 0;
    for group in groups {
        if !walk.take(group)? {
            break;
        }
        taken += 1;
    }
    let rest = walk.end()..contents.segment_bytes;
    let torn = if follows.is_none() { torn(rest, &groups[taken..], *strays_end) } else { None };
    let group_next = groups[..taken].last().map_or(0, |group| group.number + 1);
    let stated_before_end = groups[..taken].iter().map(|group| group.durable).max().flatten();
    let unproven = groups[..taken].iter().find(|group| group.count > 0 && Some(group.first) > stated);
    walk.finish(
        stated_before_end,
        Scan {
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
            leans_on_rest: false,
        },
    )
}

/// What the dropped groups, and those out of order, take of the rest of a segment.
fn torn(rest: Range<usize>, dropped: &[GroupHeader], strays_end: usize) -> Option<Range<usize>> {
    let end = dropped.iter().map(GroupHeader::end).fold(strays_end, usize::max).min(rest.end);
    (end > rest.start).then_some(rest.start..end)
}

use crate::group_header::{GROUP_ALIGNMENT, GROUP_HEADER_BYTES, GroupHeader};
use crate::segment_header::{SEGMENT_HEADER_BYTES, SegmentHeader};
use quorate_core::Vlsn;

/// All group headers that were written for the place where they stand.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Groups {
    /// Those that can follow each other, in order.
    pub(super) in_order: Vec<GroupHeader>,
    /// The last entry of which any header, in order or not, says that it had been durable. That stays true as
    /// long as the segment has its generation.
    pub(super) stated: Option<Vlsn>,
    /// Where the last group ends that is out of order, in bytes.
    pub(super) strays_end: usize,
}

impl Groups {
    /// Where the last one in order ends, or the segment's header if there is none, in bytes.
    pub(super) fn end(&self) -> usize {
        self.in_order.last().map_or(SEGMENT_HEADER_BYTES, GroupHeader::end)
    }

    /// Takes in a header and says where to go on.
    fn take(&mut self, group: GroupHeader, segment_bytes: usize) -> usize {
        self.stated = self.stated.max(group.durable);
        let number_min = self.in_order.last().map_or(0, |last| last.number + 1);
        let fits = group.frames_at() + group.bytes as usize <= segment_bytes;
        if fits && group.number >= number_min && group.number < u32::MAX {
            self.in_order.push(group);
            group.end()
        } else {
            self.strays_end = self.strays_end.max(group.end());
            group.offset as usize + GROUP_ALIGNMENT
        }
    }
}

/// The search for the groups of a segment, one window after the other. Where a header is missing or damaged, it
/// goes on behind it.
pub(super) struct Search<'a> {
    header: &'a SegmentHeader,
    segment_bytes: usize,
    /// Where the next header may stand, in bytes from the segment's beginning.
    offset: usize,
    found: Groups,
}

impl<'a> Search<'a> {
    pub(super) fn new(header: &'a SegmentHeader, segment_bytes: usize) -> Self {
        Self { header, segment_bytes, offset: SEGMENT_HEADER_BYTES, found: Groups::default() }
    }

    /// Where the next window is to begin; at the segment's end or near it if there is nothing more to find.
    pub(super) const fn offset(&self) -> usize {
        self.offset
    }

    /// Looks at what stands from [`offset`](Self::offset) on.
    pub(super) fn look(&mut self, window: &[u8]) {
        let start = self.offset;
        while let Some(rest) = window.get(self.offset - start..)
            && let Some(room) = rest.len().checked_sub(GROUP_HEADER_BYTES)
        {
            let places = room / GROUP_ALIGNMENT + 1;
            let words = rest.chunks_exact(GROUP_ALIGNMENT).take(places);
            let passed = words.take_while(|word| !GroupHeader::may_begin(word)).count();
            self.offset += passed * GROUP_ALIGNMENT;
            if passed == places {
                return;
            }
            let group = GroupHeader::decode(&rest[passed * GROUP_ALIGNMENT..], self.offset, self.header);
            self.offset = match group {
                Some(group) => self.found.take(group, self.segment_bytes),
                None => self.offset + GROUP_ALIGNMENT,
            };
        }
    }

    pub(super) fn finish(self) -> Groups {
        self.found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quorate_core::Term;

    const HEADER: SegmentHeader = SegmentHeader {
        identity: 7,
        number: 3,
        generation: 2,
        first: Vlsn::FIRST,
        term_before: Term::ZERO,
        chain_before: 0,
    };

    fn group(offset: usize, number: u32, bytes: u32) -> GroupHeader {
        GroupHeader {
            offset: offset as u32,
            bytes,
            number,
            count: 1,
            chain_before: 0,
            missing: false,
            durable: Vlsn::new(number.into()),
            first: Vlsn::new(u64::from(number) + 1).unwrap(),
        }
    }

    fn search(segment: &[u8], window_bytes: usize) -> Groups {
        let mut search = Search::new(&HEADER, segment.len());
        while let Some(rest) = segment.get(search.offset()..).filter(|rest| rest.len() >= GROUP_HEADER_BYTES)
        {
            search.look(&rest[..window_bytes.min(rest.len())]);
        }
        search.finish()
    }

    #[test]
    fn windows_of_any_length_find_every_group() {
        let (mut segment, mut offset, mut written) = (vec![0; 64 << 10], SEGMENT_HEADER_BYTES, Vec::new());
        for (number, bytes) in (0..).zip([1, 8, 400, 30_000, 17, 4_096, 3]) {
            written.push(group(offset, number, bytes));
            offset = written[written.len() - 1].end();
            // What a torn write, or another use of the file, has left between two groups.
            segment[offset..offset + 40].copy_from_slice(&group(8, 1, 1).encode(&HEADER)[..40]);
            offset += GROUP_ALIGNMENT * number as usize;
        }
        let last = group((64 << 10) - GROUP_HEADER_BYTES - 8, 9, 8);
        let stray = group(40 << 10, 4, 500);
        for header in written.iter().chain([&stray, &last]) {
            let place = header.offset as usize..header.frames_at();
            segment[place].copy_from_slice(&header.encode(&HEADER));
        }
        let in_order = written.into_iter().chain([last]).collect();
        let expected = Groups { in_order, stated: Vlsn::new(9), strays_end: stray.end() };
        for window_bytes in (GROUP_HEADER_BYTES..400).chain([4_096, 30_001, 64 << 10]) {
            assert_eq!(search(&segment, window_bytes), expected, "windows of {window_bytes} bytes");
        }
    }
}

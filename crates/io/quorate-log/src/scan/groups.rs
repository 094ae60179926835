use crate::group_header::{GROUP_ALIGNMENT, GroupHeader};
use crate::segment_header::{SEGMENT_HEADER_BYTES, SegmentHeader};
use quorate_core::Vlsn;

/// All group headers that were written for the place where they stand.
#[derive(Debug, Default)]
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
    /// Searches a segment. Where a header is missing or damaged, the search goes on behind it.
    pub(super) fn find(bytes: &[u8], header: &SegmentHeader) -> Self {
        let mut groups = Self::default();
        let mut offset = SEGMENT_HEADER_BYTES;
        while offset < bytes.len() {
            let group = GroupHeader::decode(bytes, offset, header);
            offset = match group {
                Some(group) => groups.take(group, bytes.len()),
                None => offset + GROUP_ALIGNMENT,
            };
        }
        groups
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

use crate::group_header::{GROUP_ALIGNMENT, GroupHeader};
use crate::segment_header::{SEGMENT_HEADER_BYTES, SegmentHeader};

/// All group headers that were written for the place where they stand, in order. Where one is missing or
/// damaged, the search goes on behind it.
pub(super) fn find(bytes: &[u8], header: &SegmentHeader) -> Vec<GroupHeader> {
    let mut groups: Vec<GroupHeader> = Vec::new();
    let mut offset = SEGMENT_HEADER_BYTES;
    let mut number_min = 0;
    while let Some(group) = next(bytes, offset, number_min, header) {
        offset = group.end();
        number_min = group.number.saturating_add(1);
        groups.push(group);
    }
    groups
}

fn next(bytes: &[u8], offset: usize, number_min: u32, header: &SegmentHeader) -> Option<GroupHeader> {
    (offset..bytes.len()).step_by(GROUP_ALIGNMENT).find_map(|offset| {
        let group = GroupHeader::decode(bytes, offset, header)?;
        let fits = group.frames_at() + group.bytes as usize <= bytes.len();
        (fits && group.number >= number_min && group.number < u32::MAX).then_some(group)
    })
}

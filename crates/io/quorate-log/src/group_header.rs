use crate::fields::{Fields, PutFields};
use crate::segment_header::SegmentHeader;
use quorate_core::Vlsn;

/// What every write to a segment begins with. It is local to the node, outside frames and chain.
///
/// | offset | bytes | field |
/// |---|---|---|
/// | 0 | 4 | magic, its last byte the version |
/// | 4 | 4 | checksum (CRC-32C) of all that follows in the header |
/// | 8 | 8 | the log's identity, its lower half |
/// | 16 | 8 | number of the segment |
/// | 24 | 8 | generation of the segment |
/// | 32 | 4 | offset of this header in the segment |
/// | 36 | 4 | length of what follows the header |
/// | 40 | 4 | the group's number |
/// | 44 | 4 | how many entries; each takes a byte at least |
/// | 48 | 4 | header checksum of the frame before |
/// | 52 | 4 | 1 if the entries are missing, else 0 |
/// | 56 | 8 | the last entry that was durable before this write, or 0 |
/// | 64 | 8 | the first entry |
/// | 72 | | frames |
///
/// Identity, segment, generation and offset say that the bytes were written for this place: what a file held
/// before it was used again, or what was meant for another place, is never taken for a group. `durable`
/// tells a torn tail from damage: what it covers had been fsynced when this group was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct GroupHeader {
    /// Where this header stands in the segment, in bytes.
    pub(crate) offset: u32,
    /// Length of what follows, in bytes.
    pub(crate) bytes: u32,
    /// Counted from 0 in each segment, without gaps.
    pub(crate) number: u32,
    /// How many entries the group has. None: it only says what is durable.
    pub(crate) count: u32,
    /// Header checksum of the frame before the first one.
    pub(crate) chain_before: u32,
    /// The entries were damaged and could not be copied when this segment was rewritten; zeros stand in
    /// their place.
    pub(crate) missing: bool,
    /// The last entry that was durable before this write.
    pub(crate) durable: Option<Vlsn>,
    /// The first entry of the group, or the one that would be next.
    pub(crate) first: Vlsn,
}

pub(crate) const GROUP_HEADER_BYTES: usize = 72;
/// Groups begin at multiples of this.
pub(crate) const GROUP_ALIGNMENT: usize = 8;
const CHECKED_AT: usize = 8;
/// The name of this format, its version in the last byte.
const MAGIC: &[u8; 4] = b"QGR\x01";

impl GroupHeader {
    pub(crate) fn encode(&self, segment: &SegmentHeader) -> [u8; GROUP_HEADER_BYTES] {
        let mut checked = Vec::with_capacity(GROUP_HEADER_BYTES);
        checked.put_u64(segment.identity as u64);
        checked.put_u64(segment.number);
        checked.put_u64(segment.generation);
        checked.put_u32(self.offset);
        checked.put_u32(self.bytes);
        checked.put_u32(self.number);
        checked.put_u32(self.count);
        checked.put_u32(self.chain_before);
        checked.put_u32(self.missing.into());
        checked.put_u64(Vlsn::number(self.durable));
        checked.put_u64(self.first.as_u64());
        let mut bytes = [0; GROUP_HEADER_BYTES];
        bytes[..4].copy_from_slice(MAGIC);
        bytes[4..CHECKED_AT].copy_from_slice(&crc32c::crc32c(&checked).to_le_bytes());
        bytes[CHECKED_AT..].copy_from_slice(&checked);
        bytes
    }

    /// Whether these bytes may be the beginning of a header.
    pub(crate) fn may_begin(bytes: &[u8]) -> bool {
        bytes.starts_with(MAGIC)
    }

    /// The header with which `bytes` begin, if it was written for their place: `offset` in this segment.
    pub(crate) fn decode(bytes: &[u8], offset: usize, segment: &SegmentHeader) -> Option<Self> {
        let bytes = bytes.get(..GROUP_HEADER_BYTES)?;
        let mut fields = Fields::new(bytes);
        if fields.bytes(MAGIC.len())? != MAGIC || fields.u32()? != crc32c::crc32c(&bytes[CHECKED_AT..]) {
            return None;
        }
        let place = (fields.u64()?, fields.u64()?, fields.u64()?, fields.u32()? as usize);
        if place != (segment.identity as u64, segment.number, segment.generation, offset) {
            return None;
        }
        let header = Self {
            offset: offset as u32,
            bytes: fields.u32()?,
            number: fields.u32()?,
            count: fields.u32()?,
            chain_before: fields.u32()?,
            missing: fields.u32()? == 1,
            durable: Vlsn::new(fields.u64()?),
            first: Vlsn::new(fields.u64()?)?,
        };
        (header.count <= header.bytes).then_some(header)
    }

    /// Where the frames begin.
    pub(crate) const fn frames_at(&self) -> usize {
        self.offset as usize + GROUP_HEADER_BYTES
    }

    /// Where the next group begins.
    pub(crate) const fn end(&self) -> usize {
        (self.frames_at() + self.bytes as usize).next_multiple_of(GROUP_ALIGNMENT)
    }

    /// The entry behind the last.
    pub(crate) fn next(&self) -> Vlsn {
        self.first.advance(self.count.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quorate_core::Term;

    #[test]
    fn a_header_is_read_only_at_the_place_for_which_it_was_written() {
        let here = SegmentHeader {
            identity: 7,
            number: 3,
            generation: 2,
            first: Vlsn::FIRST,
            term_before: Term::ZERO,
            chain_before: 0,
        };
        let header = GroupHeader {
            offset: 16,
            bytes: 100,
            number: 4,
            count: 2,
            chain_before: 9,
            missing: false,
            durable: Vlsn::new(5),
            first: Vlsn::FIRST,
        };
        let mut bytes = [0; 200];
        bytes[16..88].copy_from_slice(&header.encode(&here));
        assert_eq!(GroupHeader::decode(&bytes[16..], 16, &here), Some(header));
        let elsewhere = [
            SegmentHeader { identity: 8, ..here },
            SegmentHeader { number: 4, ..here },
            SegmentHeader { generation: 3, ..here },
        ];
        for segment in elsewhere {
            assert_eq!(GroupHeader::decode(&bytes[16..], 16, &segment), None, "{segment:?}");
        }
        bytes.copy_within(16..88, 24);
        assert_eq!(GroupHeader::decode(&bytes[24..], 24, &here), None, "moved by some bytes");
        bytes[90] ^= 1;
        assert_eq!(GroupHeader::decode(&bytes[16..], 16, &here), None, "overwritten by the copy");
    }
}

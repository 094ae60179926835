use crate::fields::{Fields, PutFields};
use quorate_core::{EntryId, Term, Vlsn};

/// What a segment file begins with. It stands there twice, in blocks of its own, so that one damaged block
/// does no harm.
///
/// | offset | bytes | field |
/// |---|---|---|
/// | 0 | 8 | magic, its last byte the version |
/// | 8 | 4 | checksum (CRC-32C) of all that follows up to 64 |
/// | 12 | 16 | the log's identity |
/// | 28 | 8 | the segment's number |
/// | 36 | 8 | the segment's generation |
/// | 44 | 8 | the first entry that belongs here |
/// | 52 | 8 | term of the entry before it, or 0 |
/// | 60 | 4 | header checksum of the frame before it |
/// | 512 | 64 | the same again |
/// | 1024 | | groups |
///
/// 1. A segment has its name only once its header is durable, and all before its first entry is durable
///    too. 2. It says where the segment before it ends: whatever stands there behind that is no part of the
///    log. 3. A truncation writes a segment of a higher *generation*; segments with a higher number and a
///    lower generation are no part of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SegmentHeader {
    pub(crate) identity: u128,
    /// Counted from 1.
    pub(crate) number: u64,
    pub(crate) generation: u64,
    /// The first entry that belongs here.
    pub(crate) first: Vlsn,
    /// Term of the entry before it; zero before VLSN 1.
    pub(crate) term_before: Term,
    /// Header checksum of the frame before it.
    pub(crate) chain_before: u32,
}

/// The first entry that belongs into a segment with these bytes; `None` if its header cannot be read. For
/// simulators, which damage files and must know what that may cost.
#[cfg(feature = "simulated")]
#[must_use]
pub fn first_entry_of(segment: &[u8]) -> Option<Vlsn> {
    SegmentHeader::decode(segment).map(|header| header.first)
}

/// Where the groups begin.
pub(crate) const SEGMENT_HEADER_BYTES: usize = 1024;
const COPY_AT: usize = 512;
const COPY_BYTES: usize = 64;
const CHECKED_AT: usize = 12;
/// The name of this format, its version in the last byte.
const MAGIC: &[u8; 8] = b"QUORSEG\x01";

impl SegmentHeader {
    /// The entry before the first.
    pub(crate) fn base(&self) -> Option<EntryId> {
        self.first.previous().map(|vlsn| EntryId { term: self.term_before, vlsn })
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut checked = Vec::with_capacity(COPY_BYTES);
        checked.put_u128(self.identity);
        checked.put_u64(self.number);
        checked.put_u64(self.generation);
        checked.put_u64(self.first.as_u64());
        checked.put_u64(self.term_before.as_u64());
        checked.put_u32(self.chain_before);
        let mut copy = Vec::with_capacity(COPY_BYTES);
        copy.put(MAGIC);
        copy.put_u32(crc32c::crc32c(&checked));
        copy.put(&checked);
        let mut bytes = vec![0; SEGMENT_HEADER_BYTES];
        bytes[..copy.len()].copy_from_slice(&copy);
        bytes[COPY_AT..COPY_AT + copy.len()].copy_from_slice(&copy);
        bytes
    }

    /// The header in the first bytes of a segment, or `None` if neither copy is good.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        Self::decode_copy(bytes).or_else(|| Self::decode_copy(bytes.get(COPY_AT..)?))
    }

    fn decode_copy(bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.get(..COPY_BYTES)?;
        let mut fields = Fields::new(bytes);
        if fields.bytes(MAGIC.len())? != MAGIC || fields.u32()? != crc32c::crc32c(&bytes[CHECKED_AT..]) {
            return None;
        }
        let header = Self {
            identity: fields.u128()?,
            number: fields.u64()?,
            generation: fields.u64()?,
            first: Vlsn::new(fields.u64()?)?,
            term_before: Term::from_u64(fields.u64()?),
            chain_before: fields.u32()?,
        };
        let founded = header.first == Vlsn::FIRST;
        (founded == (header.term_before == Term::ZERO) && !(founded && header.chain_before != 0))
            .then_some(header)
    }
}

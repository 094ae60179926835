use crate::FrameError;
use crate::checksum::{checksum, checksum_append};
use quorate_core::{EntryId, EntryKind, Requirement, Term, Vlsn};

/// Length of a frame's header in bytes.
pub const HEADER_BYTES: usize = 40;
/// The largest payload of one entry in bytes, 64 MiB.
pub const PAYLOAD_BYTES_MAX: usize = 64 << 20;
/// The frame format that this crate writes, and the only one that it reads.
pub const FORMAT_VERSION: u8 = 1;

/// The header in words of eight bytes, little endian, each with what it holds from its lowest bit on.
const WORDS: usize = 5;
/// Payload length (32 bits), kind, flags, format version and a zero (8 bits each).
const SHAPE: usize = 0;
const TERM: usize = 1;
const VLSN: usize = 2;
const TIMESTAMP: usize = 3;
/// Payload checksum, header checksum (32 bits each).
const CHECKSUMS: usize = 4;

const KIND_SHIFT: u32 = 32;
const FLAGS_SHIFT: u32 = 40;
const VERSION_SHIFT: u32 = 48;
const RESERVED_SHIFT: u32 = 56;
/// Where the header checksum stands: behind all that it covers.
const CHECKSUM_AT: usize = 36;

const KIND_TERM_START: u8 = 1;
const KIND_DATA: u8 = 2;
const FLAG_LOCAL_SYNC: u8 = 1 << 0;
const FLAG_REPLICA_SYNC: u8 = 1 << 1;

const _: () = assert!(CHECKSUM_AT + size_of::<u32>() == HEADER_BYTES);
const _: () = assert!(WORDS * size_of::<u64>() == HEADER_BYTES);
const _: () = assert!(PAYLOAD_BYTES_MAX + HEADER_BYTES <= u32::MAX as usize);

/// A frame's header: which entry it is, and how to check it.
///
/// [`parse`](Self::parse) judges each field by itself. That the header is undamaged and stands where it
/// should is known only after [`verify_chain`](Self::verify_chain); that the payload is undamaged, only after
/// [`verify_payload`](Self::verify_payload).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Which entry the frame holds.
    pub id: EntryId,
    /// What the entry is for.
    pub kind: EntryKind,
    /// How durable its copies must be before they count.
    pub requirement: Requirement,
    /// When the master took the entry, in microseconds since the Unix epoch by its wall clock. For people to
    /// read; nothing decides by it.
    pub timestamp_micros: u64,
    /// Length of the payload in bytes, [`PAYLOAD_BYTES_MAX`] at most.
    pub payload_bytes: u32,
    /// CRC-32C of the payload.
    pub payload_checksum: u32,
    /// The header's own checksum: the seed of the next frame's.
    pub checksum: u32,
}

impl Header {
    /// Reads the header that `bytes` begin with. What stands behind it is not looked at.
    ///
    /// # Errors
    /// [`FrameError::Truncated`] below [`HEADER_BYTES`] bytes; [`FrameError::Version`],
    /// [`Kind`](FrameError::Kind), [`Flags`](FrameError::Flags), [`Oversized`](FrameError::Oversized),
    /// [`Position`](FrameError::Position) and [`TermZero`](FrameError::TermZero) for a field that no header
    /// has.
    #[inline]
    pub fn parse(bytes: &[u8]) -> Result<Self, FrameError> {
        let Some(bytes) = bytes.first_chunk::<HEADER_BYTES>() else {
            return Err(FrameError::Truncated { needed: HEADER_BYTES, found: bytes.len() });
        };
        let words = words(bytes);
        let version = byte_at(words[SHAPE], VERSION_SHIFT);
        if version != FORMAT_VERSION {
            return Err(FrameError::Version { found: version });
        }
        Ok(Self {
            id: parse_id(&words)?,
            kind: parse_kind(words[SHAPE])?,
            requirement: parse_requirement(words[SHAPE])?,
            timestamp_micros: words[TIMESTAMP],
            payload_bytes: parse_payload_bytes(words[SHAPE])?,
            payload_checksum: words[CHECKSUMS] as u32,
            checksum: (words[CHECKSUMS] >> 32) as u32,
        })
    }

    /// Length of the whole frame in bytes.
    #[inline]
    #[must_use]
    pub const fn frame_bytes(&self) -> usize {
        HEADER_BYTES + self.payload_bytes as usize
    }

    /// Checks that the header is undamaged and follows the frame whose header checksum is `chain` (0 before
    /// VLSN 1). `bytes` are those that it was parsed from.
    ///
    /// # Errors
    /// [`FrameError::HeaderChecksum`] if not; [`FrameError::Truncated`] below [`HEADER_BYTES`] bytes.
    #[inline]
    pub fn verify_chain(&self, bytes: &[u8], chain: u32) -> Result<(), FrameError> {
        if checksum_append(chain, covered(bytes)?) == self.checksum {
            Ok(())
        } else {
            Err(FrameError::HeaderChecksum { vlsn: self.id.vlsn })
        }
    }

    /// Checks the payload, which is all that stands in the frame behind the header.
    ///
    /// # Errors
    /// [`FrameError::Truncated`] if it is not as long as announced, [`FrameError::PayloadChecksum`] if it is
    /// damaged.
    #[inline]
    pub fn verify_payload(&self, payload: &[u8]) -> Result<(), FrameError> {
        if payload.len() != self.payload_bytes as usize {
            return Err(FrameError::Truncated { needed: self.payload_bytes as usize, found: payload.len() });
        }
        if checksum(payload) == self.payload_checksum {
            Ok(())
        } else {
            Err(FrameError::PayloadChecksum { id: self.id })
        }
    }

    /// The header checksum that the frame before this one must have, if this header is undamaged: the chain
    /// read backwards, over a frame that cannot be read any more. It proves nothing about this header, since
    /// every header has such a number.
    ///
    /// # Errors
    /// [`FrameError::Truncated`] below [`HEADER_BYTES`] bytes.
    pub fn chain_before(&self, bytes: &[u8]) -> Result<u32, FrameError> {
        let unseeded = checksum(covered(bytes)?);
        Ok(unshift(self.checksum ^ unseeded, CHECKSUM_AT))
    }
}

/// Writes the header of an entry behind a frame whose header checksum is `chain`, and returns its own checksum.
///
/// It is written where it stays. A copy made of it at once would load 16 bytes where words of eight and four were
/// just stored, for which a processor waits until they have reached its cache.
#[inline]
pub(crate) fn encode(
    header: &mut [u8; HEADER_BYTES],
    id: EntryId,
    kind: EntryKind,
    requirement: Requirement,
    timestamp_micros: u64,
    payload: &[u8],
    chain: u32,
) -> u32 {
    put_word(header, SHAPE, shape(kind, requirement, payload.len() as u32));
    put_word(header, TERM, id.term.as_u64());
    put_word(header, VLSN, id.vlsn.as_u64());
    put_word(header, TIMESTAMP, timestamp_micros);
    put_word(header, CHECKSUMS, checksum(payload).into());
    let (covered, rest) = header.split_first_chunk_mut::<CHECKSUM_AT>().expect("a header is longer");
    let own = checksum_append(chain, covered);
    rest.copy_from_slice(&own.to_le_bytes());
    own
}

/// The timestamp of an encoded frame that has been checked.
pub(crate) fn timestamp_of(frame: &[u8]) -> u64 {
    word(frame, TIMESTAMP)
}

/// The header checksum of an encoded frame that has been checked.
pub(crate) fn checksum_of(frame: &[u8]) -> u32 {
    (word(frame, CHECKSUMS) >> 32) as u32
}

#[inline]
fn covered(bytes: &[u8]) -> Result<&[u8; CHECKSUM_AT], FrameError> {
    bytes.first_chunk().ok_or(FrameError::Truncated { needed: HEADER_BYTES, found: bytes.len() })
}

#[inline]
fn parse_id(words: &[u64; WORDS]) -> Result<EntryId, FrameError> {
    let number = words[VLSN];
    // The last number has no successor, so that it could stand twice in a run that counts as dense.
    let Some(vlsn) = Vlsn::new(number).filter(|_| number < u64::MAX) else {
        return Err(FrameError::Position { number });
    };
    let term = Term::from_u64(words[TERM]);
    if term == Term::ZERO {
        return Err(FrameError::TermZero { vlsn });
    }
    Ok(EntryId { term, vlsn })
}

#[inline]
const fn parse_kind(shape: u64) -> Result<EntryKind, FrameError> {
    match byte_at(shape, KIND_SHIFT) {
        KIND_TERM_START => Ok(EntryKind::TermStart),
        KIND_DATA => Ok(EntryKind::Data),
        found => Err(FrameError::Kind { found }),
    }
}

#[inline]
const fn parse_requirement(shape: u64) -> Result<Requirement, FrameError> {
    let (flags, reserved) = (byte_at(shape, FLAGS_SHIFT), byte_at(shape, RESERVED_SHIFT));
    if flags & !(FLAG_LOCAL_SYNC | FLAG_REPLICA_SYNC) != 0 || reserved != 0 {
        return Err(FrameError::Flags { found: u16::from_le_bytes([flags, reserved]) });
    }
    Ok(Requirement { local_sync: flags & FLAG_LOCAL_SYNC != 0, replica_sync: flags & FLAG_REPLICA_SYNC != 0 })
}

#[inline]
const fn parse_payload_bytes(shape: u64) -> Result<u32, FrameError> {
    let length = shape as u32;
    if length as usize > PAYLOAD_BYTES_MAX {
        return Err(FrameError::Oversized { length: length as u64, limit: PAYLOAD_BYTES_MAX as u64 });
    }
    Ok(length)
}

#[inline]
const fn shape(kind: EntryKind, requirement: Requirement, payload_bytes: u32) -> u64 {
    let kind = match kind {
        EntryKind::TermStart => KIND_TERM_START,
        EntryKind::Data => KIND_DATA,
    };
    let local = if requirement.local_sync { FLAG_LOCAL_SYNC } else { 0 };
    let replica = if requirement.replica_sync { FLAG_REPLICA_SYNC } else { 0 };
    payload_bytes as u64
        | (kind as u64) << KIND_SHIFT
        | ((local | replica) as u64) << FLAGS_SHIFT
        | (FORMAT_VERSION as u64) << VERSION_SHIFT
}

/// Takes `bytes` zero bytes back out of a CRC-32C register.
fn unshift(mut register: u32, bytes: usize) -> u32 {
    const POLYNOMIAL_REFLECTED: u32 = 0x82f6_3b78;
    for _ in 0..bytes * 8 {
        let carried = register >> 31;
        register = (register ^ (POLYNOMIAL_REFLECTED * carried)) << 1 | carried;
    }
    register
}

#[inline]
const fn byte_at(word: u64, shift: u32) -> u8 {
    (word >> shift) as u8
}

#[inline]
fn words(bytes: &[u8; HEADER_BYTES]) -> [u64; WORDS] {
    core::array::from_fn(|index| word(bytes, index))
}

#[inline]
fn word(bytes: &[u8], index: usize) -> u64 {
    u64::from_le_bytes(bytes.as_chunks().0[index])
}

#[inline]
fn put_word(bytes: &mut [u8; HEADER_BYTES], index: usize, word: u64) {
    bytes.as_chunks_mut().0[index] = word.to_le_bytes();
}

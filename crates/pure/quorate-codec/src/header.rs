use crate::FrameError;
use quorate_core::{EntryId, EntryKind, Requirement, Term, Vlsn};

/// Length of a frame's header in bytes.
pub const HEADER_BYTES: usize = 40;
/// The largest payload of one entry in bytes, 64 MiB.
pub const PAYLOAD_BYTES_MAX: usize = 64 << 20;
/// The frame format that this crate writes, and the only one that it reads.
pub const FORMAT_VERSION: u8 = 1;

const LENGTH_AT: usize = 0;
const KIND_AT: usize = 4;
const FLAGS_AT: usize = 5;
const VERSION_AT: usize = 6;
const RESERVED_AT: usize = 7;
const TERM_AT: usize = 8;
const VLSN_AT: usize = 16;
const TIMESTAMP_AT: usize = 24;
const PAYLOAD_CHECKSUM_AT: usize = 32;
const CHECKSUM_AT: usize = 36;

const KIND_TERM_START: u8 = 1;
const KIND_DATA: u8 = 2;
const FLAG_LOCAL_SYNC: u8 = 1 << 0;
const FLAG_REPLICA_SYNC: u8 = 1 << 1;

const _: () = assert!(CHECKSUM_AT + size_of::<u32>() == HEADER_BYTES);
const _: () = assert!(VLSN_AT == TERM_AT + size_of::<u64>() && TIMESTAMP_AT == VLSN_AT + size_of::<u64>());
const _: () = assert!(PAYLOAD_BYTES_MAX + HEADER_BYTES <= u32::MAX as usize);

/// A frame's header: which entry it is, and how to check it.
///
/// [`parse`](Self::parse) judges each field by itself. That the header is undamaged and stands where it should is known only after
/// [`verify_chain`](Self::verify_chain); that the payload is undamaged, only after [`verify_payload`](Self::verify_payload).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Which entry the frame holds.
    pub id: EntryId,
    /// What the entry is for.
    pub kind: EntryKind,
    /// How durable its copies must be before they count.
    pub requirement: Requirement,
    /// When the master took the entry, in microseconds since the Unix epoch by its wall clock. For people to read; nothing decides by it.
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
    /// [`FrameError::Truncated`] below [`HEADER_BYTES`] bytes; [`FrameError::Version`], [`Kind`](FrameError::Kind),
    /// [`Flags`](FrameError::Flags), [`Oversized`](FrameError::Oversized), [`Position`](FrameError::Position) and
    /// [`TermZero`](FrameError::TermZero) for a field that no header has.
    pub fn parse(bytes: &[u8]) -> Result<Self, FrameError> {
        let Some(bytes) = bytes.first_chunk::<HEADER_BYTES>() else {
            return Err(FrameError::Truncated { needed: HEADER_BYTES, found: bytes.len() });
        };
        if bytes[VERSION_AT] != FORMAT_VERSION {
            return Err(FrameError::Version { found: bytes[VERSION_AT] });
        }
        Ok(Self {
            id: parse_id(bytes)?,
            kind: parse_kind(bytes)?,
            requirement: parse_requirement(bytes)?,
            timestamp_micros: u64_at(bytes, TIMESTAMP_AT),
            payload_bytes: parse_payload_bytes(bytes)?,
            payload_checksum: u32_at(bytes, PAYLOAD_CHECKSUM_AT),
            checksum: u32_at(bytes, CHECKSUM_AT),
        })
    }

    /// Length of the whole frame in bytes.
    #[must_use]
    pub const fn frame_bytes(&self) -> usize {
        HEADER_BYTES + self.payload_bytes as usize
    }

    /// Checks that the header is undamaged and follows the frame whose header checksum is `chain` (0 before VLSN 1). `bytes` are those
    /// that it was parsed from.
    ///
    /// # Errors
    /// [`FrameError::HeaderChecksum`] if not; [`FrameError::Truncated`] below [`HEADER_BYTES`] bytes.
    pub fn verify_chain(&self, bytes: &[u8], chain: u32) -> Result<(), FrameError> {
        if crc32c::crc32c_append(chain, covered(bytes)?) == self.checksum {
            Ok(())
        } else {
            Err(FrameError::HeaderChecksum { vlsn: self.id.vlsn })
        }
    }

    /// Checks the payload, which is all that stands in the frame behind the header.
    ///
    /// # Errors
    /// [`FrameError::Truncated`] if it is not as long as announced, [`FrameError::PayloadChecksum`] if it is damaged.
    pub fn verify_payload(&self, payload: &[u8]) -> Result<(), FrameError> {
        if payload.len() != self.payload_bytes as usize {
            return Err(FrameError::Truncated { needed: self.payload_bytes as usize, found: payload.len() });
        }
        if crc32c::crc32c(payload) == self.payload_checksum {
            Ok(())
        } else {
            Err(FrameError::PayloadChecksum { id: self.id })
        }
    }

    /// The header checksum that the frame before this one must have, if this header is undamaged: the chain read backwards, over a frame
    /// that cannot be read any more. It proves nothing about this header, since every header has such a number.
    ///
    /// # Errors
    /// [`FrameError::Truncated`] below [`HEADER_BYTES`] bytes.
    pub fn chain_before(&self, bytes: &[u8]) -> Result<u32, FrameError> {
        let unseeded = crc32c::crc32c(covered(bytes)?);
        Ok(unshift(self.checksum ^ unseeded, CHECKSUM_AT))
    }
}

/// Encodes the header of an entry behind a frame whose header checksum is `chain`; the last four bytes are its own checksum.
pub(crate) fn encode(
    id: EntryId,
    kind: EntryKind,
    requirement: Requirement,
    timestamp_micros: u64,
    payload: &[u8],
    chain: u32,
) -> ([u8; HEADER_BYTES], u32) {
    let mut bytes = [0; HEADER_BYTES];
    put(&mut bytes, LENGTH_AT, (payload.len() as u32).to_le_bytes());
    bytes[KIND_AT] = kind_code(kind);
    bytes[FLAGS_AT] = flags(requirement);
    bytes[VERSION_AT] = FORMAT_VERSION;
    put(&mut bytes, TERM_AT, id.term.as_u64().to_le_bytes());
    put(&mut bytes, VLSN_AT, id.vlsn.as_u64().to_le_bytes());
    put(&mut bytes, TIMESTAMP_AT, timestamp_micros.to_le_bytes());
    put(&mut bytes, PAYLOAD_CHECKSUM_AT, crc32c::crc32c(payload).to_le_bytes());
    let checksum = crc32c::crc32c_append(chain, &bytes[..CHECKSUM_AT]);
    put(&mut bytes, CHECKSUM_AT, checksum.to_le_bytes());
    (bytes, checksum)
}

/// The timestamp of an encoded frame that has been checked.
pub(crate) fn timestamp_of(frame: &[u8]) -> u64 {
    u64::from_le_bytes(array_at(frame, TIMESTAMP_AT))
}

/// The header checksum of an encoded frame that has been checked.
pub(crate) fn checksum_of(frame: &[u8]) -> u32 {
    u32::from_le_bytes(array_at(frame, CHECKSUM_AT))
}

fn covered(bytes: &[u8]) -> Result<&[u8; CHECKSUM_AT], FrameError> {
    bytes.first_chunk().ok_or(FrameError::Truncated { needed: HEADER_BYTES, found: bytes.len() })
}

fn parse_id(bytes: &[u8; HEADER_BYTES]) -> Result<EntryId, FrameError> {
    let number = u64_at(bytes, VLSN_AT);
    // The last number has no successor, so that it could stand twice in a run that counts as dense.
    let Some(vlsn) = Vlsn::new(number).filter(|_| number < u64::MAX) else {
        return Err(FrameError::Position { number });
    };
    let term = Term::from_u64(u64_at(bytes, TERM_AT));
    if term == Term::ZERO {
        return Err(FrameError::TermZero { vlsn });
    }
    Ok(EntryId { term, vlsn })
}

const fn parse_kind(bytes: &[u8; HEADER_BYTES]) -> Result<EntryKind, FrameError> {
    match bytes[KIND_AT] {
        KIND_TERM_START => Ok(EntryKind::TermStart),
        KIND_DATA => Ok(EntryKind::Data),
        found => Err(FrameError::Kind { found }),
    }
}

const fn kind_code(kind: EntryKind) -> u8 {
    match kind {
        EntryKind::TermStart => KIND_TERM_START,
        EntryKind::Data => KIND_DATA,
    }
}

const fn parse_requirement(bytes: &[u8; HEADER_BYTES]) -> Result<Requirement, FrameError> {
    let flags = bytes[FLAGS_AT];
    if flags & !(FLAG_LOCAL_SYNC | FLAG_REPLICA_SYNC) != 0 || bytes[RESERVED_AT] != 0 {
        return Err(FrameError::Flags { found: u16::from_le_bytes([flags, bytes[RESERVED_AT]]) });
    }
    Ok(Requirement { local_sync: flags & FLAG_LOCAL_SYNC != 0, replica_sync: flags & FLAG_REPLICA_SYNC != 0 })
}

const fn flags(requirement: Requirement) -> u8 {
    let local = if requirement.local_sync { FLAG_LOCAL_SYNC } else { 0 };
    let replica = if requirement.replica_sync { FLAG_REPLICA_SYNC } else { 0 };
    local | replica
}

fn parse_payload_bytes(bytes: &[u8; HEADER_BYTES]) -> Result<u32, FrameError> {
    let length = u32_at(bytes, LENGTH_AT);
    if length as usize > PAYLOAD_BYTES_MAX {
        return Err(FrameError::Oversized { length: length.into(), limit: PAYLOAD_BYTES_MAX as u64 });
    }
    Ok(length)
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

fn put<const N: usize>(bytes: &mut [u8; HEADER_BYTES], at: usize, field: [u8; N]) {
    bytes[at..at + N].copy_from_slice(&field);
}

fn u32_at(bytes: &[u8; HEADER_BYTES], at: usize) -> u32 {
    u32::from_le_bytes(array_at(bytes, at))
}

fn u64_at(bytes: &[u8; HEADER_BYTES], at: usize) -> u64 {
    u64::from_le_bytes(array_at(bytes, at))
}

fn array_at<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    core::array::from_fn(|index| bytes[at + index])
}

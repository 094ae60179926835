use crate::IndexError;
use alloc::vec::Vec;

/// What all index bytes begin with: magic, layout version, and a checksum of all other bytes.
///
/// ```text
///  0       4         8          12
///  +-------+---------+----------+-----
///  | magic | version | CRC-32C  | body
///  +-------+---------+----------+-----
/// ```
pub(crate) const PRELUDE_BYTES: usize = 12;
const VERSION_AT: usize = 4;
const CHECKSUM_AT: usize = 8;
const VERSION: u32 = 1;

/// Begins the bytes of an index whose body takes `body_bytes`.
pub(crate) fn begin(magic: [u8; 4], body_bytes: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(PRELUDE_BYTES + body_bytes);
    bytes.extend_from_slice(&magic);
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    bytes.extend_from_slice(&[0; PRELUDE_BYTES - CHECKSUM_AT]);
    bytes
}

/// Puts in the checksum, once the body is complete.
pub(crate) fn seal(bytes: &mut [u8]) {
    let checksum = checksum(bytes);
    bytes[CHECKSUM_AT..PRELUDE_BYTES].copy_from_slice(&checksum.to_le_bytes());
}

/// Checks everything but the body's meaning, and returns the body.
pub(crate) fn open(bytes: &[u8], magic: [u8; 4]) -> Result<&[u8], IndexError> {
    if bytes.len() < PRELUDE_BYTES {
        return Err(IndexError::Length { needed: PRELUDE_BYTES as u64, found: bytes.len() as u64 });
    }
    if bytes[..VERSION_AT] != magic {
        return Err(IndexError::Magic);
    }
    match u32_at(bytes, VERSION_AT) {
        Some(VERSION) => {}
        found => return Err(IndexError::Version { found: found.unwrap_or(0) }),
    }
    if u32_at(bytes, CHECKSUM_AT) != Some(checksum(bytes)) {
        return Err(IndexError::Checksum);
    }
    Ok(&bytes[PRELUDE_BYTES..])
}

/// That the body has the length it says it has.
pub(crate) fn check_length(body: &[u8], needed: u64) -> Result<(), IndexError> {
    let found = body.len() as u64;
    if needed == found { Ok(()) } else { Err(IndexError::Length { needed, found }) }
}

fn checksum(bytes: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&bytes[..CHECKSUM_AT]), &bytes[PRELUDE_BYTES..])
}

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

pub(crate) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

//! Checksums that are made right again, so that changed bytes are looked at and not merely refused.

/// Of frames that begin a log: each header is chained to the one before.
pub(crate) fn frames(bytes: &mut [u8]) {
    chain_frames(bytes, 0);
}

/// Of frames behind a frame with the header checksum `chain`. Returns the last one's.
pub(crate) fn chain_frames(bytes: &mut [u8], mut chain: u32) -> u32 {
    const HEADER_BYTES: usize = quorate_codec::HEADER_BYTES;
    let mut rest = bytes;
    while let Some((header, behind)) = rest.split_at_mut_checked(HEADER_BYTES) {
        let length = u32_at(header, 0) as usize;
        let Some((payload, behind)) = behind.split_at_mut_checked(length) else { break };
        header[32..36].copy_from_slice(&crc32c::crc32c(payload).to_le_bytes());
        chain = crc32c::crc32c_append(chain, &header[..36]);
        header[36..40].copy_from_slice(&chain.to_le_bytes());
        rest = behind;
    }
    chain
}

/// Of a VLSN index: at 8, of all other bytes.
pub(crate) fn index(bytes: &mut [u8]) {
    if bytes.len() >= 12 {
        let checksum = crc32c::crc32c_append(crc32c::crc32c(&bytes[..8]), &bytes[12..]);
        bytes[8..12].copy_from_slice(&checksum.to_le_bytes());
    }
}

/// Of a copy of the hard state: at 8, of a length, a sequence number and as many bytes as the length says.
pub(crate) fn hard_state(bytes: &mut [u8]) {
    if bytes.len() >= 24 {
        let end = 24_usize.saturating_add(u32_at(bytes, 12) as usize).min(bytes.len());
        let checksum = crc32c::crc32c(&bytes[12..end]);
        bytes[8..12].copy_from_slice(&checksum.to_le_bytes());
    }
}

/// Of a segment: both copies of its header, and every group with its frames, one behind the other.
pub(crate) fn segment(bytes: &mut [u8]) {
    const GROUPS_AT: usize = 1024;
    const GROUP_HEADER_BYTES: usize = 72;
    if bytes.len() < GROUPS_AT {
        return;
    }
    for copy in [0, 512] {
        let checksum = crc32c::crc32c(&bytes[copy + 12..copy + 64]);
        bytes[copy + 8..copy + 12].copy_from_slice(&checksum.to_le_bytes());
    }
    let mut chain = u32_at(bytes, 60);
    let mut at = GROUPS_AT;
    while at + GROUP_HEADER_BYTES <= bytes.len() && bytes[at..at + 3] == *b"QGR" {
        let frames_at = at + GROUP_HEADER_BYTES;
        let end = frames_at.saturating_add(u32_at(bytes, at + 36) as usize).min(bytes.len());
        bytes[at + 48..at + 52].copy_from_slice(&chain.to_le_bytes());
        chain = chain_frames(&mut bytes[frames_at..end], chain);
        let checksum = crc32c::crc32c(&bytes[at + 8..frames_at]);
        bytes[at + 4..at + 8].copy_from_slice(&checksum.to_le_bytes());
        at = end.next_multiple_of(8);
    }
}

/// Of a segment's index file: its own at 8, of all up to the dense index, and the dense index's.
pub(crate) fn index_file(bytes: &mut [u8]) {
    const TERMS_AT: usize = 60;
    if bytes.len() < TERMS_AT {
        return;
    }
    let dense_at = TERMS_AT.saturating_add((u32_at(bytes, 56) as usize).saturating_mul(16)).min(bytes.len());
    let checksum = crc32c::crc32c(&bytes[12..dense_at]);
    bytes[8..12].copy_from_slice(&checksum.to_le_bytes());
    index(&mut bytes[dense_at..]);
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(|bytes| bytes.first_chunk()).map_or(0, |bytes| u32::from_le_bytes(*bytes))
}

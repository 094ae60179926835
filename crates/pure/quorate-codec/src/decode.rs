use crate::runs::Runs;
use crate::{FrameError, HEADER_BYTES, Header};
use alloc::sync::Arc;
use alloc::vec::Vec;
use bytes::Bytes;
use quorate_core::{Batch, Term, Vlsn};

/// Checks everything that a [`Batch`] guarantees of bytes that nobody trusts, from a peer or a disk, and
/// makes one of them.
///
/// The first frame must be the entry at `first`, of a term not below `term_min`, behind the frame with the
/// header checksum `chain_before` (0 before VLSN 1). The bytes must be whole frames and nothing else. Nothing
/// is copied; the bytes are held as long as the batch is.
///
/// # Errors
/// [`FrameError`] says what is wrong with the first frame that is not as it should be.
pub fn decode(frames: Bytes, first: Vlsn, chain_before: u32, term_min: Term) -> Result<Batch, FrameError> {
    let bytes = frames.as_ref();
    if bytes.len() > u32::MAX as usize {
        return Err(FrameError::Oversized { length: bytes.len() as u64, limit: u32::MAX.into() });
    }
    let mut check = Check { expected: first, chain: chain_before, term_min };
    let mut runs = Runs::default();
    let mut offsets = Vec::new();
    let mut offset = 0;
    loop {
        let header = check.next_frame(&bytes[offset..])?;
        if offsets.is_empty() {
            offsets.reserve(bytes.len() / header.frame_bytes());
        }
        offsets.push(offset as u32);
        runs.push(header.id, header.kind, header.requirement);
        offset += header.frame_bytes();
        if offset == bytes.len() {
            break;
        }
    }
    Ok(Batch::new(frames, Arc::from(offsets), Arc::from(runs.as_slice()), chain_before, check.chain))
}

/// What the next frame has to be.
struct Check {
    expected: Vlsn,
    chain: u32,
    term_min: Term,
}

impl Check {
    fn next_frame(&mut self, bytes: &[u8]) -> Result<Header, FrameError> {
        let header = Header::parse(bytes)?;
        header.verify_chain(bytes, self.chain)?;
        self.verify_order(&header)?;
        let behind = &bytes[HEADER_BYTES..];
        header.verify_payload(&behind[..behind.len().min(header.payload_bytes as usize)])?;
        self.chain = header.checksum;
        self.expected = header.id.vlsn.next();
        self.term_min = header.id.term;
        Ok(header)
    }

    fn verify_order(&self, header: &Header) -> Result<(), FrameError> {
        let id = header.id;
        if id.vlsn != self.expected {
            return Err(FrameError::OutOfOrder { expected: self.expected, found: id.vlsn });
        }
        if id.term < self.term_min {
            return Err(FrameError::TermDecreased { vlsn: id.vlsn, term_min: self.term_min, found: id.term });
        }
        Ok(())
    }
}

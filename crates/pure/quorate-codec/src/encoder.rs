use crate::header;
use crate::runs::Runs;
use crate::{HEADER_BYTES, PAYLOAD_BYTES_MAX};
use alloc::sync::Arc;
use alloc::vec::Vec;
use bytes::BytesMut;
use quorate_core::{Batch, EntryId, EntryKind, Requirement, Term};

/// Frames are gathered in buffers of this size or more. Small batches share one, which lives as long as any
/// of them.
const BUFFER_BYTES: usize = 64 << 10;

/// Encodes entries behind each other, on the master: the one place where frames are made.
///
/// Entries are pushed in order and taken out together as a [`Batch`]. Buffers are shared with the batches and
/// used again when those are gone; a batch costs a fixed number of allocations, an entry none.
#[derive(Debug)]
pub struct Encoder {
    frames: BytesMut,
    offsets: Vec<u32>,
    runs: Runs,
    chain_before: u32,
    chain: u32,
    last: Option<EntryId>,
}

impl Encoder {
    /// An encoder whose first entry follows the frame with the header checksum `chain` (0 for an empty log).
    #[must_use]
    pub fn new(chain: u32) -> Self {
        Self {
            frames: BytesMut::new(),
            offsets: Vec::new(),
            runs: Runs::default(),
            chain_before: chain,
            chain,
            last: None,
        }
    }

    /// Header checksum of the frame pushed last; what the encoder was made with, or reset to, before any.
    #[must_use]
    pub const fn chain(&self) -> u32 {
        self.chain
    }

    /// Starts again behind the frame with the header checksum `chain`. What was pushed and not taken is
    /// dropped.
    pub fn reset(&mut self, chain: u32) {
        self.frames.clear();
        self.offsets.clear();
        self.runs.clear();
        self.chain_before = chain;
        self.chain = chain;
        self.last = None;
    }

    /// Bytes of the frames pushed since the last batch was taken.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.frames.len()
    }

    /// Makes room for entries that are about to be pushed, whose frames take `frame_bytes` bytes together. Without
    /// it, a batch that outgrows its buffer is copied to another one, several times if it is large.
    pub fn reserve(&mut self, frame_bytes: usize) {
        if self.frames.capacity() - self.frames.len() < frame_bytes {
            self.frames.reserve(frame_bytes.max(BUFFER_BYTES));
        }
    }

    /// Encodes the entry that follows the last one. `timestamp_micros` counts from the Unix epoch.
    ///
    /// # Panics
    /// If the VLSN does not follow the last one, the term is lower or zero, the payload is longer than
    /// [`PAYLOAD_BYTES_MAX`], or the batch would exceed 4 GiB: bugs of the caller.
    pub fn push(
        &mut self,
        id: EntryId,
        kind: EntryKind,
        requirement: Requirement,
        timestamp_micros: u64,
        payload: &[u8],
    ) {
        self.assert_follows(id);
        assert!(payload.len() <= PAYLOAD_BYTES_MAX, "payloads are limited before they get here");
        let frame_bytes = HEADER_BYTES + payload.len();
        let offset = self.frames.len();
        assert!(offset + frame_bytes <= u32::MAX as usize, "offsets within a batch fit 32 bits");

        self.reserve(frame_bytes);
        self.frames.extend_from_slice(&[0; HEADER_BYTES]);
        let header = self.frames.last_chunk_mut().expect("it was just put there");
        self.chain = header::encode(header, id, kind, requirement, timestamp_micros, payload, self.chain);
        self.frames.extend_from_slice(payload);
        self.offsets.push(offset as u32);
        self.runs.push(id, kind, requirement);
        self.last = Some(id);
    }

    /// Takes everything pushed since the last time, or `None` if there was nothing.
    pub fn finish(&mut self) -> Option<Batch> {
        if self.offsets.is_empty() {
            return None;
        }
        let frames = self.frames.split().freeze();
        let offsets = Arc::from(self.offsets.as_slice());
        let runs = Arc::from(self.runs.as_slice());
        let batch = Batch::new(frames, offsets, runs, self.chain_before, self.chain);
        self.offsets.clear();
        self.runs.clear();
        self.chain_before = self.chain;
        Some(batch)
    }

    fn assert_follows(&self, id: EntryId) {
        assert!(id.term > Term::ZERO, "an entry has a term");
        let Some(last) = self.last else { return };
        assert!(id.vlsn == last.vlsn.next(), "VLSNs are dense: {} follows {last}", id.vlsn);
        assert!(id.term >= last.term, "terms never decrease: {id} follows {last}");
    }
}

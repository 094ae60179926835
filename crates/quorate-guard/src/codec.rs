//! Encoding and decoding batches of entries. An operation is one entry.

use crate::workload::Workload;
use quorate_codec::{Encoder, decode};
use quorate_core::{Batch, EntryId, EntryKind, NodeId, Requirement, Term, Vlsn};
use std::hint::black_box;

/// A key of 16 bytes and a value of 100.
pub(crate) const PAYLOAD_BYTES: usize = 116;
/// Entries of one batch.
pub(crate) const BATCH_ENTRIES: usize = 64;
const BATCHES: usize = 16;

/// Payloads of one batch, behind each other.
pub(crate) fn payloads() -> Vec<u8> {
    (0..PAYLOAD_BYTES * BATCH_ENTRIES).map(|index| index as u8).collect()
}

/// Pushes one batch of entries, from `first` on, and takes it out.
pub(crate) fn encode(encoder: &mut Encoder, first: Vlsn, payloads: &[u8]) -> Batch {
    let term = Term::new(1, NodeId::new(1));
    for (payload, number) in payloads.chunks(PAYLOAD_BYTES).zip(0..) {
        let id = EntryId { term, vlsn: first.advance(number) };
        encoder.push(id, EntryKind::Data, Requirement::SYNC, number, payload);
    }
    encoder.finish().expect("entries were pushed")
}

/// A master's encoder at work.
pub(crate) struct Encode {
    encoder: Encoder,
    payloads: Vec<u8>,
}

impl Encode {
    pub(crate) fn new() -> Self {
        Self { encoder: Encoder::new(0), payloads: payloads() }
    }
}

impl Workload for Encode {
    fn run(&mut self) -> u64 {
        self.encoder.reset(0);
        let mut next = Vlsn::FIRST;
        for _ in 0..BATCHES {
            let batch = encode(&mut self.encoder, next, black_box(&self.payloads));
            next = batch.last().vlsn.next();
        }
        (BATCHES * BATCH_ENTRIES) as u64
    }
}

/// A replica that checks what it receives.
pub(crate) struct Decode {
    batch: Batch,
}

impl Decode {
    pub(crate) fn new() -> Self {
        Self { batch: encode(&mut Encoder::new(0), Vlsn::FIRST, &payloads()) }
    }
}

impl Workload for Decode {
    fn run(&mut self) -> u64 {
        for _ in 0..BATCHES {
            let frames = black_box(self.batch.frames()).clone();
            let decoded = decode(frames, Vlsn::FIRST, 0, Term::ZERO).expect("it was encoded just so");
            black_box(decoded);
        }
        (BATCHES * BATCH_ENTRIES) as u64
    }
}

//! Encoding and decoding against the least that has to be done to the same bytes: one checksum over them, and
//! one copy.
use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use quorate_codec::{Encoder, HEADER_BYTES, decode};
use quorate_core::{Batch, EntryId, EntryKind, NodeId, Requirement, Term, Vlsn};
use std::collections::VecDeque;
use std::hint::black_box;

const ENTRIES: usize = 1000;
/// A 16-byte key and a 100-byte value, with what the environment puts around them; and a larger document.
const PAYLOAD_BYTES: [usize; 2] = [128, 1024];
/// A batch lives until it is committed and applied, while the next ones are encoded.
const BATCHES_HELD: usize = 8;

fn encode(encoder: &mut Encoder, payloads: &[u8], payload_bytes: usize) -> Batch {
    let term = Term::new(1, NodeId::new(1));
    encoder.reset(0);
    encoder.reserve(payloads.len() / payload_bytes * (HEADER_BYTES + payload_bytes));
    for (payload, number) in payloads.chunks(payload_bytes).zip(0..) {
        let id = EntryId { term, vlsn: Vlsn::FIRST.advance(number) };
        encoder.push(id, EntryKind::Data, Requirement::SYNC, number, payload);
    }
    encoder.finish().expect("entries were pushed")
}

/// One checksum and one copy, entry by entry, as any codec of checked entries has to do.
fn checksum_and_copy(source: &[u8], frame_bytes: usize, target: &mut Vec<u8>) -> u32 {
    target.clear();
    let mut checksums = 0;
    for frame in source.chunks(frame_bytes) {
        checksums ^= crc32c::crc32c(frame);
        target.extend_from_slice(frame);
    }
    checksums
}

fn codec(criterion: &mut Criterion) {
    for payload_bytes in PAYLOAD_BYTES {
        let payloads: Vec<u8> = (0..payload_bytes * ENTRIES).map(|index| index as u8).collect();
        let mut encoder = Encoder::new(0);
        let batch = encode(&mut encoder, &payloads, payload_bytes);
        let mut target = Vec::with_capacity(batch.bytes());
        let mut group = criterion.benchmark_group(format!("{payload_bytes} byte payloads"));
        group.throughput(Throughput::Elements(ENTRIES as u64));
        group.bench_function("floor: checksum and copy", |bencher| {
            bencher.iter(|| {
                checksum_and_copy(black_box(batch.frames()), HEADER_BYTES + payload_bytes, &mut target)
            });
        });
        group.bench_function("encode", |bencher| {
            bencher.iter(|| encode(&mut encoder, black_box(&payloads), payload_bytes));
        });
        group.bench_function("encode, batches held", |bencher| {
            let mut held = VecDeque::new();
            bencher.iter(|| {
                if held.len() == BATCHES_HELD {
                    held.pop_front();
                }
                held.push_back(encode(&mut encoder, black_box(&payloads), payload_bytes));
            });
        });
        group.bench_function("decode", |bencher| {
            let frames: &Bytes = batch.frames();
            bencher.iter(|| decode(black_box(frames).clone(), Vlsn::FIRST, 0, Term::ZERO));
        });
        group.finish();
    }
}

criterion_group!(benches, codec);
criterion_main!(benches);

//! Frames of the log, from the first one on.

use crate::mend;
use crate::{Seed, Signature, Target};
use bytes::Bytes;
use quorate_codec::{Encoder, HEADER_BYTES, Header, decode, frames, prefix, split_at_bytes, suffix};
use quorate_core::{Batch, EntryId, EntryKind, NodeId, Requirement, Term, Vlsn};

pub(super) const FRAMES: Target = Target {
    name: "frames",
    about: "frames as a disk or a peer gives them; what is accepted encodes to the same bytes",
    run,
    mend: |bytes| mend::frames(bytes),
    seeds,
};

fn run(input: &[u8]) -> Signature {
    let signature = look_at_header(input);
    match decode(Bytes::copy_from_slice(input), Vlsn::FIRST, 0, Term::ZERO) {
        Err(error) => signature.shape(&error),
        Ok(batch) => {
            assert_batch(&batch, input);
            signature.magnitude(batch.count() as u64).magnitude(batch.runs().len() as u64)
        }
    }
}

/// A header read alone, and the chain read backwards over it.
fn look_at_header(input: &[u8]) -> Signature {
    match Header::parse(input) {
        Err(error) => Signature::new().shape(&error),
        Ok(header) => {
            let before = header.chain_before(input).expect("a header that was parsed is all there");
            assert_eq!(header.verify_chain(input, before), Ok(()), "the chain is read backwards as forwards");
            assert!(header.frame_bytes() >= HEADER_BYTES);
            Signature::new().word("header")
        }
    }
}

/// What is accepted is what the encoder writes, in every part.
fn assert_batch(batch: &Batch, input: &[u8]) {
    assert_eq!(batch.frames(), input);
    assert_eq!(encoded_again(batch).frames(), input, "one encoding an entry");
    let last = batch.last().vlsn;
    for index in 0..batch.count().min(8) as u64 {
        let vlsn = batch.first().advance(index);
        let head = prefix(batch, vlsn).expect("the entry is in the batch");
        let tail = suffix(batch, vlsn.next());
        let behind = tail.as_ref().map_or(&[][..], |tail| tail.frames());
        let joined = [head.frames(), behind].concat();
        assert_eq!(joined, input, "cut behind {vlsn}");
        assert_eq!((head.last().vlsn, head.chain_before()), (vlsn, batch.chain_before()));
        assert_eq!(tail.is_none(), vlsn == last);
        if let Some(tail) = tail {
            let again = decode(tail.frames().clone(), vlsn.next(), head.chain_after(), head.last().term);
            assert!(again.is_ok_and(|again| again.runs() == tail.runs()), "a part stands by itself");
        }
    }
    for bytes_max in [0, HEADER_BYTES, input.len() / 2, input.len()] {
        let (head, rest) = split_at_bytes(batch, bytes_max);
        assert!(head.bytes() <= bytes_max || head.count() == 1);
        assert_eq!(head.bytes() + rest.map_or(0, |rest| rest.bytes()), input.len());
    }
}

fn encoded_again(batch: &Batch) -> Batch {
    let mut encoder = Encoder::new(batch.chain_before());
    for frame in frames(batch) {
        encoder.push(frame.id, frame.kind, frame.requirement, frame.timestamp_micros, &frame.payload);
    }
    encoder.finish().expect("a batch has an entry")
}

/// A log of a few entries, of two terms and all kinds and requirements.
pub(super) fn sample(first: Vlsn, chain: u32) -> Batch {
    let relaxed = Requirement { local_sync: false, replica_sync: false };
    let replica = Requirement { local_sync: true, replica_sync: false };
    let entries: [(u64, EntryKind, Requirement, &[u8]); 5] = [
        (1, EntryKind::TermStart, Requirement::SYNC, b"roster"),
        (1, EntryKind::Data, Requirement::SYNC, b"put 42 apples"),
        (1, EntryKind::Data, relaxed, b""),
        (3, EntryKind::TermStart, Requirement::SYNC, b""),
        (3, EntryKind::Data, replica, b"del 42"),
    ];
    let mut encoder = Encoder::new(chain);
    for ((round, kind, requirement, payload), index) in entries.into_iter().zip(0..) {
        let id = EntryId { term: Term::new(round, NodeId::new(1)), vlsn: first.advance(index) };
        encoder.push(id, kind, requirement, 1_700_000_000_000_000 + index, payload);
    }
    encoder.finish().expect("there are entries")
}

fn seeds() -> Vec<Seed> {
    let batch = sample(Vlsn::FIRST, 0);
    let one = prefix(&batch, Vlsn::FIRST).expect("the first entry is there");
    vec![
        Seed::new("five", batch.frames().to_vec()),
        Seed::new("one", one.frames().to_vec()),
        Seed::new("cut", batch.frames()[..100].to_vec()),
    ]
}

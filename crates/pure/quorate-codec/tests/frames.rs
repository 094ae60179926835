//! Frames: what is encoded comes back, and nothing else does.
mod support;

use bytes::Bytes;
use proptest::prelude::*;
use quorate_codec::{
    Encoder, FrameError, HEADER_BYTES, Header, PAYLOAD_BYTES_MAX, decode, frames, prefix, split_at_bytes,
    suffix,
};
use quorate_core::{Batch, EntryKind, Requirement, Term, Vlsn};
use support::{assert_same, encode, entries, id, sample, t, v};

fn decode_again(batch: &Batch, bytes: impl Into<Bytes>) -> Result<Batch, FrameError> {
    decode(bytes.into(), batch.first(), batch.chain_before(), Term::ZERO)
}

/// Replaces a field of the first frame and puts in the header checksum that then is right.
fn forged(batch: &Batch, at: usize, field: &[u8]) -> Bytes {
    let mut bytes = batch.frames().to_vec();
    bytes[at..at + field.len()].copy_from_slice(field);
    let checksum = crc32c::crc32c_append(batch.chain_before(), &bytes[..36]);
    bytes[36..40].copy_from_slice(&checksum.to_le_bytes());
    bytes.into()
}

#[test]
fn a_frame_has_exactly_the_documented_bytes() {
    let mut encoder = Encoder::new(0xdead_beef);
    encoder.push(id(1, 5), EntryKind::Data, Requirement::SYNC, 0x0102_0304_0506_0708, b"quorate");
    #[rustfmt::skip]
    let expected = [
        7, 0, 0, 0, 2, 3, 1, 0,
        0x02, 0, 0x01, 0, 0, 0, 0, 0,
        5, 0, 0, 0, 0, 0, 0, 0,
        8, 7, 6, 5, 4, 3, 2, 1,
        0x98, 0xc1, 0x5f, 0x53, 0xfd, 0x05, 0x36, 0xef,
        b'q', b'u', b'o', b'r', b'a', b't', b'e',
    ];
    assert_eq!(encoder.bytes(), HEADER_BYTES + 7);
    assert_eq!(encoder.finish().unwrap().frames().as_ref(), expected);
    assert_eq!(encoder.chain(), 0xef36_05fd);
}

#[test]
fn any_flipped_bit_of_a_run_is_detected() {
    let batch = sample();
    for bit in 0..batch.bytes() * 8 {
        let mut bytes = batch.frames().to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert!(decode_again(&batch, bytes).is_err(), "bit {bit}");
    }
}

#[test]
fn a_run_that_is_cut_within_a_frame_is_refused_and_one_cut_between_frames_is_shorter() {
    let batch = sample();
    for length in 0..batch.bytes() {
        let cut = decode_again(&batch, batch.frames().slice(..length));
        match batch.offsets().iter().position(|offset| *offset as usize == length) {
            Some(count) if count > 0 => assert_eq!(cut.unwrap().count(), count),
            _ => assert!(matches!(cut, Err(FrameError::Truncated { .. })), "{length} bytes: {cut:?}"),
        }
    }
}

#[test]
fn a_frame_from_another_position_or_another_log_is_refused() {
    let batch = sample();
    let third = suffix(&batch, v(12)).unwrap();
    let elsewhere = decode(third.frames().clone(), v(10), batch.chain_before(), Term::ZERO);
    assert_eq!(elsewhere.unwrap_err(), FrameError::HeaderChecksum { vlsn: v(12) });
    let other_log = decode(batch.frames().clone(), v(10), 78, Term::ZERO);
    assert_eq!(other_log.unwrap_err(), FrameError::HeaderChecksum { vlsn: v(10) });
    let wrong_place = decode(batch.frames().clone(), v(9), 77, Term::ZERO);
    assert_eq!(wrong_place.unwrap_err(), FrameError::OutOfOrder { expected: v(9), found: v(10) });
}

#[test]
fn a_run_that_lacks_repeats_or_swaps_a_frame_is_refused() {
    let batch = sample();
    let frame = |number: u64| batch.frame(v(number)).unwrap();
    for order in [[10, 12, 13], [10, 10, 11], [11, 10, 12], [10, 11, 13]] {
        let bytes: Vec<u8> = order.iter().flat_map(|number| frame(*number)).collect();
        assert!(matches!(decode_again(&batch, bytes), Err(FrameError::HeaderChecksum { .. })), "{order:?}");
    }
}

#[test]
fn terms_below_the_one_before_are_refused_even_if_every_checksum_is_right() {
    let batch = sample();
    let below = decode(batch.frames().clone(), v(10), 77, t(4));
    assert_eq!(below.unwrap_err(), FrameError::TermDecreased { vlsn: v(10), term_min: t(4), found: t(3) });
    assert!(decode(batch.frames().clone(), v(10), 77, t(3)).is_ok());
    let first = encode_one(5, 10, 77);
    let second = encode_one(4, 11, first.chain_after());
    let bytes = [first.frames().as_ref(), second.frames().as_ref()].concat();
    let error = decode(bytes.into(), v(10), 77, Term::ZERO).unwrap_err();
    assert_eq!(error, FrameError::TermDecreased { vlsn: v(11), term_min: t(5), found: t(4) });
}

fn encode_one(round: u64, number: u64, chain: u32) -> Batch {
    let mut encoder = Encoder::new(chain);
    encoder.push(id(round, number), EntryKind::Data, Requirement::SYNC, 0, b"one");
    encoder.finish().unwrap()
}

#[test]
fn fields_that_no_frame_has_are_refused_even_if_every_checksum_is_right() {
    let batch = sample();
    let refusal = |at, field: &[u8]| decode_again(&batch, forged(&batch, at, field)).unwrap_err();
    let oversized = PAYLOAD_BYTES_MAX as u32 + 1;
    assert_eq!(
        refusal(0, &oversized.to_le_bytes()),
        FrameError::Oversized { length: oversized.into(), limit: PAYLOAD_BYTES_MAX as u64 }
    );
    assert_eq!(refusal(4, &[0]), FrameError::Kind { found: 0 });
    assert_eq!(refusal(4, &[9]), FrameError::Kind { found: 9 });
    assert_eq!(refusal(5, &[7]), FrameError::Flags { found: 0x0007 });
    assert_eq!(refusal(6, &[2]), FrameError::Version { found: 2 });
    assert_eq!(refusal(7, &[1]), FrameError::Flags { found: 0x0103 });
    assert_eq!(refusal(8, &[0; 8]), FrameError::TermZero { vlsn: v(10) });
    assert_eq!(refusal(16, &[0; 8]), FrameError::Position { number: 0 });
    assert_eq!(refusal(16, &[0xff; 8]), FrameError::Position { number: u64::MAX });
}

#[test]
fn zero_filled_space_is_no_frame() {
    assert_eq!(Header::parse(&[0; 64]), Err(FrameError::Version { found: 0 }));
}

#[test]
fn a_header_needs_nothing_but_itself_and_names_a_frame_whose_payload_is_damaged() {
    let batch = sample();
    let mut bytes = batch.frames().to_vec();
    bytes[HEADER_BYTES + 1] ^= 4;
    let header = Header::parse(&bytes[..HEADER_BYTES]).unwrap();
    assert_eq!(header.verify_chain(&bytes, 77), Ok(()));
    assert_eq!(header.verify_chain(&bytes, 78), Err(FrameError::HeaderChecksum { vlsn: v(10) }));
    assert_eq!((header.id, header.frame_bytes()), (id(3, 10), HEADER_BYTES + 5));
    let payload = &bytes[HEADER_BYTES..header.frame_bytes()];
    assert_eq!(header.verify_payload(payload), Err(FrameError::PayloadChecksum { id: id(3, 10) }));
    assert_eq!(header.verify_payload(&payload[1..]), Err(FrameError::Truncated { needed: 5, found: 4 }));
    assert_eq!(decode_again(&batch, bytes).unwrap_err(), FrameError::PayloadChecksum { id: id(3, 10) });
}

#[test]
fn the_chain_before_an_intact_header_can_be_told_without_the_frame_before() {
    let batch = sample();
    let mut chain = batch.chain_before();
    for number in 10..=14 {
        let frame = batch.frame(v(number)).unwrap();
        let header = Header::parse(&frame).unwrap();
        assert_eq!(header.chain_before(&frame), Ok(chain), "frame {number}");
        chain = header.checksum;
    }
    assert_eq!(chain, batch.chain_after());
}

#[test]
fn batches_taken_one_after_the_other_form_one_chain() {
    let mut encoder = Encoder::new(9);
    assert!(encoder.finish().is_none());
    encoder.push(id(1, 1), EntryKind::TermStart, Requirement::SYNC, 1, b"start");
    let first = encoder.finish().unwrap();
    encoder.push(id(1, 2), EntryKind::Data, Requirement::SYNC, 2, b"data");
    let second = encoder.finish().unwrap();
    assert_eq!((first.chain_before(), first.chain_after()), (9, second.chain_before()));
    assert_eq!(second.chain_after(), encoder.chain());
    assert_same(&decode_again(&second, second.frames().clone()).unwrap(), &second);
    let both = [first.frames().as_ref(), second.frames().as_ref()].concat();
    assert_eq!(decode(both.into(), v(1), 9, Term::ZERO).unwrap().last(), id(1, 2));
}

#[test]
fn room_made_in_advance_changes_no_byte_of_a_batch() {
    let payload = [7; 1000];
    let encode = |reserved: usize| {
        let mut encoder = Encoder::new(9);
        encoder.push(id(1, 1), EntryKind::TermStart, Requirement::SYNC, 1, b"start");
        let first = encoder.finish().unwrap();
        encoder.reserve(reserved);
        for number in 2..200 {
            encoder.push(id(1, number), EntryKind::Data, Requirement::SYNC, 2, &payload);
        }
        (first, encoder.finish().unwrap())
    };
    let (first, second) = encode(198 * (HEADER_BYTES + payload.len()));
    assert_same(&encode(0).1, &second);
    assert_same(&decode_again(&second, second.frames().clone()).unwrap(), &second);
    assert_eq!(first.chain_after(), second.chain_before());
}

#[test]
fn a_reset_encoder_forgets_what_was_not_taken_and_follows_the_new_chain() {
    let mut encoder = Encoder::new(9);
    encoder.push(id(8, 1), EntryKind::Data, Requirement::SYNC, 1, b"dropped");
    encoder.reset(55);
    assert_eq!((encoder.chain(), encoder.bytes()), (55, 0));
    assert!(encoder.finish().is_none());
    encoder.push(id(3, 20), EntryKind::Data, Requirement::SYNC, 1, b"kept");
    let batch = encoder.finish().unwrap();
    assert_eq!((batch.chain_before(), batch.first(), batch.last()), (55, v(20), id(3, 20)));
}

#[test]
#[should_panic(expected = "VLSNs are dense")]
fn an_encoder_is_never_given_a_gap() {
    let mut encoder = Encoder::new(0);
    encoder.push(id(1, 1), EntryKind::Data, Requirement::SYNC, 0, b"");
    assert!(encoder.finish().is_some());
    encoder.push(id(1, 3), EntryKind::Data, Requirement::SYNC, 0, b"");
}

#[test]
#[should_panic(expected = "terms never decrease")]
fn an_encoder_is_never_given_a_lower_term() {
    let mut encoder = Encoder::new(0);
    encoder.push(id(2, 1), EntryKind::Data, Requirement::SYNC, 0, b"");
    encoder.push(id(1, 2), EntryKind::Data, Requirement::SYNC, 0, b"");
}

#[test]
fn payloads_are_parts_of_the_batch_and_not_copies() {
    let batch = sample();
    let memory = batch.frames().as_ptr_range();
    for frame in frames(&batch).filter(|frame| !frame.payload.is_empty()) {
        assert!(memory.contains(&frame.payload.as_ptr()), "{:?}", frame.id);
    }
}

#[test]
fn a_part_of_a_batch_is_what_decoding_its_bytes_gives() {
    let batch = sample();
    for number in 1..=16 {
        let after = suffix(&batch, v(number));
        let before = prefix(&batch, v(number));
        assert_eq!(after.as_ref().map_or(0, Batch::count) as u64, 15 - number.clamp(10, 15), "from {number}");
        assert_eq!(
            before.as_ref().map_or(0, Batch::count) as u64,
            number.clamp(9, 14) - 9,
            "through {number}"
        );
        for part in [after, before].into_iter().flatten() {
            assert_same(&decode_again(&part, part.frames().clone()).unwrap(), &part);
        }
    }
}

#[test]
fn a_split_never_exceeds_the_limit_unless_a_single_frame_does() {
    let batch = sample();
    for limit in 0..=batch.bytes() + 1 {
        let (head, rest) = split_at_bytes(&batch, limit);
        assert!(head.bytes() <= limit || head.count() == 1, "{limit}");
        assert_same(&decode_again(&head, head.frames().clone()).unwrap(), &head);
        let Some(rest) = rest else {
            assert!(batch.bytes() <= limit);
            continue;
        };
        assert_same(&decode_again(&rest, rest.frames().clone()).unwrap(), &rest);
        assert_eq!(rest.first(), head.last().vlsn.next());
        assert_eq!(head.count() + rest.count(), batch.count());
        let next = rest.frame(rest.first()).unwrap();
        assert!(head.bytes() + next.len() > limit, "another frame would have fitted into {limit}");
    }
}

proptest! {
    #[test]
    fn what_is_encoded_comes_back(entries in entries(), first in 1_u64..1 << 40, chain: u32) {
        let batch = encode(&entries, v(first), chain);
        assert_same(&decode_again(&batch, batch.frames().clone()).unwrap(), &batch);
        let decoded: Vec<_> = frames(&batch).collect();
        prop_assert_eq!(decoded.len(), entries.len());
        for ((frame, entry), number) in decoded.iter().zip(&entries).zip(first..) {
            prop_assert_eq!((frame.id.term, frame.id.vlsn), (entry.term, v(number)));
            prop_assert_eq!((frame.kind, frame.requirement), (entry.kind, entry.requirement));
            prop_assert_eq!(frame.timestamp_micros, entry.timestamp_micros);
            prop_assert_eq!(&frame.payload[..], &entry.payload[..]);
        }
    }

    #[test]
    fn a_flipped_bit_anywhere_is_detected(entries in entries(), chain: u32, place: prop::sample::Index) {
        let batch = encode(&entries, v(1), chain);
        let mut bytes = batch.frames().to_vec();
        let bit = place.index(bytes.len() * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(decode_again(&batch, bytes).is_err());
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), chain: u32) {
        prop_assert!(decode(bytes.into(), Vlsn::FIRST, chain, Term::ZERO).is_err());
    }

    #[test]
    fn arbitrary_headers_with_a_right_checksum_never_panic(
        fields in proptest::collection::vec(prop_oneof![4 => 0_u8..4, 1 => any::<u8>()], 36),
        behind in proptest::collection::vec(any::<u8>(), 0..100),
        chain: u32,
    ) {
        let checksum = crc32c::crc32c_append(chain, &fields);
        let bytes = [&fields[..], &checksum.to_le_bytes(), &behind].concat();
        if let Ok(header) = Header::parse(&bytes) {
            prop_assert_eq!(header.verify_chain(&bytes, chain), Ok(()));
            prop_assert_eq!(header.chain_before(&bytes), Ok(chain));
        }
        let _ = decode(bytes.into(), Vlsn::FIRST, chain, Term::ZERO);
    }
}

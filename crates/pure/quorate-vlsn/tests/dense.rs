//! The index of a segment that has every VLSN.
use proptest::prelude::*;
use quorate_core::Vlsn;
use quorate_vlsn::{DenseIndex, DenseView, IndexError};
use std::collections::BTreeMap;

fn v(number: u64) -> Vlsn {
    Vlsn::new(number).unwrap()
}

/// Entries at 100, 103, 106, ... from `first` on.
fn index(first: u64, count: u32) -> DenseIndex {
    let mut index = DenseIndex::new(v(first));
    for number in 0..count {
        index.push(100 + 3 * number);
    }
    index
}

/// Puts the right checksum into bytes that were changed on purpose.
fn seal(bytes: &mut [u8]) {
    let checksum = crc32c::crc32c_append(crc32c::crc32c(&bytes[..8]), &bytes[12..]);
    bytes[8..12].copy_from_slice(&checksum.to_le_bytes());
}

#[test]
fn every_entry_of_the_segment_is_found_and_no_other() {
    let index = index(10, 5);
    let view = DenseView::new(index.encode()).unwrap();
    let expected = [None, Some(100), Some(103), Some(106), Some(109), Some(112), None];
    for (number, offset) in (9..=15).zip(expected) {
        assert_eq!(index.offset(v(number)), offset, "{number}");
        assert_eq!(view.offset(v(number)), offset, "{number}");
    }
    assert_eq!((index.first(), index.last(), index.next(), index.len()), (v(10), Some(v(14)), v(15), 5));
    assert_eq!((view.first(), view.last(), view.len(), view.is_empty()), (v(10), Some(v(14)), 5, false));
    assert_eq!(view.offset(v(1)), None);
    assert_eq!(view.offset(v(u64::MAX)), None);
}

#[test]
fn an_entry_takes_four_bytes() {
    assert_eq!(index(1, 1000).encode().len() - index(1, 0).encode().len(), 4000);
}

#[test]
fn an_empty_index_has_a_first_position_and_no_last() {
    let view = DenseView::new(index(7, 0).encode()).unwrap();
    assert_eq!((view.first(), view.last(), view.len()), (v(7), None, 0));
    assert_eq!(view.offset(v(7)), None);
    assert_eq!(view.to_index(), index(7, 0));
}

#[test]
fn cutting_both_ends_agrees_with_a_map() {
    for from in 8..=18 {
        for keep in 8..=18 {
            let mut cut = index(10, 5);
            let mut model: BTreeMap<u64, u32> = (10..15).zip([100, 103, 106, 109, 112]).collect();
            cut.truncate_after(Some(v(keep)));
            cut.trim_before(v(from));
            model.retain(|number, _| (from..=keep).contains(number));
            for number in 1..=20 {
                assert_eq!(cut.offset(v(number)), model.get(&number).copied(), "{from}..={keep} at {number}");
            }
            assert_eq!(cut.last().map(Vlsn::as_u64), model.keys().last().copied());
            assert_eq!(DenseView::new(cut.encode()).unwrap().to_index(), cut);
        }
    }
}

#[test]
fn truncating_to_nothing_lets_the_first_entry_be_written_again() {
    let mut index = index(10, 5);
    index.truncate_after(None);
    assert!(index.is_empty());
    index.push(4);
    assert_eq!(index.offset(v(10)), Some(4));
}

#[test]
#[should_panic(expected = "follow each other")]
fn an_offset_that_does_not_increase_is_a_bug() {
    let mut index = index(1, 1);
    index.push(100);
}

#[test]
fn any_flipped_bit_and_any_missing_or_extra_byte_is_detected() {
    let bytes = index(1 << 40, 6).encode();
    for bit in 0..bytes.len() * 8 {
        let mut damaged = bytes.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        assert!(DenseView::new(damaged).is_err(), "bit {bit}");
    }
    for length in 0..bytes.len() {
        assert!(DenseView::new(&bytes[..length]).is_err(), "{length} bytes");
    }
    let mut longer = bytes;
    longer.push(0);
    seal(&mut longer);
    assert_eq!(DenseView::new(longer).unwrap_err(), IndexError::Length { needed: 36, found: 37 });
}

#[test]
fn bytes_that_were_made_wrong_are_refused_for_what_is_wrong() {
    let forged = |at: usize, field: &[u8]| {
        let mut bytes = index(5, 3).encode();
        bytes[at..at + field.len()].copy_from_slice(field);
        seal(&mut bytes);
        DenseView::new(bytes).unwrap_err()
    };
    assert_eq!(forged(0, b"QVLB"), IndexError::Magic);
    assert_eq!(forged(4, &9_u32.to_le_bytes()), IndexError::Version { found: 9 });
    assert_eq!(forged(12, &0_u64.to_le_bytes()), IndexError::OutOfOrder { index: 0 });
    assert_eq!(forged(12, &u64::MAX.to_le_bytes()), IndexError::OutOfOrder { index: 0 });
    assert_eq!(
        forged(20, &u32::MAX.to_le_bytes()),
        IndexError::Length { needed: 12 + 4 * u64::from(u32::MAX), found: 24 }
    );
    assert_eq!(forged(28, &100_u32.to_le_bytes()), IndexError::OutOfOrder { index: 1 });
}

proptest! {
    #[test]
    fn arbitrary_bodies_never_panic(body in proptest::collection::vec(any::<u8>(), 0..64), at in 1_u64..100) {
        let mut bytes = index(1, 0).encode();
        bytes.truncate(12);
        bytes.extend(body);
        seal(&mut bytes);
        if let Ok(view) = DenseView::new(bytes.as_slice()) {
            prop_assert_eq!(view.offset(v(at)), view.to_index().offset(v(at)));
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        prop_assert!(DenseView::new(bytes).is_err());
    }
}

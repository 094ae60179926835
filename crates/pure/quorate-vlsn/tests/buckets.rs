//! The index of a log that is sparse in VLSNs, against an ordered map.
use proptest::prelude::*;
use quorate_core::{Lsn, Vlsn};
use quorate_vlsn::{BucketIndex, BucketView, IndexError};
use std::collections::BTreeMap;

type Model = BTreeMap<Vlsn, Lsn>;

fn v(number: u64) -> Vlsn {
    Vlsn::new(number).unwrap()
}

fn lsn(segment: u64, offset: u32) -> Lsn {
    Lsn { segment, offset }
}

/// Puts the right checksum into bytes that were changed on purpose.
fn seal(bytes: &mut [u8]) {
    let checksum = crc32c::crc32c_append(crc32c::crc32c(&bytes[..8]), &bytes[12..]);
    bytes[8..12].copy_from_slice(&checksum.to_le_bytes());
}

fn three_segments() -> BucketIndex {
    let mut index = BucketIndex::new();
    for (number, position) in [(3, lsn(0, 8)), (5, lsn(0, 90)), (9, lsn(1, 8)), (1 << 40, lsn(2, 8))] {
        index.put(v(number), position);
    }
    index
}

/// That index, view and model say the same of `probes` and of their ends.
fn assert_agree(index: &BucketIndex, model: &Model, probes: impl IntoIterator<Item = u64>) {
    let bytes = index.encode();
    let view = BucketView::new(bytes.as_slice()).unwrap();
    for number in probes {
        let at = v(number);
        let floor = model.range(..=at).next_back().map(|(vlsn, lsn)| (*vlsn, *lsn));
        let ceiling = model.range(at..).next().map(|(vlsn, lsn)| (*vlsn, *lsn));
        assert_eq!((index.floor(at), index.ceiling(at)), (floor, ceiling), "index at {number}");
        assert_eq!((view.floor(at), view.ceiling(at)), (floor, ceiling), "view at {number}");
    }
    let first = model.iter().next().map(|(vlsn, lsn)| (*vlsn, *lsn));
    let last = model.iter().next_back().map(|(vlsn, lsn)| (*vlsn, *lsn));
    assert_eq!((index.first(), index.last(), index.len()), (first, last, model.len()));
    assert_eq!((view.first(), view.last(), view.len()), (first, last, model.len()));
    assert_eq!(index.is_empty(), model.is_empty());
    assert_eq!(view.is_empty(), model.is_empty());
    assert_eq!(view.to_index().len(), model.len());
}

#[test]
fn a_position_between_two_entries_has_both_as_neighbours() {
    let index = three_segments();
    assert_eq!(index.floor(v(2)), None);
    assert_eq!(index.ceiling(v(1)), Some((v(3), lsn(0, 8))));
    assert_eq!(index.floor(v(8)), Some((v(5), lsn(0, 90))));
    assert_eq!(index.ceiling(v(6)), Some((v(9), lsn(1, 8))));
    assert_eq!(index.floor(v(u64::MAX)), Some((v(1 << 40), lsn(2, 8))));
    assert_eq!(index.ceiling(v(u64::MAX)), None);
}

#[test]
fn a_bucket_is_left_when_it_is_full_and_nothing_is_lost() {
    let mut index = BucketIndex::new();
    let model: Model = (0..10_000_u32).map(|number| (v(1 + 2 * u64::from(number)), lsn(0, number))).collect();
    for (vlsn, position) in &model {
        index.put(*vlsn, *position);
    }
    assert_agree(&index, &model, 1..=20_002);
    assert_eq!(index.encode().len(), 20 + 3 * 20 + 8 * model.len());
}

#[test]
#[should_panic(expected = "follow each other")]
fn an_entry_before_the_last_one_is_a_bug() {
    three_segments().put(v(9), lsn(9, 9));
}

#[test]
fn any_flipped_bit_and_any_missing_byte_is_detected() {
    let bytes = three_segments().encode();
    for bit in 0..bytes.len() * 8 {
        let mut damaged = bytes.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        assert!(BucketView::new(damaged).is_err(), "bit {bit}");
    }
    for length in 0..bytes.len() {
        assert!(BucketView::new(&bytes[..length]).is_err(), "{length} bytes");
    }
}

#[test]
fn bytes_that_were_made_wrong_are_refused_for_what_is_wrong() {
    let forged = |at: usize, field: &[u8]| {
        let mut bytes = three_segments().encode();
        bytes[at..at + field.len()].copy_from_slice(field);
        seal(&mut bytes);
        BucketView::new(bytes).map(|_| ()).unwrap_err()
    };
    let (first_head, second_head, entries) = (20, 40, 80);
    assert_eq!(
        forged(12, &u32::MAX.to_le_bytes()),
        IndexError::Length { needed: 85_899_345_940, found: 100 }
    );
    assert_eq!(forged(first_head, &0_u64.to_le_bytes()), IndexError::OutOfOrder { index: 0 });
    assert_eq!(forged(first_head, &u64::MAX.to_le_bytes()), IndexError::OutOfOrder { index: 1 });
    assert_eq!(forged(first_head + 16, &1_u32.to_le_bytes()), IndexError::OutOfOrder { index: 0 });
    assert_eq!(forged(second_head, &4_u64.to_le_bytes()), IndexError::OutOfOrder { index: 2 });
    assert_eq!(forged(second_head + 16, &7_u32.to_le_bytes()), IndexError::OutOfOrder { index: 2 });
    assert_eq!(forged(entries, &1_u32.to_le_bytes()), IndexError::OutOfOrder { index: 0 });
    assert_eq!(forged(entries + 12, &8_u32.to_le_bytes()), IndexError::OutOfOrder { index: 1 });
}

/// Entries as steps in VLSN and in position; a step of 0 in the segment keeps it.
fn steps() -> impl Strategy<Value = Vec<(u64, u64, u32)>> {
    let distance = prop_oneof![8 => 1_u64..6, 1 => Just(1 << 33)];
    let segment = prop_oneof![6 => Just(0_u64), 1 => 1_u64..3];
    proptest::collection::vec((distance, segment, 1_u32..500), 0..60)
}

fn build(steps: &[(u64, u64, u32)]) -> (BucketIndex, Model) {
    let mut index = BucketIndex::new();
    let mut model = Model::new();
    let (mut number, mut position) = (0, lsn(0, 0));
    for (distance, segment, offset) in steps {
        number += distance;
        let base = if *segment > 0 { 0 } else { position.offset };
        position = lsn(position.segment + segment, base + offset);
        index.put(v(number), position);
        model.insert(v(number), position);
    }
    (index, model)
}

proptest! {
    #[test]
    fn lookups_and_cuts_agree_with_a_map(
        steps in steps(),
        cuts in proptest::collection::vec((any::<bool>(), 0_usize..70, 0_u64..3), 0..6),
    ) {
        let (mut index, mut model) = build(&steps);
        let known: Vec<u64> = model.keys().map(|vlsn| vlsn.as_u64()).collect();
        let around = |number: &u64| [(number - 1).max(1), *number, number + 1];
        let probes: Vec<u64> = known.iter().flat_map(around).collect();
        assert_agree(&index, &model, probes.iter().copied());
        for (front, nth, delta) in cuts {
            let at = (known.get(nth).map_or(1, |number| number + delta) - 1).max(1);
            if front {
                index.trim_before(v(at));
                model.retain(|vlsn, _| *vlsn >= v(at));
            } else {
                index.truncate_after(Some(v(at)));
                model.retain(|vlsn, _| *vlsn <= v(at));
            }
            assert_agree(&index, &model, probes.iter().copied());
        }
        let next = known.last().map_or(1, |number| number + 1);
        index.put(v(next), lsn(1 << 20, 0));
        model.insert(v(next), lsn(1 << 20, 0));
        assert_agree(&index, &model, probes.iter().copied().chain([next]));
        index.truncate_after(None);
        assert_agree(&index, &Model::new(), probes);
    }

    #[test]
    fn arbitrary_bodies_never_panic(
        buckets in 0_u32..4,
        entries in 0_u32..6,
        body in proptest::collection::vec(prop_oneof![3 => Just(0_u8), 1 => any::<u8>()], 108),
        at in 1_u64..1000,
    ) {
        let length = (20 * buckets + 8 * entries) as usize;
        let mut bytes = BucketIndex::new().encode();
        bytes[12..16].copy_from_slice(&buckets.to_le_bytes());
        bytes[16..20].copy_from_slice(&entries.to_le_bytes());
        bytes.extend_from_slice(&body[..length]);
        seal(&mut bytes);
        if let Ok(view) = BucketView::new(bytes.as_slice()) {
            prop_assert_eq!(view.floor(v(at)), view.to_index().floor(v(at)));
            prop_assert_eq!(view.ceiling(v(at)), view.to_index().ceiling(v(at)));
        }
    }
}

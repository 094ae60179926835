//! What a transaction has read, gathered and encoded.
use proptest::prelude::*;
use quorate_codec::{DatabaseId, ReadSet, ReadSetError};
use quorate_core::{EntryId, NodeId, Term, Vlsn};
use std::ops::Bound;

const DATABASE: DatabaseId = DatabaseId::new(1);

fn snapshot(vlsn: u64) -> Option<EntryId> {
    Vlsn::new(vlsn).map(|vlsn| EntryId { term: Term::new(3, NodeId::new(2)), vlsn })
}

type Range = (Bound<Vec<u8>>, Bound<Vec<u8>>);

fn add(set: &mut ReadSet, database: DatabaseId, range: &Range) {
    set.add_range(database, range.0.as_ref().map(Vec::as_slice), range.1.as_ref().map(Vec::as_slice));
}

fn ranges(set: &ReadSet) -> Vec<(&[u8], Option<&[u8]>)> {
    set.ranges().map(|(_, start, end)| (start, end)).collect()
}

/// Whether the set covers a key by a range.
fn covers(set: &ReadSet, database: DatabaseId, key: &[u8]) -> bool {
    set.ranges()
        .any(|(found, start, end)| found == database && start <= key && end.is_none_or(|end| key < end))
}

fn lies_in(key: &[u8], range: &Range) -> bool {
    let starts = match &range.0 {
        Bound::Unbounded => true,
        Bound::Included(start) => key >= start.as_slice(),
        Bound::Excluded(start) => key > start.as_slice(),
    };
    starts
        && match &range.1 {
            Bound::Unbounded => true,
            Bound::Included(end) => key <= end.as_slice(),
            Bound::Excluded(end) => key < end.as_slice(),
        }
}

fn sample() -> ReadSet {
    let mut set = ReadSet::new(snapshot(0x0102));
    set.add_point(DATABASE, b"key");
    set.add_range(DATABASE, Bound::Included(b"a"), Bound::Excluded(b"c"));
    set.add_range(DatabaseId::new(2), Bound::Unbounded, Bound::Unbounded);
    set
}

#[test]
fn a_read_set_has_exactly_the_documented_bytes() {
    let head = b"\x01\x02\0\x03\0\0\0\0\0\x02\x01\0\0\0\0\0\0".as_slice();
    let term_low = head[1..9].try_into().map(u64::from_le_bytes).unwrap();
    assert_eq!(term_low, Term::new(3, NodeId::new(2)).as_u64());
    let rest = b"\x01\0\0\0\x01\x03key\x02\0\0\0\x01\x01a\x01\x01c\x02\0\0";
    assert_eq!(sample().encode(), [head, rest].concat());
    assert_eq!(ReadSet::default().encode(), [0; 9]);
}

#[test]
fn ranges_that_touch_become_one() {
    let mut set = ReadSet::default();
    set.add_range(DATABASE, Bound::Included(b"a"), Bound::Included(b"b"));
    set.add_range(DATABASE, Bound::Excluded(b"b"), Bound::Excluded(b"c"));
    set.add_range(DATABASE, Bound::Included(b"x"), Bound::Unbounded);
    assert_eq!(ranges(&set), [(&b"a"[..], Some(&b"c"[..])), (b"x", None)]);
    set.add_range(DATABASE, Bound::Unbounded, Bound::Excluded(b"x"));
    assert_eq!(ranges(&set), [(&b""[..], None)]);
}

#[test]
fn a_range_without_keys_reads_nothing() {
    let mut set = ReadSet::default();
    set.add_range(DATABASE, Bound::Included(b"b"), Bound::Excluded(b"a"));
    set.add_range(DATABASE, Bound::Included(b"a"), Bound::Excluded(b"a"));
    set.add_range(DATABASE, Bound::Excluded(b"a"), Bound::Included(b"a"));
    assert!(set.is_empty());
}

#[test]
fn a_read_set_that_is_cut_short_or_too_long_is_refused() {
    let encoded = sample().encode();
    for length in 0..encoded.len() {
        assert_eq!(ReadSet::decode(&encoded[..length]), Err(ReadSetError::Truncated), "{length} bytes");
    }
    let longer = [&encoded[..], b"xy"].concat();
    assert_eq!(ReadSet::decode(&longer), Err(ReadSetError::TrailingBytes { count: 2 }));
}

#[test]
fn a_read_set_that_nobody_would_write_is_refused_for_what_is_wrong() {
    let refused =
        |points: &[u8], ranges: &[u8]| ReadSet::decode(&[&[0], points, ranges].concat()).unwrap_err();
    let none = [0; 4];
    assert_eq!(ReadSet::decode(&[2, 0, 0, 0, 0, 0, 0, 0, 0]), Err(ReadSetError::Flags { found: 2 }));
    assert_eq!(ReadSet::decode(&[&[1][..], &[0; 24]].concat()), Err(ReadSetError::Number));
    assert_eq!(refused(b"\x01\0\0\0\x81\x00\x00", &none), ReadSetError::Number);
    assert_eq!(refused(b"\x02\0\0\0\x01\x01b\x01\x01a", &none), ReadSetError::Order);
    assert_eq!(refused(b"\x02\0\0\0\x01\x01a\x01\x01a", &none), ReadSetError::Order);
    assert_eq!(refused(&none, b"\x01\0\0\0\x01\x01b\x01\x01b"), ReadSetError::Order);
    assert_eq!(refused(&none, b"\x02\0\0\0\x01\x01a\x01\x01b\x01\x01b\x00"), ReadSetError::Order);
    assert_eq!(refused(&none, b"\x02\0\0\0\x01\x01a\x00\x01\x01b\x00"), ReadSetError::Order);
    assert_eq!(refused(&none, b"\x01\0\0\0\x01\x01a\x07"), ReadSetError::Flags { found: 7 });
}

fn key() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(0_u8..3, 0..4)
}

fn bound() -> impl Strategy<Value = Bound<Vec<u8>>> {
    prop_oneof![
        1 => Just(Bound::Unbounded),
        4 => key().prop_map(Bound::Included),
        4 => key().prop_map(Bound::Excluded),
    ]
}

fn database() -> impl Strategy<Value = DatabaseId> {
    prop_oneof![Just(0), Just(1), Just(u32::MAX)].prop_map(DatabaseId::new)
}

proptest! {
    #[test]
    fn every_read_set_covers_what_was_added_and_comes_back(
        vlsn in 0_u64..3,
        points in proptest::collection::vec((database(), key()), 0..6),
        added in proptest::collection::vec((database(), (bound(), bound())), 0..8),
        probes in proptest::collection::vec((database(), key()), 40),
    ) {
        let mut set = ReadSet::new(snapshot(vlsn));
        points.iter().for_each(|(database, key)| set.add_point(*database, key));
        added.iter().for_each(|(database, range)| add(&mut set, *database, range));
        for (database, key) in &probes {
            let expected = added.iter().any(|(found, range)| found == database && lies_in(key, range));
            prop_assert_eq!(covers(&set, *database, key), expected);
        }
        for (database, key) in &points {
            prop_assert!(set.points().any(|point| point == (*database, key)));
        }
        prop_assert_eq!(ReadSet::decode(&set.encode()), Ok(set));
    }

    #[test]
    fn the_order_of_reads_does_not_matter(
        mut added in proptest::collection::vec((database(), (bound(), bound())), 0..8),
    ) {
        let gather = |added: &[(DatabaseId, Range)]| {
            let mut set = ReadSet::default();
            added.iter().for_each(|(database, range)| add(&mut set, *database, range));
            set
        };
        let one = gather(&added);
        added.reverse();
        prop_assert_eq!(gather(&added).encode(), one.encode());
    }

    #[test]
    fn arbitrary_bytes_are_refused_or_are_the_one_encoding(
        bytes in proptest::collection::vec(prop_oneof![4 => 0_u8..4, 1 => any::<u8>()], 0..60),
    ) {
        if let Ok(set) = ReadSet::decode(&bytes) {
            prop_assert_eq!(set.encode(), bytes);
        }
    }
}

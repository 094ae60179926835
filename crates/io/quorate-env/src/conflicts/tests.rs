//! The window against a naive model, and its bounds.

use super::*;
use proptest::prelude::*;
use quorate_codec::WriteBatch;
use quorate_core::{NodeId, Term};

const DATABASE: DatabaseId = DatabaseId::new(1);

fn at(vlsn: u64) -> Vlsn {
    Vlsn::new(vlsn).unwrap()
}

fn id(vlsn: u64) -> EntryId {
    EntryId { term: Term::new(4, NodeId::new(1)), vlsn: at(vlsn) }
}

fn payload(keys: &[Row]) -> Bytes {
    let mut batch = WriteBatch::new();
    keys.iter().for_each(|(database, key)| match key.len() % 2 {
        0 => batch.delete(*database, key),
        _ => batch.put(*database, key, b"value"),
    });
    let mut payload = Vec::new();
    let kind = PayloadKind::WriteBatch;
    Envelope { kind, schema_version: 1, session: None, body: batch.encoded() }.encode_into(&mut payload);
    payload.into()
}

fn write(key: &[u8]) -> Bytes {
    payload(&[(DATABASE, key.to_vec())])
}

fn point(snapshot: u64, key: &[u8]) -> ReadSet {
    let mut reads = ReadSet::new(Some(id(snapshot)));
    reads.add_point(DATABASE, key);
    reads
}

fn written(vlsn: u64) -> Result<(), Obstacle> {
    Err(Obstacle::Written { by: id(vlsn) })
}

fn too_old(vlsn: u64) -> Result<(), Obstacle> {
    Err(Obstacle::TooOld { oldest: id(vlsn) })
}

#[test]
fn what_was_written_after_the_snapshot_is_in_the_way_and_what_was_written_before_is_not() {
    let mut conflicts = Conflicts::new(id(10));
    conflicts.record(at(11), write(b"a"));
    conflicts.record(at(12), write(b"b"));
    conflicts.record(at(13), write(b"a"));
    assert_eq!(conflicts.check(&point(10, b"a")), written(13));
    assert_eq!(conflicts.check(&point(12, b"a")), written(13));
    assert_eq!(conflicts.check(&point(13, b"a")), Ok(()));
    assert_eq!(conflicts.check(&point(12, b"b")), Ok(()));
    assert_eq!(conflicts.check(&point(10, b"c")), Ok(()));
}

#[test]
fn a_snapshot_before_the_window_cannot_be_checked() {
    let mut conflicts = Conflicts::new(id(10));
    assert_eq!(conflicts.check(&point(9, b"a")), too_old(10));
    assert_eq!(conflicts.check(&ReadSet::new(None)), too_old(10));
    assert_eq!(conflicts.check(&point(10, b"a")), Ok(()));
}

#[test]
fn a_range_meets_what_is_written_into_it() {
    let mut conflicts = Conflicts::new(id(10));
    conflicts.record(at(11), write(b"m"));
    let range = |start: &[u8], end: &[u8]| {
        let mut reads = ReadSet::new(Some(id(10)));
        reads.add_range(DATABASE, Bound::Included(start), Bound::Excluded(end));
        reads
    };
    assert_eq!(conflicts.check(&range(b"a", b"z")), written(11));
    assert_eq!(conflicts.check(&range(b"m", b"n")), written(11));
    assert_eq!(conflicts.check(&range(b"a", b"m")), Ok(()));
    let mut other = ReadSet::new(Some(id(10)));
    other.add_range(DatabaseId::new(2), Bound::Unbounded, Bound::Unbounded);
    assert_eq!(conflicts.check(&other), Ok(()));
}

#[test]
fn entries_that_were_not_written_after_all_are_in_nobodys_way() {
    let mut conflicts = Conflicts::new(id(10));
    conflicts.record(at(11), write(b"a"));
    conflicts.record(at(12), write(b"a"));
    assert_eq!(conflicts.check(&point(10, b"a")), written(12));
    conflicts.record(at(13), write(b"a"));
    conflicts.forget_after(at(11));
    assert_eq!(conflicts.check(&point(10, b"a")), written(11));
    conflicts.record(at(12), write(b"b"));
    assert_eq!(conflicts.check(&point(11, b"b")), written(12));
}

#[test]
fn the_oldest_entries_leave_a_full_window() {
    let limits = Limits { keys: 2, ..LIMITS };
    let mut conflicts = Conflicts::with_limits(id(10), limits);
    (11..=13).for_each(|vlsn| conflicts.record(at(vlsn), write(b"a")));
    assert_eq!(conflicts.check(&point(10, b"a")), too_old(11));
    assert_eq!(conflicts.check(&point(11, b"a")), written(13));
    let huge: Vec<_> = (0..5_u8).map(|key| (DATABASE, vec![key])).collect();
    conflicts.record(at(14), payload(&huge));
    assert_eq!(conflicts.check(&point(13, b"a")), too_old(14));
    assert_eq!(conflicts.check(&point(14, b"a")), Ok(()));
}

#[test]
fn without_transactions_a_window_holds_a_bounded_number_of_entries() {
    let limits = Limits { pending: 3, ..LIMITS };
    let mut conflicts = Conflicts::with_limits(id(10), limits);
    (11..=20).for_each(|vlsn| conflicts.record(at(vlsn), write(b"a")));
    assert_eq!(conflicts.start(), id(17));
    assert_eq!(conflicts.check(&point(17, b"a")), written(20));
    let limits = Limits { pending_bytes: 100, ..LIMITS };
    let mut conflicts = Conflicts::with_limits(id(10), limits);
    conflicts.record(at(11), Bytes::from(vec![0; 200]));
    assert_eq!((conflicts.start(), conflicts.pending_bytes), (id(11), 0));
}

#[test]
fn entries_that_write_no_keys_are_in_nobodys_way() {
    let mut conflicts = Conflicts::new(id(10));
    conflicts.record(at(11), Bytes::from_static(b"\x02\x00\x01\x00opaque"));
    conflicts.record(at(12), payload(&[]));
    assert_eq!(conflicts.check(&point(10, b"a")), Ok(()));
}

/// A key in its database.
type Row = (DatabaseId, Vec<u8>);

/// Everything since the start, as it came.
struct Model {
    entries: Vec<(u64, Vec<Row>)>,
}

impl Model {
    fn last_written(&self, reads: &ReadSet) -> Option<u64> {
        let is_read = |database: DatabaseId, key: &[u8]| {
            let in_range = |(found, start, end): (DatabaseId, &[u8], Option<&[u8]>)| {
                found == database && start <= key && end.is_none_or(|end| key < end)
            };
            reads.points().any(|point| point == (database, key)) || reads.ranges().any(in_range)
        };
        let reaches = |keys: &[Row]| keys.iter().any(|(database, key)| is_read(*database, key));
        self.entries.iter().filter(|(_, keys)| reaches(keys)).map(|(vlsn, _)| *vlsn).max()
    }
}

#[derive(Clone, Debug)]
enum Step {
    Record(Vec<Row>),
    /// Forgets so many entries.
    Forget(u64),
    /// Checks what was read so many entries ago.
    Check(u64, Vec<Row>, Vec<(DatabaseId, Vec<u8>, Vec<u8>)>),
}

fn key() -> impl Strategy<Value = Row> {
    (1_u32..3, proptest::collection::vec(0_u8..3, 1..3))
        .prop_map(|(database, key)| (DatabaseId::new(database), key))
}

fn step() -> impl Strategy<Value = Step> {
    let keys = |count| proptest::collection::vec(key(), 0..count);
    let range = (key(), proptest::collection::vec(0_u8..4, 1..3))
        .prop_map(|((database, start), end)| (database, start, end));
    prop_oneof![
        4 => keys(4).prop_map(Step::Record),
        1 => (0_u64..4).prop_map(Step::Forget),
        4 => (0_u64..8, keys(3), proptest::collection::vec(range, 0..3))
            .prop_map(|(age, points, ranges)| Step::Check(age, points, ranges)),
    ]
}

fn reads_of(snapshot: u64, points: &[Row], ranges: &[(DatabaseId, Vec<u8>, Vec<u8>)]) -> ReadSet {
    let mut reads = ReadSet::new(Some(id(snapshot)));
    points.iter().for_each(|(database, key)| reads.add_point(*database, key));
    ranges.iter().for_each(|(database, start, end)| {
        reads.add_range(*database, Bound::Included(start.as_slice()), Bound::Excluded(end.as_slice()))
    });
    reads
}

proptest! {
    #[test]
    fn the_window_agrees_with_a_naive_model(
        steps in proptest::collection::vec(step(), 1..80),
        keys in prop_oneof![Just(3_usize), Just(8), Just(1000)],
        pending in prop_oneof![Just(2_usize), Just(5), Just(1000)],
    ) {
        const START: u64 = 100;
        let mut conflicts = Conflicts::with_limits(id(START), Limits { keys, pending, ..LIMITS });
        let mut model = Model { entries: Vec::new() };
        let mut last = START;
        for step in steps {
            match step {
                Step::Record(keys) => {
                    last += 1;
                    conflicts.record(at(last), payload(&keys));
                    model.entries.push((last, keys));
                }
                Step::Forget(count) => {
                    // Only what was recorded since the last proposal that was written is ever forgotten.
                    last = (last - count).max(conflicts.start().vlsn.as_u64());
                    conflicts.forget_after(at(last));
                    model.entries.retain(|(vlsn, _)| *vlsn <= last);
                }
                Step::Check(age, points, ranges) => {
                    let snapshot = last - age;
                    let reads = reads_of(snapshot, &points, &ranges);
                    let found = conflicts.check(&reads);
                    let start = conflicts.start().vlsn.as_u64();
                    let expected = match model.last_written(&reads) {
                        _ if snapshot < start => too_old(start),
                        Some(vlsn) if vlsn > snapshot => written(vlsn),
                        _ => Ok(()),
                    };
                    prop_assert_eq!(found, expected);
                    let is_roomy = keys == 1000 && pending == 1000;
                    prop_assert!(!is_roomy || start == START, "nothing leaves a roomy window");
                }
            }
        }
    }
}

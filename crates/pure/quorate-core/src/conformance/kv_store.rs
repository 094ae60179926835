//! What every [`KvStore`] must do.

use crate::{KvOperation, KvSnapshot, KvStore, Random};
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::ops::Bound;
use std::thread;

/// The longest key in bytes that a store must take.
pub const KEY_BYTES_MAX: usize = u16::MAX as usize;

/// Whether a store is to be opened for the first time or again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// In a new place: the store is empty.
    Fresh,
    /// In the place of the one opened before, which has been dropped.
    Again,
}

type Model = BTreeMap<Vec<u8>, Vec<u8>>;

/// Runs every check that needs no reopening. `open` gives an empty store at each call.
///
/// # Panics
/// If the store breaks the trait's promises.
pub fn suite(mut open: impl FnMut() -> Arc<dyn KvStore>) {
    a_fresh_store_is_empty(&*open());
    a_write_is_seen_by_later_snapshots(&*open());
    operations_of_a_write_take_effect_in_order(&*open());
    empty_values_and_long_keys_are_kept(&*open());
    a_snapshot_never_changes(&*open());
    a_scan_returns_the_rows_between_its_bounds(&*open());
    an_empty_or_inverted_range_has_no_rows(&*open());
    an_unfinished_scan_does_not_block_the_writer(&*open());
    readers_on_other_threads_see_whole_writes(&open());
    random_writes_match_an_ordered_map(&*open());
    flush_always_says_the_same(&*open());
}

/// Runs the checks of a store that keeps its data over a restart.
///
/// # Panics
/// If the store breaks the trait's promises.
pub fn reopen_suite(mut open: impl FnMut(Opening) -> Arc<dyn KvStore>) {
    flushed_writes_are_there_again(&mut open);
    a_reopened_store_holds_a_prefix_of_its_writes(&mut open);
    a_reopened_store_goes_on(&mut open);
}

fn a_fresh_store_is_empty(store: &dyn KvStore) {
    let snapshot = store.snapshot().unwrap();
    assert_eq!(snapshot.get(b"key").unwrap(), None);
    assert_eq!(rows(&*snapshot), Model::new());
}

fn a_write_is_seen_by_later_snapshots(store: &dyn KvStore) {
    store.write(&[put(b"b", b"2"), put(b"a", b"1")]).unwrap();
    let snapshot = store.snapshot().unwrap();
    assert_eq!(snapshot.get(b"a").unwrap().as_deref(), Some(&b"1"[..]));
    assert_eq!(snapshot.get(b"c").unwrap(), None);
    assert_eq!(rows(&*snapshot), model(&[(b"a", b"1"), (b"b", b"2")]));
    store.write(&[delete(b"a"), delete(b"never there"), put(b"b", b"3")]).unwrap();
    assert_eq!(rows(&*store.snapshot().unwrap()), model(&[(b"b", b"3")]));
}

fn operations_of_a_write_take_effect_in_order(store: &dyn KvStore) {
    store
        .write(&[put(b"k", b"1"), delete(b"k"), put(b"k", b"2"), put(b"gone", b"1"), delete(b"gone")])
        .unwrap();
    assert_eq!(rows(&*store.snapshot().unwrap()), model(&[(b"k", b"2")]));
    store.write(&[]).unwrap();
    assert_eq!(rows(&*store.snapshot().unwrap()), model(&[(b"k", b"2")]));
}

fn empty_values_and_long_keys_are_kept(store: &dyn KvStore) {
    let (long_key, long_value) = (vec![7; KEY_BYTES_MAX], vec![9; 1 << 20]);
    store
        .write(&[put(b"empty", b""), put(&long_key, &long_value), put(&[0], b"0"), put(&[0xff], b"255")])
        .unwrap();
    let snapshot = store.snapshot().unwrap();
    assert_eq!(snapshot.get(b"empty").unwrap().as_deref(), Some(&b""[..]));
    assert!(snapshot.get(&long_key).unwrap().as_deref() == Some(&long_value[..]), "a long row is kept whole");
    assert_eq!(rows(&*snapshot).len(), 4);
}

fn a_snapshot_never_changes(store: &dyn KvStore) {
    store.write(&[put(b"a", b"1"), put(b"b", b"1")]).unwrap();
    let before = store.snapshot().unwrap();
    for number in 0..200_u32 {
        store
            .write(&[put(b"a", &number.to_be_bytes()), delete(b"b"), put(&number.to_be_bytes(), b"new")])
            .unwrap();
    }
    store.flush().unwrap();
    assert_eq!(rows(&*before), model(&[(b"a", b"1"), (b"b", b"1")]));
    assert_eq!(before.get(b"b").unwrap().as_deref(), Some(&b"1"[..]));
    assert_eq!(store.snapshot().unwrap().get(b"b").unwrap(), None);
}

fn a_scan_returns_the_rows_between_its_bounds(store: &dyn KvStore) {
    let keys: [&[u8]; 6] = [&[0], &[0, 0], &[1], &[1, 0xff], &[2], &[0xff, 0xff]];
    let operations: Vec<_> = keys.iter().map(|key| put(key, b"value")).collect();
    store.write(&operations).unwrap();
    let snapshot = store.snapshot().unwrap();
    for start in bounds(&keys) {
        for end in bounds(&keys) {
            let expected: Vec<_> = keys.iter().filter(|key| is_between(key, start, end)).collect();
            let found: Vec<_> = snapshot.scan(start, end).unwrap().map(|row| row.unwrap().0).collect();
            assert_eq!(found, expected, "between {start:?} and {end:?}");
            let back: Vec<_> = snapshot.scan_back(start, end).unwrap().map(|row| row.unwrap().0).collect();
            assert!(back.iter().eq(expected.into_iter().rev()), "back between {start:?} and {end:?}");
        }
    }
}

fn an_empty_or_inverted_range_has_no_rows(store: &dyn KvStore) {
    store.write(&[put(b"a", b"1"), put(b"b", b"1"), put(b"c", b"1")]).unwrap();
    let snapshot = store.snapshot().unwrap();
    let count = |start, end| {
        let scan = snapshot.scan(start, end).unwrap().count();
        scan + snapshot.scan_back(start, end).unwrap().count()
    };
    assert_eq!(count(Bound::Included(&b"c"[..]), Bound::Included(&b"a"[..])), 0);
    assert_eq!(count(Bound::Included(&b"b"[..]), Bound::Excluded(&b"b"[..])), 0);
    assert_eq!(count(Bound::Excluded(&b"b"[..]), Bound::Excluded(&b"b"[..])), 0);
    assert_eq!(count(Bound::Excluded(&b"b"[..]), Bound::Included(&b"b"[..])), 0);
    assert_eq!(count(Bound::Unbounded, Bound::Excluded(&b""[..])), 0);
    assert_eq!(count(Bound::Excluded(&b"c"[..]), Bound::Unbounded), 0);
}

fn an_unfinished_scan_does_not_block_the_writer(store: &dyn KvStore) {
    store.write(&[put(b"a", b"1"), put(b"b", b"1")]).unwrap();
    let snapshot = store.snapshot().unwrap();
    let mut scan = snapshot.scan(Bound::Unbounded, Bound::Unbounded).unwrap();
    let mut back = snapshot.scan_back(Bound::Unbounded, Bound::Unbounded).unwrap();
    assert_eq!(scan.next().unwrap().unwrap().0, b"a"[..]);
    assert_eq!(back.next().unwrap().unwrap().0, b"b"[..]);
    store.write(&[delete(b"b"), put(b"c", b"1")]).unwrap();
    store.flush().unwrap();
    assert_eq!(scan.next().unwrap().unwrap().0, b"b"[..]);
    assert_eq!(back.next().unwrap().unwrap().0, b"a"[..]);
    assert!(scan.next().is_none() && back.next().is_none());
}

#[expect(
    clippy::disallowed_methods,
    reason = "a suite is a test: it needs a second thread to read while one writes"
)]
fn readers_on_other_threads_see_whole_writes(store: &Arc<dyn KvStore>) {
    const WRITES: u64 = 500;
    let reader = {
        let store = Arc::clone(store);
        thread::spawn(move || {
            let mut last = 0;
            while last < WRITES {
                let snapshot = store.snapshot().unwrap();
                let [left, right] = [number(&*snapshot, b"left"), number(&*snapshot, b"right")];
                assert_eq!(left, right, "a snapshot shows half of a write");
                assert!(left >= last, "a later snapshot shows an earlier state");
                last = left;
            }
        })
    };
    for count in 1..=WRITES {
        let value = count.to_be_bytes();
        store.write(&[put(b"left", &value), put(&value, b"between"), put(b"right", &value)]).unwrap();
    }
    reader.join().unwrap();
}

fn random_writes_match_an_ordered_map(store: &dyn KvStore) {
    let (mut random, mut model) = (Random::new(0x5eed), Model::new());
    for write in 0..300 {
        let changes: Vec<_> = (0..random.below(20)).map(|_| random_change(&mut random)).collect();
        let operations: Vec<_> =
            changes.iter().map(|(key, value)| operation(key, value.as_deref())).collect();
        store.write(&operations).unwrap();
        for (key, value) in changes {
            change_model(&mut model, key, value);
        }
        if write % 50 == 0 {
            store.flush().unwrap();
        }
    }
    let snapshot = store.snapshot().unwrap();
    assert_eq!(rows(&*snapshot), model);
    for (key, value) in &model {
        assert_eq!(snapshot.get(key).unwrap().as_deref(), Some(&value[..]));
    }
}

fn flush_always_says_the_same(store: &dyn KvStore) {
    let on_empty = store.flush().unwrap();
    store.write(&[put(b"a", b"1")]).unwrap();
    assert_eq!(store.flush().unwrap(), on_empty);
    assert_eq!(store.flush().unwrap(), on_empty);
}

fn flushed_writes_are_there_again(open: &mut impl FnMut(Opening) -> Arc<dyn KvStore>) {
    let store = open(Opening::Fresh);
    store.write(&[put(b"a", b"1"), put(b"b", b"1")]).unwrap();
    store.write(&[delete(b"a")]).unwrap();
    assert!(store.flush().unwrap(), "a store that can be reopened says that its writes are durable");
    drop(store);
    let store = open(Opening::Again);
    assert_eq!(rows(&*store.snapshot().unwrap()), model(&[(b"b", b"1")]));
}

fn a_reopened_store_holds_a_prefix_of_its_writes(open: &mut impl FnMut(Opening) -> Arc<dyn KvStore>) {
    let store = open(Opening::Fresh);
    for count in 1..=40_u64 {
        store.write(&[put(b"count", &count.to_be_bytes()), put(&count.to_be_bytes(), b"row")]).unwrap();
        if count == 20 {
            store.flush().unwrap();
        }
    }
    drop(store);
    assert_prefix(&*open(Opening::Again), 20, 40);
}

fn a_reopened_store_goes_on(open: &mut impl FnMut(Opening) -> Arc<dyn KvStore>) {
    let mut opening = Opening::Fresh;
    for count in 1..=5_u64 {
        let store = open(opening);
        opening = Opening::Again;
        store.write(&[put(&count.to_be_bytes(), b"row")]).unwrap();
        store.flush().unwrap();
        assert_eq!(rows(&*store.snapshot().unwrap()).len() as u64, count);
    }
}

/// Checks that a store holds the first writes of a row each that also set `count`, at least `least` and at
/// most `most` of them.
///
/// # Panics
/// If it does not.
pub fn assert_prefix(store: &dyn KvStore, least: u64, most: u64) {
    let snapshot = store.snapshot().unwrap();
    let count = number(&*snapshot, b"count");
    assert!((least..=most).contains(&count), "{count} writes survived, of {most}, {least} of them flushed");
    let expected: Vec<_> = (1..=count).map(|count| count.to_be_bytes().to_vec()).collect();
    let found: Vec<_> = rows(&*snapshot).into_keys().filter(|key| key != b"count").collect();
    assert_eq!(found, expected, "the writes that survived are not the first {count}");
}

fn put<'a>(key: &'a [u8], value: &'a [u8]) -> KvOperation<'a> {
    KvOperation::Put { key, value }
}

fn delete(key: &[u8]) -> KvOperation<'_> {
    KvOperation::Delete { key }
}

fn operation<'a>(key: &'a [u8], value: Option<&'a [u8]>) -> KvOperation<'a> {
    value.map_or(delete(key), |value| put(key, value))
}

fn rows(snapshot: &dyn KvSnapshot) -> Model {
    let rows: Vec<_> =
        snapshot.scan(Bound::Unbounded, Bound::Unbounded).unwrap().map(Result::unwrap).collect();
    assert!(rows.is_sorted_by(|a, b| a.0 < b.0), "rows come in key order, each once");
    let back = snapshot.scan_back(Bound::Unbounded, Bound::Unbounded).unwrap().map(Result::unwrap);
    assert!(back.eq(rows.iter().rev().cloned()), "backwards the same rows come, in descending order");
    rows.into_iter().map(|(key, value)| (key.to_vec(), value.to_vec())).collect()
}

fn model(rows: &[(&[u8], &[u8])]) -> Model {
    rows.iter().map(|(key, value)| (key.to_vec(), value.to_vec())).collect()
}

/// The number at a key, 0 where there is none.
fn number(snapshot: &dyn KvSnapshot, key: &[u8]) -> u64 {
    let value = snapshot.get(key).unwrap();
    value.map_or(0, |value| u64::from_be_bytes((*value).try_into().unwrap()))
}

fn bounds<'a>(keys: &[&'a [u8]]) -> Vec<Bound<&'a [u8]>> {
    let mut bounds = vec![Bound::Unbounded];
    for key in keys {
        bounds.extend([Bound::Included(*key), Bound::Excluded(*key)]);
    }
    bounds
}

fn is_between(key: &[u8], start: Bound<&[u8]>, end: Bound<&[u8]>) -> bool {
    let is_behind_start = match start {
        Bound::Unbounded => true,
        Bound::Included(start) => key >= start,
        Bound::Excluded(start) => key > start,
    };
    let is_before_end = match end {
        Bound::Unbounded => true,
        Bound::Included(end) => key <= end,
        Bound::Excluded(end) => key < end,
    };
    is_behind_start && is_before_end
}

/// A key of few, so that keys meet again; every third change removes it.
fn random_change(random: &mut Random) -> (Vec<u8>, Option<Vec<u8>>) {
    let key = (random.below(400) as u32).to_be_bytes().to_vec();
    let value = vec![random.below(256) as u8; random.below(300) as usize];
    (key, (random.below(3) > 0).then_some(value))
}

fn change_model(model: &mut Model, key: Vec<u8>, value: Option<Vec<u8>>) {
    match value {
        Some(value) => drop(model.insert(key, value)),
        None => drop(model.remove(&key)),
    }
}

//! What write batches do to the named databases, and how they are read.

mod common;

use common::{batch, entry, entry_at};
use quorate_codec::{DATABASE_NAME_BYTES_MAX, DatabaseId, Envelope, PayloadKind, WriteBatch};
use quorate_core::{Engine, EngineError, KvOperation, KvStore};
use quorate_engine::MemoryStore;
use quorate_env::kv::{
    DATABASES_MAX, DEFAULT_DATABASE, DatabaseSnapshot, KEY_BYTES_MAX, KvEngine, KvReader, Outcome, Refusal,
    SCHEMA_VERSION,
};
use std::ops::Bound;
use std::sync::Arc;

fn engine() -> KvEngine {
    KvEngine::open(Arc::new(MemoryStore::new())).unwrap()
}

fn snapshot(engine: &KvEngine) -> DatabaseSnapshot {
    engine.reader().snapshot().unwrap()
}

/// Applies batches from VLSN 1 on and returns what became of each.
fn outcomes(engine: &mut KvEngine, batches: &[WriteBatch]) -> Vec<Outcome> {
    let entries: Vec<_> = (1..).zip(batches).map(|(vlsn, batch)| entry(vlsn, batch)).collect();
    let mut results = Vec::new();
    engine.apply(&entries, &mut results).unwrap();
    results.iter().map(|result| Outcome::decode(result).unwrap()).collect()
}

fn done(databases: &[u32]) -> Outcome {
    Outcome::Done { databases: databases.iter().map(|number| DatabaseId::new(*number)).collect() }
}

fn refused(refusal: Refusal) -> Outcome {
    Outcome::Refused(refusal)
}

fn create(names: &[&str]) -> WriteBatch {
    batch(|batch| names.iter().for_each(|name| batch.create_database(name)))
}

fn keys(
    snapshot: &DatabaseSnapshot,
    database: DatabaseId,
    start: Bound<&[u8]>,
    end: Bound<&[u8]>,
) -> Vec<Vec<u8>> {
    snapshot.scan(database, start, end).unwrap().map(|row| row.unwrap().0.to_vec()).collect()
}

#[test]
fn the_default_database_is_there_before_any_entry() {
    let engine = engine();
    assert_eq!(snapshot(&engine).database("default").unwrap(), Some(DEFAULT_DATABASE));
    assert_eq!(snapshot(&engine).databases().unwrap(), [("default".to_owned(), DatabaseId::new(1))]);
}

#[test]
fn databases_are_numbered_in_the_order_of_their_creation() {
    let mut engine = engine();
    let batches =
        [create(&["zebra", "ant"]), create(&["ant"]), create(&["default"]), create(&["bee", "bee", "zebra"])];
    assert_eq!(outcomes(&mut engine, &batches), [done(&[2, 3]), done(&[3]), done(&[1]), done(&[4, 4, 2])]);
    let names: Vec<_> = snapshot(&engine).databases().unwrap().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["default", "zebra", "ant", "bee"]);
    assert_eq!(snapshot(&engine).database("ant").unwrap(), Some(DatabaseId::new(3)));
    assert_eq!(snapshot(&engine).database("an").unwrap(), None);
}

#[test]
fn a_row_is_found_by_its_key_and_no_other_however_long_the_key_is() {
    let mut engine = engine();
    let key_of = |length: usize| vec![7; length];
    let lengths = [1, 100, 122, 123, 124, 128, 129, 1000, KEY_BYTES_MAX];
    let write = batch(|batch| {
        lengths
            .iter()
            .for_each(|length| batch.put(DEFAULT_DATABASE, &key_of(*length), &length.to_be_bytes()));
    });
    outcomes(&mut engine, &[write]);
    let snapshot = snapshot(&engine);
    for length in lengths {
        let found = snapshot.get(DEFAULT_DATABASE, &key_of(length)).unwrap();
        assert_eq!(found.as_deref(), Some(&length.to_be_bytes()[..]));
        assert_eq!(
            snapshot.get(DEFAULT_DATABASE, &key_of(length + 1)).unwrap().is_some(),
            lengths.contains(&(length + 1))
        );
    }
}

#[test]
fn numbers_go_on_after_the_engine_is_opened_again() {
    let store: Arc<dyn KvStore> = Arc::new(MemoryStore::new());
    let mut engine = KvEngine::open(Arc::clone(&store)).unwrap();
    outcomes(&mut engine, &[create(&["a", "b"])]);
    let mut again = KvEngine::open(store).unwrap();
    assert_eq!(again.applied(), engine.applied());
    let mut results = Vec::new();
    again.apply(&[entry(2, &create(&["c", "a"]))], &mut results).unwrap();
    assert_eq!(Outcome::decode(&results[0]), Some(done(&[4, 2])));
}

#[test]
fn a_database_can_be_used_in_the_batch_that_creates_it() {
    let mut engine = engine();
    let both = batch(|batch| {
        batch.create_database("new");
        batch.put(DatabaseId::new(2), b"key", b"value");
    });
    assert_eq!(outcomes(&mut engine, &[both]), [done(&[2])]);
    assert_eq!(snapshot(&engine).get(DatabaseId::new(2), b"key").unwrap().as_deref(), Some(&b"value"[..]));
}

#[test]
fn a_batch_that_names_an_unknown_database_has_no_effect_at_all() {
    let mut engine = engine();
    let stray = DatabaseId::new(3);
    let half_good = batch(|batch| {
        batch.put(DEFAULT_DATABASE, b"key", b"value");
        batch.create_database("new");
        batch.delete(stray, b"key");
    });
    let batches = [half_good, batch(|batch| batch.put(DatabaseId::new(0), b"k", b"v")), create(&["next"])];
    let expected = [
        refused(Refusal::UnknownDatabase(stray)),
        refused(Refusal::UnknownDatabase(DatabaseId::new(0))),
        done(&[2]),
    ];
    assert_eq!(outcomes(&mut engine, &batches), expected);
    assert_eq!(snapshot(&engine).get(DEFAULT_DATABASE, b"key").unwrap(), None);
    assert_eq!(snapshot(&engine).database("new").unwrap(), None);
    assert_eq!(
        engine.applied(),
        Some(entry(3, &WriteBatch::new()).id),
        "a refused entry is applied all the same"
    );
}

#[test]
fn a_batch_beyond_a_limit_has_no_effect_at_all() {
    let mut engine = engine();
    let long_key = vec![1; KEY_BYTES_MAX + 1];
    let long_name = "n".repeat(DATABASE_NAME_BYTES_MAX + 1);
    let batches = [
        batch(|batch| {
            batch.put(DEFAULT_DATABASE, &long_key[1..], b"as long as can be");
            batch.put(DEFAULT_DATABASE, &long_key, b"too long");
        }),
        batch(|batch| batch.delete(DEFAULT_DATABASE, &long_key)),
        create(&["short", &long_name]),
        batch(|batch| batch.put(DEFAULT_DATABASE, &long_key[1..], b"value")),
    ];
    let too_long = refused(Refusal::KeyTooLong);
    let expected = [too_long.clone(), too_long, refused(Refusal::NameTooLong), done(&[])];
    assert_eq!(outcomes(&mut engine, &batches), expected);
    assert_eq!(
        snapshot(&engine).get(DEFAULT_DATABASE, &long_key[1..]).unwrap().as_deref(),
        Some(&b"value"[..])
    );
    assert_eq!(snapshot(&engine).databases().unwrap().len(), 1);
}

#[test]
fn the_number_of_databases_is_limited() {
    let mut engine = engine();
    let names: Vec<_> = (2..=DATABASES_MAX).map(|number| number.to_string()).collect();
    let all = batch(|batch| names.iter().for_each(|name| batch.create_database(name)));
    let found = outcomes(&mut engine, &[all, create(&["one more"]), create(&["7"])]);
    assert_eq!(found[1..], [refused(Refusal::TooManyDatabases), done(&[7])]);
}

#[test]
fn scans_stay_within_their_database() {
    let mut engine = engine();
    let databases = [1, 2, 3].map(DatabaseId::new);
    let fill = batch(|batch| {
        for database in databases {
            for key in [&b""[..], b"a", b"b", &[0xff, 0xff]] {
                batch.put(database, key, b"value");
            }
        }
    });
    outcomes(&mut engine, &[create(&["two", "three"]), fill]);
    let snapshot = snapshot(&engine);
    for database in databases {
        let all = keys(&snapshot, database, Bound::Unbounded, Bound::Unbounded);
        assert_eq!(all, [&b""[..], b"a", b"b", &[0xff, 0xff]]);
        let some = keys(&snapshot, database, Bound::Excluded(b"a"), Bound::Included(b"b"));
        assert_eq!(some, [b"b"]);
    }
    let beyond = keys(&snapshot, DatabaseId::new(u32::MAX), Bound::Unbounded, Bound::Unbounded);
    assert!(beyond.is_empty());
}

#[test]
fn a_snapshot_shows_databases_rows_and_position_of_one_moment() {
    let mut engine = engine();
    let put = |value: &'static [u8]| batch(move |batch| batch.put(DEFAULT_DATABASE, b"key", value));
    outcomes(&mut engine, &[put(b"1")]);
    let before = snapshot(&engine);
    engine.apply(&[entry(2, &put(b"2")), entry(3, &create(&["new"]))], &mut Vec::new()).unwrap();
    assert_eq!(before.applied().unwrap().map(|id| id.vlsn.as_u64()), Some(1));
    assert_eq!(before.get(DEFAULT_DATABASE, b"key").unwrap().as_deref(), Some(&b"1"[..]));
    assert_eq!(before.database("new").unwrap(), None);
    assert_eq!(snapshot(&engine).applied().unwrap(), engine.applied());
}

#[test]
fn payloads_of_another_kind_or_schema_are_refused_by_name() {
    let opaque =
        Envelope { kind: PayloadKind::Opaque, schema_version: SCHEMA_VERSION, session: None, body: b"" };
    let newer = Envelope {
        kind: PayloadKind::WriteBatch,
        schema_version: SCHEMA_VERSION + 1,
        session: None,
        body: b"",
    };
    for envelope in [opaque, newer] {
        let mut payload = Vec::new();
        envelope.encode_into(&mut payload);
        let entry = entry_at(1, payload.into());
        match engine().apply(std::slice::from_ref(&entry), &mut Vec::new()) {
            Err(EngineError::Payload { id, .. }) => assert_eq!(id, entry.id),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
#[should_panic(expected = "entries are applied in order")]
fn an_entry_out_of_order_is_a_bug() {
    let _ = engine().apply(&[entry(2, &WriteBatch::new())], &mut Vec::new());
}

#[test]
fn a_store_of_something_else_is_refused() {
    let store: Arc<dyn KvStore> = Arc::new(MemoryStore::new());
    store.write(&[KvOperation::Put { key: b"users/1", value: b"somebody's" }]).unwrap();
    assert!(matches!(KvEngine::open(Arc::clone(&store)), Err(EngineError::Corrupt { .. })));
    assert!(matches!(KvReader::open(store), Err(EngineError::Corrupt { .. })));
}

#[test]
fn a_damaged_mark_is_refused() {
    let store: Arc<dyn KvStore> = Arc::new(MemoryStore::new());
    outcomes(&mut KvEngine::open(Arc::clone(&store)).unwrap(), &[create(&["a"])]);
    store.write(&[KvOperation::Put { key: b"\0a", value: &[0; 16] }]).unwrap();
    assert!(matches!(KvEngine::open(Arc::clone(&store)), Err(EngineError::Corrupt { .. })));
    store.write(&[KvOperation::Put { key: b"\0a", value: &[1; 15] }]).unwrap();
    assert!(matches!(KvEngine::open(store), Err(EngineError::Corrupt { .. })));
}

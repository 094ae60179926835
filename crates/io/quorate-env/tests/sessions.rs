//! What a request that names a session does, once.

mod common;

use bytes::Bytes;
use common::{batch, entry, entry_at, payload};
use proptest::prelude::*;
use quorate_codec::{DatabaseId, PayloadKind, Session, WriteBatch};
use quorate_core::{Committed, Engine, EngineError, KvOperation, KvStore};
use quorate_engine::MemoryStore;
use quorate_env::kv::{DEFAULT_DATABASE, KvEngine, Outcome, Refusal, SESSION_DATABASES_MAX, SESSIONS_MAX};
use std::ops::Bound;
use std::sync::Arc;

/// An engine over a store in memory, and the entries that it is given, counted from 1.
struct Subject {
    store: Arc<dyn KvStore>,
    engine: KvEngine,
    applied: u64,
}

impl Subject {
    fn new() -> Self {
        let store: Arc<dyn KvStore> = Arc::new(MemoryStore::new());
        Self { engine: KvEngine::open(Arc::clone(&store)).unwrap(), store, applied: 0 }
    }

    fn reopen(&mut self) {
        self.engine = KvEngine::open(Arc::clone(&self.store)).unwrap();
    }

    fn results(&mut self, payloads: &[Bytes]) -> Result<Vec<Bytes>, EngineError> {
        let entries: Vec<Committed> = (self.applied + 1..)
            .zip(payloads)
            .map(|(vlsn, payload)| entry_at(vlsn, payload.clone()))
            .collect();
        let mut results = Vec::new();
        self.engine.apply(&entries, &mut results)?;
        self.applied += payloads.len() as u64;
        Ok(results)
    }

    fn apply(&mut self, payload: Bytes) -> Outcome {
        Outcome::decode(&self.results(&[payload]).unwrap()[0]).unwrap()
    }

    fn value(&self, key: &[u8]) -> Option<Bytes> {
        self.engine.reader().snapshot().unwrap().get(DEFAULT_DATABASE, key).unwrap()
    }

    fn rows(&self) -> Vec<(Bytes, Bytes)> {
        let snapshot = self.store.snapshot().unwrap();
        snapshot.scan(Bound::Unbounded, Bound::Unbounded).unwrap().map(Result::unwrap).collect()
    }
}

const fn numbered(client: u128, sequence: u64) -> Session {
    Session { client, sequence }
}

fn open(client: u128) -> Bytes {
    payload(PayloadKind::OpenSession, Some(numbered(client, 0)), &WriteBatch::new())
}

fn put(session: Session, key: &[u8], value: &[u8]) -> Bytes {
    write(session, &batch(|batch| batch.put(DEFAULT_DATABASE, key, value)))
}

fn fence(session: Session) -> Bytes {
    write(session, &WriteBatch::new())
}

fn write(session: Session, batch: &WriteBatch) -> Bytes {
    payload(PayloadKind::WriteBatch, Some(session), batch)
}

fn done() -> Outcome {
    Outcome::Done { databases: vec![] }
}

fn duplicate(vlsn: u64, outcome: Outcome) -> Outcome {
    let of = entry(vlsn, &WriteBatch::new()).id;
    Outcome::Duplicate { of, outcome: Box::new(outcome) }
}

const EXPIRED: Outcome = Outcome::Refused(Refusal::SessionExpired);
const STALE: Outcome = Outcome::Refused(Refusal::StaleSequence);

#[test]
fn a_request_repeated_has_no_second_effect_and_is_answered_as_the_first() {
    let mut subject = Subject::new();
    assert_eq!(subject.apply(open(7)), done());
    assert_eq!(subject.apply(put(numbered(7, 1), b"k", b"first")), done());
    assert_eq!(subject.apply(put(numbered(7, 1), b"k", b"again")), duplicate(2, done()));
    assert_eq!(subject.apply(put(numbered(7, 1), b"k", b"again")), duplicate(2, done()));
    assert_eq!(subject.value(b"k").as_deref(), Some(&b"first"[..]));
}

#[test]
fn a_repeated_request_gets_the_databases_or_the_refusal_of_the_first() {
    let mut subject = Subject::new();
    let create = batch(|batch| batch.create_database("new"));
    let stray = batch(|batch| batch.put(DatabaseId::new(9), b"k", b"v"));
    let results = subject
        .results(&[
            open(7),
            write(numbered(7, 1), &create),
            write(numbered(7, 1), &create),
            write(numbered(7, 2), &stray),
            write(numbered(7, 2), &stray),
        ])
        .unwrap();
    let outcomes: Vec<_> = results.iter().map(|result| Outcome::decode(result).unwrap()).collect();
    let created = Outcome::Done { databases: vec![DatabaseId::new(2)] };
    let refused = Outcome::Refused(Refusal::UnknownDatabase(DatabaseId::new(9)));
    assert_eq!(outcomes[1..3], [created.clone(), duplicate(2, created)]);
    assert_eq!(outcomes[3..], [refused.clone(), duplicate(4, refused)]);
}

#[test]
fn a_fence_tells_whether_its_number_was_taken_and_takes_it_if_not() {
    let mut subject = Subject::new();
    subject.apply(open(7));
    subject.apply(put(numbered(7, 1), b"k", b"v"));
    assert_eq!(subject.apply(fence(numbered(7, 1))), duplicate(2, done()));
    assert_eq!(subject.apply(fence(numbered(7, 2))), Outcome::Fenced);
    assert_eq!(subject.apply(fence(numbered(7, 2))), duplicate(4, Outcome::Fenced));
    assert_eq!(subject.apply(put(numbered(7, 2), b"k", b"late")), duplicate(4, Outcome::Fenced));
    assert_eq!(subject.value(b"k").as_deref(), Some(&b"v"[..]));
}

#[test]
fn numbers_may_be_left_out_but_never_go_back() {
    let mut subject = Subject::new();
    subject.apply(open(7));
    assert_eq!(subject.apply(put(numbered(7, 5), b"k", b"5")), done());
    assert_eq!(subject.apply(put(numbered(7, 4), b"k", b"4")), STALE);
    assert_eq!(subject.apply(put(numbered(7, 0), b"k", b"0")), STALE);
    assert_eq!(subject.apply(open(7)), STALE);
    assert_eq!(subject.value(b"k").as_deref(), Some(&b"5"[..]));
}

#[test]
fn the_number_that_opens_a_session_is_not_for_writes() {
    let mut subject = Subject::new();
    assert_eq!(subject.apply(open(7)), done());
    assert_eq!(subject.apply(put(numbered(7, 0), b"k", b"v")), STALE);
    assert_eq!(subject.apply(open(7)), duplicate(1, done()));
    assert_eq!(subject.value(b"k"), None);
}

#[test]
fn a_session_that_was_never_opened_is_refused() {
    let mut subject = Subject::new();
    subject.apply(open(7));
    assert_eq!(subject.apply(put(numbered(8, 1), b"k", b"v")), EXPIRED);
    assert_eq!(subject.value(b"k"), None);
}

#[test]
fn a_session_is_known_after_the_engine_is_opened_again() {
    let mut subject = Subject::new();
    subject.apply(open(7));
    subject.apply(put(numbered(7, 3), b"k", b"v"));
    subject.reopen();
    assert_eq!(subject.apply(put(numbered(7, 3), b"k", b"w")), duplicate(2, done()));
    assert_eq!(subject.apply(put(numbered(7, 4), b"k", b"x")), done());
}

#[test]
fn a_run_that_fails_leaves_the_sessions_as_they_were() {
    let mut subject = Subject::new();
    subject.apply(open(7));
    let cut = put(numbered(7, 2), b"k", b"v");
    let run = [open(8), put(numbered(7, 1), b"k", b"lost"), cut.slice(..cut.len() - 1)];
    assert!(matches!(subject.results(&run), Err(EngineError::Payload { .. })));
    assert_eq!(subject.apply(put(numbered(7, 1), b"k", b"v")), done());
    assert_eq!(subject.apply(put(numbered(8, 1), b"k", b"w")), EXPIRED);
}

#[test]
fn one_session_too_many_ends_the_one_unused_for_longest_and_leaves_no_row_of_it() {
    let mut subject = Subject::new();
    let clients = 1..=SESSIONS_MAX as u128;
    subject.results(&clients.map(open).collect::<Vec<_>>()).unwrap();
    subject.apply(put(numbered(1, 1), b"k", b"v"));
    let rows = subject.rows().len();
    assert_eq!(subject.apply(open(u128::MAX)), done());
    assert_eq!(subject.rows().len(), rows);
    for is_reopened in [false, true] {
        if is_reopened {
            subject.reopen();
        }
        assert_eq!(subject.apply(fence(numbered(2, 1))), EXPIRED);
        assert_eq!(subject.apply(fence(numbered(1, 1))), duplicate(SESSIONS_MAX as u64 + 1, done()));
    }
}

#[test]
fn a_write_of_a_session_cannot_ask_for_more_databases_than_its_answer_may_hold() {
    let mut subject = Subject::new();
    subject.apply(open(7));
    let names: Vec<_> = (0..=SESSION_DATABASES_MAX).map(|number| number.to_string()).collect();
    let create = |names: &[String]| batch(|batch| names.iter().for_each(|name| batch.create_database(name)));
    let many = write(numbered(7, 1), &create(&names));
    assert_eq!(subject.apply(many), Outcome::Refused(Refusal::TooManyCreated));
    let fitting = subject.apply(write(numbered(7, 2), &create(&names[1..])));
    assert!(matches!(&fitting, Outcome::Done { databases } if databases.len() == SESSION_DATABASES_MAX));
    subject.reopen();
    assert_eq!(subject.apply(fence(numbered(7, 2))), duplicate(3, fitting));
}

#[test]
fn a_session_opened_with_anything_else_is_not_understood() {
    let bodied = [&open(7)[..], b"x"].concat();
    let unnamed = payload(PayloadKind::OpenSession, None, &WriteBatch::new());
    let numbered_one = payload(PayloadKind::OpenSession, Some(numbered(7, 1)), &WriteBatch::new());
    for payload in [bodied.into(), unnamed, numbered_one] {
        assert!(matches!(Subject::new().results(&[payload]), Err(EngineError::Payload { .. })));
    }
}

#[test]
fn a_damaged_row_of_a_session_is_refused() {
    let mut subject = Subject::new();
    subject.results(&[open(7), open(8)]).unwrap();
    let row = |client: u128| [&b"\0s"[..], &client.to_be_bytes()].concat();
    let snapshot = subject.store.snapshot().unwrap();
    let good = snapshot.get(&row(7)).unwrap().unwrap();
    for damaged in [&good[1..], &[&good[..16], &[0; 8]].concat(), &[&good[..], &[9]].concat()] {
        subject.store.write(&[KvOperation::Put { key: &row(7), value: damaged }]).unwrap();
        assert!(matches!(KvEngine::open(Arc::clone(&subject.store)), Err(EngineError::Corrupt { .. })));
    }
    subject.store.write(&[KvOperation::Put { key: &row(8), value: &good }]).unwrap();
    subject.store.write(&[KvOperation::Put { key: &row(7), value: &good }]).unwrap();
    assert!(matches!(KvEngine::open(subject.store), Err(EngineError::Corrupt { .. })));
}

fn request() -> impl Strategy<Value = Bytes> {
    let session = (0_u128..4, 0_u64..5).prop_map(|(client, sequence)| numbered(client, sequence));
    prop_oneof![
        1 => (0_u128..4).prop_map(open),
        4 => (session.clone(), any::<[u8; 2]>())
            .prop_map(|(session, value)| put(session, &value[..1], &value)),
        2 => session.clone().prop_map(fence),
        1 => session.prop_map(|session| write(session, &batch(|batch| batch.create_database("new")))),
        1 => any::<[u8; 2]>().prop_map(|value| {
            let plain = batch(|batch| batch.put(DEFAULT_DATABASE, &value[..1], &value));
            payload(PayloadKind::WriteBatch, None, &plain)
        }),
    ]
}

proptest! {
    #[test]
    fn neither_runs_nor_restarts_change_what_becomes_of_requests(
        requests in proptest::collection::vec(request(), 1..60),
        cuts in proptest::collection::vec((1_usize..8, any::<bool>()), 60),
    ) {
        let (mut at_once, mut in_runs) = (Subject::new(), Subject::new());
        let results = at_once.results(&requests).unwrap();
        let (mut rest, mut results_in_runs) = (requests.as_slice(), Vec::new());
        for (length, reopens) in cuts {
            let (run, behind) = rest.split_at(length.min(rest.len()));
            results_in_runs.extend(in_runs.results(run).unwrap());
            rest = behind;
            if reopens {
                in_runs.reopen();
            }
        }
        prop_assert!(rest.is_empty());
        prop_assert_eq!(results, results_in_runs);
        prop_assert_eq!(at_once.rows(), in_runs.rows());
    }
}

//! What every [`Engine`] must do.

use crate::{Committed, Engine, EntryId, EntryKind, NodeId, Term, Vlsn};
use alloc::vec::Vec;
use bytes::Bytes;

/// An engine under test, with payloads that it understands and a view of what they did.
pub trait Subject {
    /// The engine.
    type Engine: Engine;

    /// An engine that nothing was applied to, in a new place.
    fn fresh(&mut self) -> Self::Engine;

    /// Closes an engine and opens it again in its place; `None` from one that keeps nothing.
    fn reopen(&mut self, engine: Self::Engine) -> Option<Self::Engine>;

    /// A payload that adds `number` to a set and writes it over the number before, in one place.
    fn payload(&self, number: u64) -> Bytes;

    /// A payload that the engine cannot understand.
    fn bad_payload(&self) -> Bytes;

    /// The numbers in the set, ascending.
    fn numbers(&self, engine: &Self::Engine) -> Vec<u64>;

    /// The number in the one place.
    fn latest(&self, engine: &Self::Engine) -> Option<u64>;
}

/// Runs every check.
///
/// # Panics
/// If the engine breaks the trait's promises.
pub fn suite(mut subject: impl Subject) {
    let subject = &mut subject;
    a_fresh_engine_has_applied_nothing(subject);
    every_entry_has_one_result(subject);
    effects_and_position_change_together(subject);
    a_term_start_changes_the_position_alone(subject);
    no_entries_change_nothing(subject);
    an_entry_not_understood_leaves_nothing_of_its_run(subject);
    how_entries_are_cut_into_runs_does_not_matter(subject);
    flush_returns_the_last_entry_applied(subject);
    a_reopened_engine_is_at_one_position(subject);
}

fn a_fresh_engine_has_applied_nothing(subject: &mut impl Subject) {
    let mut engine = subject.fresh();
    assert_eq!(engine.applied(), None);
    assert_eq!(engine.flush().unwrap(), None);
    assert_eq!(subject.numbers(&engine), []);
}

fn every_entry_has_one_result(subject: &mut impl Subject) {
    let mut engine = subject.fresh();
    let mut results = Vec::from([Bytes::from_static(b"of before")]);
    engine.apply(&entries(subject, 1..=5), &mut results).unwrap();
    assert_eq!(results.len(), 6, "one result an entry, behind those of before");
    assert_eq!(results[0], b"of before"[..]);
}

fn effects_and_position_change_together(subject: &mut impl Subject) {
    let mut engine = subject.fresh();
    apply(&mut engine, &entries(subject, 1..=3));
    assert_at(subject, &engine, 3);
    apply(&mut engine, &entries(subject, 4..=4));
    assert_at(subject, &engine, 4);
}

fn a_term_start_changes_the_position_alone(subject: &mut impl Subject) {
    let mut engine = subject.fresh();
    let start =
        Committed { id: id(1), kind: EntryKind::TermStart, payload: Bytes::from_static(b"not the engine's") };
    apply(&mut engine, &[start]);
    assert_eq!(engine.applied(), Some(id(1)));
    assert_eq!(subject.numbers(&engine), []);
    apply(&mut engine, &entries(subject, 2..=2));
    assert_eq!(subject.numbers(&engine), [2]);
}

fn no_entries_change_nothing(subject: &mut impl Subject) {
    let mut engine = subject.fresh();
    apply(&mut engine, &[]);
    assert_eq!(engine.applied(), None);
    apply(&mut engine, &entries(subject, 1..=2));
    apply(&mut engine, &[]);
    assert_at(subject, &engine, 2);
}

fn an_entry_not_understood_leaves_nothing_of_its_run(subject: &mut impl Subject) {
    let mut engine = subject.fresh();
    apply(&mut engine, &entries(subject, 1..=2));
    let mut run = entries(subject, 3..=5);
    run[1].payload = subject.bad_payload();
    let mut results = Vec::from([Bytes::from_static(b"of before")]);
    assert!(engine.apply(&run, &mut results).is_err(), "a payload that is not understood is an error");
    assert_eq!(results.len(), 1, "a run that failed leaves no results");
    assert_at(subject, &engine, 2);
    apply(&mut engine, &entries(subject, 3..=5));
    assert_at(subject, &engine, 5);
}

fn how_entries_are_cut_into_runs_does_not_matter(subject: &mut impl Subject) {
    let (mut at_once, mut one_by_one) = (subject.fresh(), subject.fresh());
    let entries = entries(subject, 1..=20);
    let results = apply(&mut at_once, &entries);
    let results_one_by_one: Vec<_> =
        entries.iter().flat_map(|entry| apply(&mut one_by_one, core::slice::from_ref(entry))).collect();
    assert_eq!(results, results_one_by_one);
    assert_at(subject, &at_once, 20);
    assert_at(subject, &one_by_one, 20);
}

fn flush_returns_the_last_entry_applied(subject: &mut impl Subject) {
    let mut engine = subject.fresh();
    apply(&mut engine, &entries(subject, 1..=3));
    let durable = engine.flush().unwrap();
    assert!(durable.is_none() || durable == Some(id(3)), "{durable:?} is durable after 3 entries");
    assert_eq!(engine.flush().unwrap(), durable, "a second flush says the same");
    let keeps_data = durable.is_some();
    assert_eq!(
        subject.reopen(engine).is_some(),
        keeps_data,
        "an engine that keeps nothing has nothing durable"
    );
}

fn a_reopened_engine_is_at_one_position(subject: &mut impl Subject) {
    let mut engine = subject.fresh();
    for vlsn in 1..=30 {
        apply(&mut engine, &entries(subject, vlsn..=vlsn));
        if vlsn == 10 {
            engine.flush().unwrap();
        }
    }
    let Some(mut engine) = subject.reopen(engine) else { return };
    let applied = engine.applied().expect("what was flushed is there again").vlsn.as_u64();
    assert!((10..=30).contains(&applied), "found at {applied}, flushed at 10, applied to 30");
    assert_at(subject, &engine, applied);
    apply(&mut engine, &entries(subject, applied + 1..=35));
    assert_at(subject, &engine, 35);
}

fn apply(engine: &mut impl Engine, entries: &[Committed]) -> Vec<Bytes> {
    let mut results = Vec::new();
    engine.apply(entries, &mut results).unwrap();
    assert_eq!(results.len(), entries.len(), "one result an entry");
    results
}

/// Checks that exactly the entries up to `vlsn` have taken effect, in order.
fn assert_at<S: Subject>(subject: &S, engine: &S::Engine, vlsn: u64) {
    assert_eq!(engine.applied(), Some(id(vlsn)));
    assert_eq!(subject.numbers(engine), (1..=vlsn).collect::<Vec<_>>());
    assert_eq!(subject.latest(engine), Some(vlsn));
}

fn entries(subject: &impl Subject, vlsns: core::ops::RangeInclusive<u64>) -> Vec<Committed> {
    let entry = |vlsn| Committed { id: id(vlsn), kind: EntryKind::Data, payload: subject.payload(vlsn) };
    vlsns.map(entry).collect()
}

/// Terms change now and then.
fn id(vlsn: u64) -> EntryId {
    let term = Term::new(1 + vlsn / 4, NodeId::new(1));
    EntryId { term, vlsn: Vlsn::new(vlsn).expect("entries are counted from 1") }
}

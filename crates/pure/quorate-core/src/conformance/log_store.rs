//! The rules of [`LogStore`], checked.

use crate::{Batch, EntryId, LogError, LogStore, NodeId, Term, Vlsn};
use std::boxed::Box;

/// A log store under test, and how to make frames for it.
pub trait LogStoreSubject {
    /// Opens the store: empty the first time, then with what the last one left. The last one has been
    /// dropped.
    fn open(&mut self) -> Box<dyn LogStore>;

    /// `count` data entries of one term, from `first` on, behind the frame with the header checksum
    /// `chain_before`; every copy is to be synced.
    fn batch(&self, first: EntryId, count: u64, chain_before: u32) -> Batch;
}

/// Runs the conformance suite of [`LogStore`] and of its readers. `fresh` gives a subject of its own, with
/// an empty store, to each part.
///
/// # Panics
/// If the implementation breaks a rule; the message says which.
pub fn check_log_store(fresh: &mut dyn FnMut() -> Box<dyn LogStoreSubject>) {
    an_empty_log_holds_nothing(&mut *fresh());
    what_was_appended_can_be_read_at_once_and_after_reopening(&mut *fresh());
    a_batch_that_does_not_follow_is_refused(&mut *fresh());
    reads_keep_to_their_bounds(&mut *fresh());
    truncated_entries_are_gone_and_others_take_their_place(&mut *fresh());
    trimmed_entries_are_refused_and_the_others_stay(&mut *fresh());
    only_damage_can_be_repaired(&mut *fresh());
}

fn vlsn(number: u64) -> Vlsn {
    Vlsn::new(number).expect("a position")
}

fn entry(round: u64, number: u64) -> EntryId {
    EntryId { term: Term::new(round, NodeId::new(1)), vlsn: vlsn(number) }
}

/// Appends `count` entries of term `round`, one batch.
fn append(subject: &dyn LogStoreSubject, log: &mut dyn LogStore, round: u64, count: u64) -> Batch {
    let summary = log.summary();
    let first = EntryId { vlsn: Vlsn::after(summary.terms.last_vlsn()), ..entry(round, 1) };
    let batch = subject.batch(first, count, summary.chain);
    log.append(std::slice::from_ref(&batch)).expect("a batch that follows is appended");
    batch
}

fn an_empty_log_holds_nothing(subject: &mut dyn LogStoreSubject) {
    let mut log = subject.open();
    assert_eq!(log.summary(), crate::LogSummary::default());
    assert_eq!(log.sync().expect("an empty log is synced"), None);
    let read = log.reader().read(Vlsn::FIRST, Vlsn::FIRST, 1 << 20);
    assert_eq!(read.expect_err("there is nothing to read"), LogError::NotWritten { last: None });
    let truncated = log.truncate_after(None).expect("nothing is truncated");
    assert_eq!((truncated.dropped, truncated.count), (None, 0));
}

fn what_was_appended_can_be_read_at_once_and_after_reopening(subject: &mut dyn LogStoreSubject) {
    let mut log = subject.open();
    let reader = log.reader();
    let batches = [append(subject, &mut *log, 1, 3), append(subject, &mut *log, 2, 2)];
    assert_eq!(log.summary().terms.last(), Some(entry(2, 5)));
    assert_eq!(log.summary().durable, None, "nothing has been synced");
    assert_eq!(
        read_all(&*reader, 1, 5),
        frames_of(&batches),
        "a reader sees what was appended after it was made"
    );
    assert_eq!(log.sync().expect("a log is synced"), Some(vlsn(5)));
    assert_eq!(log.summary().durable, Some(vlsn(5)));
    let before = log.summary();
    drop((reader, log));
    let log = subject.open();
    assert_eq!(log.summary(), before);
    assert_eq!(read_all(&*log.reader(), 1, 5), frames_of(&batches));
}

fn a_batch_that_does_not_follow_is_refused(subject: &mut dyn LogStoreSubject) {
    let mut log = subject.open();
    append(subject, &mut *log, 2, 2);
    let before = log.summary();
    let refused = [
        subject.batch(entry(2, 2), 1, before.chain),
        subject.batch(entry(2, 4), 1, before.chain),
        subject.batch(entry(2, 3), 1, before.chain ^ 1),
        subject.batch(entry(1, 3), 1, before.chain),
    ];
    for batch in refused {
        let good = subject.batch(entry(2, 3), 1, before.chain);
        let error = log.append(std::slice::from_ref(&batch)).expect_err("it does not follow");
        assert!(matches!(error, LogError::OutOfOrder { .. }), "{batch:?}: {error}");
        let behind = [good, batch];
        let error = log.append(&behind).expect_err("a good batch before it changes nothing");
        assert!(matches!(error, LogError::OutOfOrder { .. }), "{behind:?}: {error}");
        assert_eq!(log.summary(), before, "nothing was written");
    }
    append(subject, &mut *log, 2, 1);
}

fn reads_keep_to_their_bounds(subject: &mut dyn LogStoreSubject) {
    let mut log = subject.open();
    let batch = append(subject, &mut *log, 1, 6);
    let reader = log.reader();
    let frame_bytes = batch.frame(vlsn(1)).expect("a frame").len();
    let count = |through, bytes_max| reader.read(vlsn(2), through, bytes_max).expect("a read").count();
    assert!(count(vlsn(4), usize::MAX) <= 3, "through is the last entry read");
    assert_eq!(count(vlsn(2), usize::MAX), 1);
    assert_eq!(count(vlsn(6), 0), 1, "one frame at least");
    assert!(count(vlsn(6), frame_bytes * 5 / 2) <= 2, "no more bytes than allowed");
    let beyond = reader.read(vlsn(7), vlsn(9), 100).expect_err("the log ends before");
    assert_eq!(beyond, LogError::NotWritten { last: Some(vlsn(6)) });
}

fn truncated_entries_are_gone_and_others_take_their_place(subject: &mut dyn LogStoreSubject) {
    let mut log = subject.open();
    let kept = append(subject, &mut *log, 1, 3);
    append(subject, &mut *log, 2, 4);
    log.sync().expect("a log is synced");
    let truncated = log.truncate_after(Some(vlsn(5))).expect("entries are truncated");
    assert_eq!((truncated.dropped, truncated.count), (Some((entry(2, 6), entry(2, 7))), 2));
    assert!(truncated.rollback_file.is_some(), "what is dropped is kept in a file");
    let truncated = log.truncate_after(Some(vlsn(3))).expect("entries are truncated");
    assert_eq!((truncated.dropped, truncated.count), (Some((entry(2, 4), entry(2, 5))), 2));
    assert_eq!(log.summary().terms.last(), Some(entry(1, 3)));
    drop(log);
    let mut log = subject.open();
    assert_eq!(log.summary().terms.last(), Some(entry(1, 3)), "a truncation is durable on return");
    let others = append(subject, &mut *log, 3, 2);
    assert_eq!(read_all(&*log.reader(), 1, 5), frames_of(&[kept, others]));
    log.truncate_after(None).expect("everything is truncated");
    assert_eq!(log.summary(), crate::LogSummary::default());
    append(subject, &mut *log, 4, 1);
}

fn trimmed_entries_are_refused_and_the_others_stay(subject: &mut dyn LogStoreSubject) {
    let mut log = subject.open();
    for _ in 0..200 {
        append(subject, &mut *log, 1, 10);
    }
    log.sync().expect("a log is synced");
    log.trim_through(vlsn(1500)).expect("a log is trimmed");
    let base = log.summary().terms.base();
    assert!(base.map(|base| base.vlsn) <= Some(vlsn(1500)), "no more is trimmed than allowed");
    if let Some(base) = base {
        let error = log.reader().read(base.vlsn, base.vlsn, 0).expect_err("it was trimmed");
        assert_eq!(error, LogError::Trimmed { base: base.vlsn });
        let error = log.truncate_after(base.vlsn.previous()).expect_err("it was trimmed");
        assert_eq!(error, LogError::Trimmed { base: base.vlsn });
    }
    let before = log.summary();
    let first = Vlsn::after(base.map(|base| base.vlsn));
    let frames = read_all(&*log.reader(), first.as_u64(), 2000);
    drop(log);
    let log = subject.open();
    assert_eq!(log.summary(), before, "the base is found again");
    assert_eq!(read_all(&*log.reader(), first.as_u64(), 2000), frames);
}

fn only_damage_can_be_repaired(subject: &mut dyn LogStoreSubject) {
    let mut log = subject.open();
    let batch = append(subject, &mut *log, 1, 3);
    assert_eq!(log.repair(&batch).expect_err("nothing is damaged"), LogError::NotTheDamaged);
    append(subject, &mut *log, 1, 1);
}

fn read_all(reader: &dyn crate::LogReader, first: u64, last: u64) -> std::vec::Vec<u8> {
    let mut frames = std::vec::Vec::new();
    let mut next = vlsn(first);
    while next <= vlsn(last) {
        let batch = reader.read(next, vlsn(last), 1000).expect("an entry is read");
        assert_eq!(batch.first(), next, "a read begins where it was asked to");
        assert!(batch.last().vlsn <= vlsn(last), "a read ends where it was asked to");
        frames.extend_from_slice(batch.frames());
        next = batch.last().vlsn.next();
    }
    frames
}

fn frames_of(batches: &[Batch]) -> std::vec::Vec<u8> {
    batches.iter().flat_map(|batch| batch.frames().iter().copied()).collect()
}

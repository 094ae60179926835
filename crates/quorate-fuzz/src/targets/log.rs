//! Files of the log, one of them spoiled.

use super::log_files::{FIRST_INDEX, FIRST_SEGMENT, LONG, SHORT, append, bytes_of, open, replaced};
use crate::mend;
use crate::{Seed, Signature, Target};
use quorate_core::{Batch, LogError, LogStore, LogSummary, Vlsn};
use quorate_log::Log;
use quorate_log::vfs::MemoryVfs;

pub(super) const SEGMENT: Target = Target {
    name: "segment",
    about: "the only segment of a log: recovery settles, entries are right or named as damaged",
    run: |input| recover(&replaced(&SHORT, FIRST_SEGMENT, input)),
    mend: |bytes| mend::segment(bytes),
    seeds: segments,
};
pub(super) const SEALED_SEGMENT: Target = Target {
    name: "sealed-segment",
    about: "the first of two segments, its index lost: as before, and the second one stays as it is",
    run: |input| recover(&replaced(&without_index(), FIRST_SEGMENT, input)),
    mend: |bytes| mend::segment(bytes),
    seeds: sealed_segments,
};
pub(super) const INDEX_FILE: Target = Target {
    name: "index-file",
    about: "the index of the first of two segments: entries are right or cannot be read",
    run: index_file,
    mend: |bytes| mend::index_file(bytes),
    seeds: index_files,
};

/// How many entries are read one by one, at most.
const READS_MAX: u64 = 12;

/// Opens a log, looks at all of it, goes on with it, and opens it again.
fn recover(disk: &MemoryVfs) -> Signature {
    let log = match open(disk) {
        Err(error) => return Signature::new().shape(&error),
        Ok(log) => log,
    };
    let found = log.summary();
    assert!(found.durable <= found.terms.last_vlsn() || found.lost_durable_end);
    let entries = read_entries(&log, &found);
    drop(log);
    let again = open(disk).expect("what was opened opens again");
    assert_same(&again.summary(), &found);
    assert_eq!(read_entries(&again, &found), entries, "the same entries are read again");
    go_on(again, disk, &entries);
    let readable = entries.iter().flatten().count() as u64;
    let signature = Signature::new().shape(&found.lost_durable_end).magnitude(found.damaged.len() as u64);
    signature.magnitude(readable).magnitude(Vlsn::number(found.terms.last_vlsn()))
}

/// Recovery finds the same once more, and whatever it found is durable.
fn assert_same(again: &LogSummary, found: &LogSummary) {
    assert_eq!(again.terms, found.terms);
    assert_eq!(again.damaged, found.damaged);
    assert_eq!((again.chain, again.lost_durable_end), (found.chain, found.lost_durable_end));
}

/// The first entries, as far as they can be read. Those that cannot are damaged, and known to be.
fn read_entries(log: &Log, found: &LogSummary) -> Vec<Option<Vec<u8>>> {
    let reader = log.reader();
    let base = found.terms.base().map(|base| base.vlsn);
    let last = found.terms.last_vlsn();
    let mut entries = Vec::new();
    let mut vlsn = Vlsn::after(base);
    while Some(vlsn) <= last && entries.len() < READS_MAX as usize {
        entries.push(match reader.read(vlsn, vlsn, 0) {
            Ok(batch) => {
                assert_eq!((batch.first(), batch.count()), (vlsn, 1));
                assert_eq!(
                    Some(batch.last().term),
                    found.terms.term_at(vlsn),
                    "{vlsn} has the term of the table"
                );
                Some(batch.frames().to_vec())
            }
            Err(LogError::Damaged { vlsn: damaged }) => {
                let known = log.summary().damaged;
                assert!(known.iter().any(|range| range.contains(damaged)), "{damaged}");
                None
            }
            Err(error) => panic!("entry {vlsn} cannot be read: {error}"),
        });
        vlsn = vlsn.next();
    }
    entries
}

/// What is appended to a recovered log stands behind what was found, also after another restart.
fn go_on(mut log: Log, disk: &MemoryVfs, entries: &[Option<Vec<u8>>]) {
    // A term or a position at the very end of its range has nothing behind it.
    let last = log.summary().terms.last();
    if last.is_some_and(|last| last.term.round() >= 1 << 40 || last.vlsn.as_u64() >= 1 << 60) {
        return;
    }
    append(&mut log, 1 << 41, &[b"one more"]);
    let appended = log.summary();
    drop(log);
    let again = open(disk).expect("a log that was written to opens again");
    assert_eq!(again.summary().terms.last(), appended.terms.last());
    assert!(!again.summary().lost_durable_end, "the first write cuts off what was left of a lost end");
    let found = read_entries(&again, &again.summary());
    assert!(found.starts_with(entries), "what was found is still there");
}

/// An index that lies may hide entries, but never gives one for another.
fn index_file(input: &[u8]) -> Signature {
    let disk = replaced(&LONG, FIRST_INDEX, input);
    let log = match open(&disk) {
        Err(error) => return Signature::new().shape(&error),
        Ok(log) => log,
    };
    let truth = open(&LONG.snapshot()).expect("the log as it was");
    let last = truth.summary().terms.last_vlsn();
    assert_eq!(log.summary().terms.last_vlsn(), last, "the last segment says where the log ends");
    let mut signature = Signature::new().magnitude(log.summary().terms.starts().len() as u64);
    let mut vlsn = Vlsn::FIRST;
    while Some(vlsn) <= last {
        let expected = truth.reader().read(vlsn, vlsn, 0).map(frames_of);
        match log.reader().read(vlsn, vlsn, 0).map(frames_of) {
            Err(error) => signature = signature.shape(&error),
            found => assert_eq!(found, expected, "entry {vlsn}"),
        }
        vlsn = vlsn.next();
    }
    assert_eq!(log.verify().map(|_| ()), Ok(()));
    signature
}

fn frames_of(batch: Batch) -> Vec<u8> {
    batch.frames().to_vec()
}

fn without_index() -> MemoryVfs {
    let disk = LONG.snapshot();
    quorate_log::vfs::Vfs::remove(&disk, &super::log_files::path(FIRST_INDEX)).expect("it is there");
    disk
}

fn segments() -> Vec<Seed> {
    let bytes = bytes_of(&SHORT, FIRST_SEGMENT, 100);
    let torn = bytes[..bytes.len() - 150].to_vec();
    vec![Seed::new("three-groups", bytes), Seed::new("torn", torn)]
}

fn sealed_segments() -> Vec<Seed> {
    vec![Seed::new("sealed", bytes_of(&LONG, FIRST_SEGMENT, 8))]
}

fn index_files() -> Vec<Seed> {
    let bytes = LONG.contents(&super::log_files::path(FIRST_INDEX)).expect("the first segment is sealed");
    vec![Seed::new("whole", bytes)]
}

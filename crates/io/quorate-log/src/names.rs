//! The names of a log's files.

use quorate_core::{EntryId, Vlsn};

/// The file that keeps other logs out of the directory.
pub(crate) const LOCK: &str = "log.lock";
/// The next segment's space, zero-filled or left over from a trimmed segment.
pub(crate) const SPARE: &str = "spare";
/// A file that is being written; it gets its name when it is whole.
pub(crate) const UNFINISHED: &str = "unfinished";

pub(crate) fn segment(number: u64) -> String {
    format!("segment-{number:016}.log")
}

pub(crate) fn index(number: u64) -> String {
    format!("segment-{number:016}.index")
}

/// The number in a segment's name.
pub(crate) fn segment_number(name: &str) -> Option<u64> {
    name.strip_prefix("segment-")?.strip_suffix(".log")?.parse().ok()
}

/// The number in an index file's name.
pub(crate) fn index_number(name: &str) -> Option<u64> {
    name.strip_prefix("segment-")?.strip_suffix(".index")?.parse().ok()
}

pub(crate) fn rollback(first: EntryId, last: EntryId, counter: u32) -> String {
    format!("rollback-{}-{}-{counter}.log", first.vlsn, last.vlsn)
}

/// First VLSN, last VLSN and counter in the name of a rollback file.
pub(crate) fn rollback_parts(name: &str) -> Option<(Vlsn, Vlsn, u32)> {
    let mut parts = name.strip_prefix("rollback-")?.strip_suffix(".log")?.split('-');
    let mut number = || parts.next()?.parse::<u64>().ok();
    Some((Vlsn::new(number()?)?, Vlsn::new(number()?)?, u32::try_from(number()?).ok()?))
}

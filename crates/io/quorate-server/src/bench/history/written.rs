use super::{HistoryError, config};
use crate::bench::job::WriteLog;
use quorate_codec::Encoder;
use quorate_core::{Batch, EntryId, EntryKind, LogStore, NodeId, Requirement, Term, Vlsn};
use quorate_log::Log;
use quorate_log::vfs::OsVfs;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How many entries are appended at a time, as one group.
pub(super) const ENTRIES_PER_GROUP: u64 = 4096;
/// How often it is told how far the log is.
const TELLING_INTERVAL: Duration = Duration::from_secs(5);

/// Writes a new log and makes it durable, and says how long that took. Tells stderr how far it is.
///
/// # Errors
/// [`HistoryError::Log`], [`HistoryError::Directory`].
pub(in crate::bench) fn write(job: &WriteLog) -> Result<Duration, HistoryError> {
    std::fs::create_dir_all(&job.directory)?;
    let begun = Instant::now();
    let mut log = Log::open(Arc::new(OsVfs), &job.directory, config())?;
    let (mut payload, mut told, mut written) = (vec![0; job.payload_bytes as usize], begun, 0);
    while written < job.entries {
        let count = ENTRIES_PER_GROUP.min(job.entries - written);
        if let Some(batch) = group(written, count, log.summary().chain, &mut payload) {
            log.append(&[batch])?;
        }
        log.sync()?;
        while log.prepare()? {}
        written += count;
        if told.elapsed() >= TELLING_INTERVAL {
            told = Instant::now();
            eprintln!("        {written} of {} entries are written", job.entries);
        }
    }
    Ok(begun.elapsed())
}

/// So many entries that follow the first `before`.
fn group(before: u64, count: u64, chain: u32, payload: &mut [u8]) -> Option<Batch> {
    let term = Term::new(1, NodeId::new(1));
    let mut encoder = Encoder::new(chain);
    for number in before + 1..=before + count {
        for part in payload.chunks_mut(size_of::<u64>()) {
            part.copy_from_slice(&number.to_le_bytes()[..part.len()]);
        }
        encoder.push(
            EntryId { term, vlsn: Vlsn::new(number)? },
            EntryKind::Data,
            Requirement::SYNC,
            number,
            payload,
        );
    }
    encoder.finish()
}

//! A log's files, read from their first byte to their last, to compare with what the log's index finds.

use bytes::Bytes;
use quorate_codec::Header;
use quorate_core::{Batch, LogError, LogStore, Vlsn};
use quorate_log::Log;
use quorate_log::vfs::{MemoryVfs, Vfs};
use std::collections::BTreeMap;
use std::path::Path;

/// How much is read at once when a log is looked through.
const READ_BYTES: usize = 1 << 20;
/// Where a segment's groups begin, and where the copy of its header stands.
const GROUPS_AT: usize = 1024;
const HEADER_COPY_AT: usize = 512;
const HEADER_COPY_BYTES: usize = 64;
const SEGMENT_MAGIC: &[u8] = b"QUORSEG\x01";
const GROUP_HEADER_BYTES: usize = 72;
const GROUP_MAGIC: &[u8] = b"QGR\x01";
const GROUP_ALIGNMENT: usize = 8;

/// Everything in a log that can be read, found through its index.
///
/// # Errors
/// [`LogError`] of a read that meets no damage.
pub(crate) fn read_all(log: &Log) -> Result<Vec<Batch>, LogError> {
    let (reader, terms) = (log.reader(), log.summary().terms);
    let mut batches = Vec::new();
    let mut from = Vlsn::after(terms.base().map(|base| base.vlsn));
    while let Some(last) = terms.last_vlsn().filter(|last| from <= *last) {
        match reader.read(from, last, READ_BYTES) {
            Ok(batch) => {
                from = batch.last().vlsn.next();
                batches.push(batch);
            }
            Err(LogError::Damaged { vlsn }) => from = behind_damage(log, vlsn),
            Err(error) => return Err(error),
        }
    }
    Ok(batches)
}

/// The first entry behind the damage that `vlsn` lies in.
fn behind_damage(log: &Log, vlsn: Vlsn) -> Vlsn {
    let damaged = log.summary().damaged;
    let range = damaged.iter().find(|range| range.contains(vlsn));
    range.map_or(vlsn, |range| range.last).next()
}

/// The frames of a log by their positions, found without its index.
pub(crate) struct LogScan(BTreeMap<Vlsn, Bytes>);

impl LogScan {
    /// Reads all segments in their order: where one begins the one before it ends.
    pub(crate) fn of(disk: &MemoryVfs, directory: &Path) -> Self {
        let mut scan = Self(BTreeMap::new());
        let mut names = disk.list(directory).unwrap_or_default();
        names.retain(|name| name.starts_with("segment-") && name.ends_with(".log"));
        names.sort();
        let mut generation = 0;
        for bytes in names.iter().filter_map(|name| disk.contents(&directory.join(name))) {
            let Some(segment) = Segment::of(&bytes).filter(|segment| segment.generation >= generation) else {
                continue;
            };
            generation = segment.generation;
            scan.0.retain(|vlsn, _| *vlsn < segment.first);
            scan.add(&segment, &Bytes::from(bytes));
        }
        scan
    }

    /// Takes every group that follows the one before it. Between two of them may lie what a power loss has left
    /// of one that only stated how much is durable.
    fn add(&mut self, segment: &Segment, bytes: &Bytes) {
        let (mut at, mut next) = (GROUPS_AT, segment.first);
        while at < bytes.len() {
            match Group::at(bytes, at, segment).filter(|group| group.first == next) {
                Some(group) => {
                    next = self.add_frames(&group, bytes);
                    at = group.end;
                }
                None => at += GROUP_ALIGNMENT,
            }
        }
    }

    /// Takes a group's frames up to the first that is none; returns what should follow them.
    fn add_frames(&mut self, group: &Group, bytes: &Bytes) -> Vlsn {
        let (mut at, mut next) = (group.frames_at, group.first);
        for _ in 0..group.count {
            let Ok(header) = Header::parse(&bytes[at.min(bytes.len())..]) else { break };
            let end = at + header.frame_bytes();
            if header.id.vlsn != next || end > bytes.len() {
                break;
            }
            self.0.insert(next, bytes.slice(at..end));
            (at, next) = (end, next.next());
        }
        next
    }

    /// The first entry that the index has found elsewhere than the scan; where the files are `untouched`, one
    /// that the scan has not found either.
    pub(crate) fn difference(&self, found: &[Batch], untouched: bool) -> Option<Vlsn> {
        let positions = found
            .iter()
            .flat_map(|batch| (0..batch.count() as u64).map(move |n| (batch, batch.first().advance(n))));
        let differs = |(batch, vlsn): &(&Batch, Vlsn)| match self.0.get(vlsn) {
            Some(frame) => batch.frame(*vlsn).as_ref() != Some(frame),
            None => untouched,
        };
        positions.into_iter().find(differs).map(|(_, vlsn)| vlsn)
    }
}

/// What a segment's header says.
struct Segment {
    number: u64,
    generation: u64,
    first: Vlsn,
}

impl Segment {
    fn of(bytes: &[u8]) -> Option<Self> {
        let copy = |at: usize| bytes.get(at..at + HEADER_COPY_BYTES).filter(|copy| is_segment_header(copy));
        let copy = copy(0).or_else(|| copy(HEADER_COPY_AT))?;
        let first = Vlsn::new(u64_at(copy, 44)?)?;
        Some(Self { number: u64_at(copy, 28)?, generation: u64_at(copy, 36)?, first })
    }
}

fn is_segment_header(copy: &[u8]) -> bool {
    copy.starts_with(SEGMENT_MAGIC) && u32_at(copy, 8) == Some(crc32c::crc32c(&copy[12..]))
}

/// What a group's header says.
struct Group {
    first: Vlsn,
    count: u64,
    frames_at: usize,
    /// Where the next one begins.
    end: usize,
}

impl Group {
    /// The group that was written for this place; none whose entries are missing.
    fn at(bytes: &[u8], at: usize, segment: &Segment) -> Option<Self> {
        let header =
            bytes.get(at..at + GROUP_HEADER_BYTES).filter(|header| header.starts_with(GROUP_MAGIC))?;
        let is_good = u32_at(header, 4) == Some(crc32c::crc32c(&header[8..]));
        let place = (u64_at(header, 16)?, u64_at(header, 24)?, u32_at(header, 32)? as usize);
        if !is_good || place != (segment.number, segment.generation, at) || u32_at(header, 52)? != 0 {
            return None;
        }
        let frames_at = at + GROUP_HEADER_BYTES;
        let end = (frames_at + u32_at(header, 36)? as usize).next_multiple_of(GROUP_ALIGNMENT);
        let (first, count) = (Vlsn::new(u64_at(header, 64)?)?, u32_at(header, 44)?.into());
        Some(Self { first, count, frames_at, end })
    }
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

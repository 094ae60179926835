use crate::damage;
use crate::error::{failed, failed_or_full};
use crate::group_header::GroupHeader;
use crate::log::Log;
use crate::names;
use crate::segment::{Segment, SegmentFile, SegmentIndex};
use crate::segment_header::SegmentHeader;
use crate::space::zero;
use crate::state::inspect;
use crate::vfs::OpenMode;
use quorate_codec::Header;
use quorate_core::{Batch, DamagedRange, LogError, Term, TermTable, Vlsn};
use quorate_vlsn::DenseIndex;
use std::io::IoSlice;
use std::sync::Arc;

impl Log {
    /// Puts intact frames in the place of a damaged range. Each segment that it touches is written anew, and
    /// takes the old one's name in one step: after a crash a segment is healed or as damaged as before.
    pub(crate) fn replace_damaged(&mut self, batch: &Batch) -> Result<(), LogError> {
        self.settle_lost_end()?;
        self.check_fits(batch)?;
        let touched = {
            let state = self.shared.read();
            state.segment_of(batch.first())..=state.segment_of(batch.last().vlsn)
        };
        for segment in touched.clone() {
            inspect(&self.shared, segment, batch.first())?;
        }
        self.check_fits(batch)?;
        self.sync_last()?;
        for segment in touched {
            self.rewrite(segment, batch)?;
        }
        let mut state = self.shared.write();
        damage::forget(&mut state.summary.damaged, batch);
        let terms = with_terms_of(&state.summary.terms, batch);
        state.summary.terms = terms.ok_or(LogError::NotTheDamaged)?;
        Ok(())
    }

    fn check_fits(&self, batch: &Batch) -> Result<(), LogError> {
        let state = self.shared.read();
        let found = damage::at(&state.summary.damaged, batch.first()).is_some_and(|range| {
            let is_whole = range.last == batch.last().vlsn;
            range.first == batch.first()
                && range.last >= batch.last().vlsn
                && range.chain_before == batch.chain_before()
                && (!is_whole || range.chain_after == Some(batch.chain_after()))
        });
        let fits = found && with_terms_of(&state.summary.terms, batch).is_some();
        if fits { Ok(()) } else { Err(LogError::NotTheDamaged) }
    }

    fn rewrite(&mut self, position: usize, batch: &Batch) -> Result<(), LogError> {
        let (header, old, copy) = {
            let state = self.shared.read();
            let segment = &state.segments[position];
            let source = segment.file.read(0, segment.file.bytes)?;
            let end = state.follows(position).first;
            let copy = copy(segment, &source, batch, &state.summary.damaged, end)?;
            (segment.header, segment.file.clone(), copy)
        };
        let bytes = copy.bytes.len().max(old.bytes);
        let unfinished = self.directory.join(names::UNFINISHED);
        let space = |error| failed_or_full("filling", &unfinished, &error);
        let file = self.vfs.open(&unfinished, OpenMode::Create).map_err(space)?;
        file.write_at(0, &[IoSlice::new(&copy.bytes)])
            .and_then(|()| zero(&*file, copy.bytes.len(), bytes - copy.bytes.len()))
            .map_err(space)?;
        file.sync_all()
            .and_then(|()| self.vfs.rename(&unfinished, &old.path))
            .map_err(|error| failed("rewriting", &old.path, &error))?;
        self.remove(&self.directory.join(names::index(header.number)))?;
        self.sync_directory()?;
        let file = Arc::new(SegmentFile::new(old.path.clone(), file, bytes));
        let mut state = self.shared.write();
        if position + 1 == state.segments.len() {
            self.end = copy.bytes.len();
            self.group_next = copy.group_next;
            self.stated = copy.durable;
        }
        state.segments[position] = Segment { header, file, index: SegmentIndex::Built(copy.index) };
        state.epoch += 1;
        Ok(())
    }
}

/// The terms of a log whose entries of `batch` are known again; `None` if the batch does not fit between its
/// neighbours.
fn with_terms_of(table: &TermTable, batch: &Batch) -> Option<TermTable> {
    let behind = batch.last().vlsn.next();
    let before = batch.first().previous().and_then(|vlsn| table.term_at(vlsn)).unwrap_or(Term::ZERO);
    let after = table.term_at(behind);
    if batch.runs()[0].term < before || after.is_some_and(|after| after < batch.last().term) {
        return None;
    }
    let mut terms = TermTable::new(table.base());
    let starts = |from: Option<Vlsn>, to: Option<Vlsn>| {
        let starts = table.starts().iter().copied();
        starts.filter(move |(_, first)| Some(*first) >= from && to.is_none_or(|to| *first < to))
    };
    let inner = batch.runs().iter().map(|run| (run.term, run.first));
    let rest = after.map(|after| (after, behind));
    let rows =
        starts(None, Some(batch.first())).chain(inner).chain(rest).chain(starts(Some(behind.next()), None));
    for (term, first) in rows {
        terms.append_run(term, first);
    }
    terms.extend_to(table.last_vlsn()?);
    Some(terms)
}

/// A segment's bytes, written anew.
struct Copy {
    header: SegmentHeader,
    durable: Option<Vlsn>,
    bytes: Vec<u8>,
    index: DenseIndex,
    group_next: u32,
    /// Frames of the group that is being gathered.
    group: Vec<u8>,
    group_offsets: Vec<u32>,
    group_chain: u32,
    chain: u32,
}

/// Groups are closed once they are as long, in bytes.
const GROUP_BYTES: usize = 256 << 10;

/// Copies a segment whose last entry stands before `end`, with the frames of `batch` in their places. All
/// other damage stays, as missing entries.
fn copy(
    segment: &Segment,
    source: &[u8],
    batch: &Batch,
    damaged: &[DamagedRange],
    end: Vlsn,
) -> Result<Copy, LogError> {
    let mut copy = Copy::new(segment.header, end.previous());
    while copy.next() < end {
        let vlsn = copy.next();
        let offset = segment.index.offset(vlsn).map(|offset| offset as usize);
        if let Some(frame) = batch.frame(vlsn) {
            copy.push(&frame, vlsn)?;
        } else if let Some(range) = damage::at(damaged, vlsn) {
            copy.push_missing(range.last.min(end.previous().unwrap_or(vlsn)), range.chain_after);
        } else {
            let frame = offset.and_then(|offset| source.get(offset..)).ok_or(LogError::Damaged { vlsn })?;
            copy.push(frame, vlsn)?;
        }
    }
    copy.close_group();
    Ok(copy)
}

impl Copy {
    fn new(header: SegmentHeader, durable: Option<Vlsn>) -> Self {
        Self {
            header,
            durable,
            bytes: header.encode(),
            index: DenseIndex::new(header.first),
            group_next: 0,
            group: Vec::new(),
            group_offsets: Vec::new(),
            group_chain: header.chain_before,
            chain: header.chain_before,
        }
    }

    /// The entry that comes next.
    fn next(&self) -> Vlsn {
        self.index.next().advance(self.group_offsets.len() as u64)
    }

    /// Adds the frame that `bytes` begin with.
    fn push(&mut self, bytes: &[u8], vlsn: Vlsn) -> Result<(), LogError> {
        let damaged = LogError::Damaged { vlsn };
        let Ok(header) = Header::parse(bytes) else { return Err(damaged) };
        let (true, Some(frame)) = (header.id.vlsn == vlsn, bytes.get(..header.frame_bytes())) else {
            return Err(damaged);
        };
        self.group_offsets.push(self.group.len() as u32);
        self.group.extend_from_slice(frame);
        self.chain = header.checksum;
        if self.group.len() >= GROUP_BYTES {
            self.close_group();
        }
        Ok(())
    }

    /// Adds entries that cannot be read: a byte of zeros stands for each, so that each has a place.
    fn push_missing(&mut self, last: Vlsn, chain_after: Option<u32>) {
        self.close_group();
        let count = last.next().since(self.next()) as usize;
        self.group = vec![0; count];
        self.group_offsets = (0..count as u32).collect();
        self.write_group(true);
        self.chain = chain_after.unwrap_or(0);
        self.group_chain = self.chain;
    }

    fn close_group(&mut self) {
        if !self.group_offsets.is_empty() {
            self.write_group(false);
        }
        self.group_chain = self.chain;
    }

    fn write_group(&mut self, missing: bool) {
        let header = GroupHeader {
            offset: self.bytes.len() as u32,
            bytes: self.group.len() as u32,
            number: self.group_next,
            count: self.group_offsets.len() as u32,
            chain_before: self.group_chain,
            missing,
            durable: self.durable,
            first: self.index.next(),
        };
        self.bytes.extend_from_slice(&header.encode(&self.header));
        for offset in self.group_offsets.drain(..) {
            self.index.push((header.frames_at() as u32) + offset);
        }
        self.bytes.append(&mut self.group);
        self.bytes.resize(header.end(), 0);
        self.group_next += 1;
    }
}

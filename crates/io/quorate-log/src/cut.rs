use crate::log::Log;
use crate::names;
use crate::reader::Reader;
use crate::rollback;
use crate::segment_header::{SEGMENT_HEADER_BYTES, SegmentHeader};
use crate::state::State;
use quorate_core::{LogError, LogReader, Term, Truncated, Vlsn};

impl Log {
    /// Drops the entries behind `keep`, once they are safe in a rollback file.
    pub(crate) fn truncate(&mut self, keep: Option<Vlsn>) -> Result<Truncated, LogError> {
        let (base, last) = {
            let state = self.shared.read();
            (state.base(), state.last())
        };
        if let Some(base) = base.filter(|base| keep < Some(*base)) {
            return Err(LogError::Trimmed { base });
        }
        let first = self.shared.read().summary.terms.entry_at(Vlsn::after(keep));
        let (Some(first), Some(last)) = (first, last.filter(|last| Some(last.vlsn) > keep)) else {
            self.settle_lost_end()?;
            return Ok(Truncated { dropped: None, count: 0, rollback_file: None });
        };
        let chain = self.chain_at(keep)?;
        let reader = Reader(self.shared.clone());
        let file = rollback::save(&*self.vfs, &self.directory, &reader, first, last)?;
        self.cut_after(keep, chain)?;
        let count = last.vlsn.since(first.vlsn) + 1;
        Ok(Truncated { dropped: Some((first, last)), count, rollback_file: Some(file) })
    }

    /// Cuts off what is left behind the last entry, where that could not be done on open.
    pub(crate) fn settle_lost_end(&mut self) -> Result<(), LogError> {
        if !self.cut_pending {
            return Ok(());
        }
        let (written, chain) = {
            let state = self.shared.read();
            (state.written(), state.summary.chain)
        };
        self.cut_after(written, chain)
    }

    /// Ends the log at `keep`, durably: the header of a new segment says so. It takes its place in one step,
    /// so that after a crash the log is whole or cut. `chain` is the header checksum of the frame at `keep`.
    fn cut_after(&mut self, keep: Option<Vlsn>, chain: u32) -> Result<(), LogError> {
        let space = self.reserve.take_any(SEGMENT_HEADER_BYTES)?;
        self.sync_last()?;
        let (sealed, shortened, header) = self.header_after(keep, chain);
        let dropped: Vec<u64> =
            self.shared.read().segments[sealed..].iter().map(|segment| segment.header.number).collect();
        let segment = self.name_segment(header, space)?;
        {
            let mut state = self.shared.write();
            state.segments.truncate(sealed);
            if let Some(last) = state.segments.last_mut().filter(|last| last.index.last() > keep) {
                last.index.built().truncate_after(keep);
            }
            state.segments.push(segment);
            forget_after(&mut state, keep, chain);
        }
        self.begin_segment();
        self.cut_pending = false;
        for number in dropped.into_iter().filter(|number| *number > header.number) {
            self.remove(&self.directory.join(names::segment(number)))?;
        }
        self.remove_stale_indexes(shortened)?;
        self.sync_directory()
    }

    /// How many segments stay, the number of the one that `keep`'s successor stood in, and the header of the
    /// segment that begins behind `keep`. It takes the place of one that begins there too.
    fn header_after(&self, keep: Option<Vlsn>, chain: u32) -> (usize, u64, SegmentHeader) {
        let state = self.shared.read();
        let first = Vlsn::after(keep);
        let index = state.segment_of(first);
        let found = &state.segments[index].header;
        let replaces = found.first == first;
        let last = &state.segments[state.segments.len() - 1].header;
        let header = SegmentHeader {
            identity: found.identity,
            number: if replaces { found.number } else { found.number + 1 },
            generation: last.generation + 1,
            first,
            term_before: keep.and_then(|keep| state.summary.terms.term_at(keep)).unwrap_or(Term::ZERO),
            chain_before: chain,
        };
        (if replaces { index } else { index + 1 }, found.number, header)
    }

    /// Removes the index files of segment `from` and all behind it: their segments are gone or end earlier.
    fn remove_stale_indexes(&self, from: u64) -> Result<(), LogError> {
        let listed = self.vfs.list(&self.directory);
        let listed = listed.map_err(|error| crate::error::failed("listing", &self.directory, &error))?;
        for name in
            listed.iter().filter(|name| names::index_number(name).is_some_and(|number| number >= from))
        {
            self.remove(&self.directory.join(name))?;
        }
        Ok(())
    }

    /// Header checksum of the frame at `keep`; the frame itself must be good, or its successor must have
    /// said it.
    fn chain_at(&self, keep: Option<Vlsn>) -> Result<u32, LogError> {
        let Some(keep) = keep else { return Ok(0) };
        {
            let state = self.shared.read();
            if let Some(segment) =
                state.segments.iter().find(|segment| segment.header.first.previous() == Some(keep))
            {
                return Ok(segment.header.chain_before);
            }
            let range = crate::damage::at(&state.summary.damaged, keep).filter(|range| range.last == keep);
            if let Some(chain) = range.and_then(|range| range.chain_after) {
                return Ok(chain);
            }
        }
        Ok(Reader(self.shared.clone()).read(keep, keep, 0)?.chain_after())
    }
}

fn forget_after(state: &mut State, keep: Option<Vlsn>, chain: u32) {
    let summary = &mut state.summary;
    summary.terms.truncate_after(keep);
    summary.chain = chain;
    summary.durable = summary.terms.last_vlsn();
    summary.damaged.retain(|range| Some(range.first) <= keep);
    if let (Some(range), Some(keep)) = (summary.damaged.last_mut(), keep)
        && range.last > keep
    {
        range.last = keep;
        range.chain_after = Some(chain);
    }
    state.epoch += 1;
}

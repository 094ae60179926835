use crate::damage;
use crate::error::failed;
use crate::index_file::{self, IndexContent};
use crate::log::Log;
use crate::names;
use crate::segment::{Segment, SegmentIndex};
use crate::segment_header::SEGMENT_HEADER_BYTES;
use crate::state::State;
use quorate_core::{LogError, Term, TermTable, Vlsn};
use std::sync::Arc;

impl Log {
    /// Drops the sealed segments that hold nothing behind `base`. Each is gone for good before the next one
    /// goes, so that no crash leaves a gap.
    pub(crate) fn trim(&mut self, base: Vlsn) -> Result<(), LogError> {
        if self.ends_with_spent_damage(base) {
            match self.roll(SEGMENT_HEADER_BYTES) {
                Err(LogError::DiskFull) | Ok(()) => {}
                Err(error) => return Err(error),
            }
        }
        while let Some(segment) = self.take_oldest(base) {
            self.remove(&self.directory.join(names::index(segment.header.number)))?;
            self.release(segment)?;
            self.sync_directory()?;
        }
        Ok(())
    }

    /// Whether the last segment is damaged, and everything in it may go: others may have trimmed it already,
    /// so that nobody could repair it, and without new entries it would stay damaged for ever.
    fn ends_with_spent_damage(&self, base: Vlsn) -> bool {
        let state = self.shared.read();
        let first = state.segments[state.segments.len() - 1].header.first;
        let is_spent = state.written() <= Some(base) && !self.cut_pending;
        is_spent && state.summary.damaged.last().is_some_and(|range| range.last >= first)
    }

    fn take_oldest(&self, base: Vlsn) -> Option<Segment> {
        let mut state = self.shared.write();
        let next = state.segments.get(1)?.header;
        let last = next.first.previous();
        if last > Some(base) {
            return None;
        }
        if let Some(last) = last {
            state.summary.terms.trim_through(last);
            damage::forget_before(&mut state.summary.damaged, next.first, next.chain_before);
        }
        state.epoch += 1;
        Some(state.segments.remove(0))
    }

    /// Uses the file of a dropped segment again, or removes it if a reader still holds it.
    fn release(&mut self, segment: Segment) -> Result<(), LogError> {
        let path = segment.file.path.clone();
        if breaks!(self.mutation, RecycledWhileRead)
            && self.reserve.recycle(&path, segment.file.file.clone(), segment.file.bytes)?
        {
            return Ok(());
        }
        if let Ok(unheld) = Arc::try_unwrap(segment.file)
            && self.reserve.recycle(&path, unheld.file.clone(), unheld.bytes)?
        {
            return Ok(());
        }
        self.remove(&path)
    }

    /// Removes the index file of one segment that was found damaged since it was written, so that the next
    /// open finds the damage again. False if there is none.
    pub(crate) fn drop_next_index(&mut self) -> Result<bool, LogError> {
        let number = {
            let mut state = self.shared.write();
            let State { segments, summary, .. } = &mut *state;
            let damaged = segments.iter_mut().find(|segment| {
                let damaged = damage::next_from(&summary.damaged, segment.header.first);
                let inside = damaged.is_some_and(|first| Some(first) <= segment.last());
                inside && matches!(segment.index, SegmentIndex::Mapped(_))
            });
            let Some(segment) = damaged else { return Ok(false) };
            segment.index.built();
            segment.header.number
        };
        self.remove(&self.directory.join(names::index(number)))?;
        Ok(true)
    }

    /// Writes the index file of one sealed segment that has none. False if each has one. A damaged segment
    /// gets none: its index is not what it was.
    pub(crate) fn store_next_index(&mut self) -> Result<bool, LogError> {
        let Some(found) = self.next_without_file() else { return Ok(false) };
        let path = self.directory.join(names::index(found.header.number));
        let unfinished = self.directory.join(names::UNFINISHED);
        index_file::store(&*self.vfs, &unfinished, &path, &found)
            .map_err(|error| failed("writing", &path, &error))?;
        let Some(file) = index_file::load(&*self.vfs, &path, &found.header) else { return Ok(false) };
        let mut state = self.shared.write();
        let segment = state.segments.iter_mut().find(|segment| segment.header == found.header);
        if let Some(segment) = segment {
            segment.index = SegmentIndex::Mapped(file.view);
        }
        Ok(true)
    }

    fn next_without_file(&self) -> Option<IndexContent> {
        let state = self.shared.read();
        let sealed = 0..state.segments.len() - 1;
        sealed.into_iter().find_map(|position| {
            let segment = &state.segments[position];
            let damaged = damage::next_from(&state.summary.damaged, segment.header.first);
            match &segment.index {
                SegmentIndex::Built(index)
                    if !index.is_empty() && damaged.is_none_or(|first| Some(first) > index.last()) =>
                {
                    Some(IndexContent {
                        header: segment.header,
                        terms: terms_of(&state.summary.terms, segment),
                        chain: state.follows(position).chain_before,
                        index: index.clone(),
                    })
                }
                _ => None,
            }
        })
    }
}

/// The first entry in the segment of each term.
fn terms_of(table: &TermTable, segment: &Segment) -> Vec<(Term, Vlsn)> {
    let first = segment.header.first;
    let begins = table.term_at(first).map(|term| (term, first));
    let others =
        table.starts().iter().copied().filter(|(_, start)| *start > first && Some(*start) <= segment.last());
    begins.into_iter().chain(others).collect()
}

#[cfg(all(test, feature = "simulated"))]
mod tests {
    use crate::vfs::MemoryVfs;
    use crate::{Log, LogConfig, names};
    use quorate_codec::Encoder;
    use quorate_core::{EntryId, EntryKind, LogStore, NodeId, Requirement, Term, Vlsn};
    use std::path::Path;
    use std::sync::Arc;

    fn append(log: &mut Log) {
        let summary = log.summary();
        let vlsn = Vlsn::after(summary.terms.last_vlsn());
        let mut encoder = Encoder::new(summary.chain);
        let id = EntryId { term: Term::new(1, NodeId::new(1)), vlsn };
        encoder.push(id, EntryKind::Data, Requirement::SYNC, 0, &[vlsn.as_u64() as u8; 2000]);
        log.append(&[encoder.finish().unwrap()]).unwrap();
    }

    /// The bytes of a segment that somebody reads, before it was trimmed away and after more was appended.
    fn bytes_of_a_held_segment(config: LogConfig) -> (Vec<u8>, Vec<u8>) {
        let mut log = Log::open(Arc::new(MemoryVfs::new()), "log", config).unwrap();
        (0..3).for_each(|_| append(&mut log));
        let held = log.shared.read().segments[0].file.clone();
        let before = held.read(0, 4096).unwrap();
        log.trim_through(Vlsn::new(1).unwrap()).unwrap();
        (0..3).for_each(|_| append(&mut log));
        (before, held.read(0, 4096).unwrap())
    }

    fn config() -> LogConfig {
        LogConfig { segment_bytes: 4096, ..LogConfig::new(1) }
    }

    #[test]
    fn the_file_of_a_segment_that_somebody_reads_is_not_written_to_again() {
        let (before, after) = bytes_of_a_held_segment(config());
        assert!(before == after);
    }

    #[cfg(feature = "mutations")]
    #[test]
    fn a_log_that_uses_the_file_of_a_held_segment_again_is_noticed() {
        let mutation = Some(crate::Mutation::RecycledWhileRead);
        let (before, after) = bytes_of_a_held_segment(LogConfig { mutation, ..config() });
        assert!(before != after);
    }

    #[test]
    fn the_file_of_a_trimmed_segment_is_kept_for_another_once_nobody_reads_it() {
        let disk = MemoryVfs::new();
        let mut log = Log::open(Arc::new(disk.clone()), "log", config()).unwrap();
        (0..6).for_each(|_| append(&mut log));
        let spare = Path::new("log").join(names::SPARE);
        let held = log.shared.read().segments[0].file.clone();
        log.trim_through(Vlsn::new(1).unwrap()).unwrap();
        assert_eq!(disk.contents(&spare), None, "it is not recycled");
        drop(held);
        log.trim_through(Vlsn::new(2).unwrap()).unwrap();
        assert!(disk.contents(&spare).is_some(), "one that nobody reads is");
    }
}

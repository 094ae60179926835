use crate::config::LogConfig;
use crate::directory::DirectoryLock;
use crate::error::{failed, failed_or_full};
use crate::group_header::{GROUP_HEADER_BYTES, GroupHeader};
use crate::names;
use crate::reader::Reader;
use crate::segment::{Segment, SegmentFile, SegmentIndex};
use crate::segment_header::{SEGMENT_HEADER_BYTES, SegmentHeader};
use crate::space::{Reserve, Space};
use crate::state::{Shared, inspect};
use crate::vfs::Vfs;
use quorate_core::{Batch, DamagedRange, LogError, LogReader, LogStore, LogSummary, Term, Truncated, Vlsn};
use quorate_vlsn::DenseIndex;
use std::io::IoSlice;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The replicated log of one node, in segment files in a directory of its own.
///
/// Besides what [`LogStore`] says:
///
/// 1. An append is one group: one write, behind a header that says what was durable before it. 2. A sync is
///    one `fdatasync` of one file, with no metadata to flush. 3. An append that starts a new segment first
///    syncs the one it leaves, so all but the last are always durable.
/// 4. A truncation changes no byte: it starts a new segment whose header says where the one before it ends.
///
/// A writer thread calls [`prepare`](Self::prepare) while it has nothing else to do. See
/// [`open`](Self::open) for what happens after a crash.
#[derive(Debug)]
pub struct Log {
    pub(crate) vfs: Arc<dyn Vfs>,
    pub(crate) directory: PathBuf,
    pub(crate) shared: Arc<Shared>,
    pub(crate) reserve: Reserve,
    /// Where the next group goes in the last segment, in bytes.
    pub(crate) end: usize,
    /// The next group's number.
    pub(crate) group_next: u32,
    /// What the last group header says was durable.
    pub(crate) stated: Option<Vlsn>,
    /// Durable entries behind the end were lost, or lost the header of their group, and what is left of them
    /// is still there. The next write ends the segment behind the last entry.
    pub(crate) cut_pending: bool,
    /// The first failure: nothing is written any more.
    pub(crate) poison: Option<String>,
    /// A rule that is broken.
    #[cfg(feature = "mutations")]
    pub(crate) mutation: Option<crate::Mutation>,
    /// Released when dropped.
    pub(crate) _lock: DirectoryLock,
}

/// How much a single append may hold, in bytes of frames: offsets in a segment are 32 bits wide.
const GROUP_BYTES_MAX: usize = LogConfig::SEGMENT_BYTES_MAX as usize;

impl Log {
    /// Reads every segment and checks every frame, from the disk. Damage is added to the summary's, and all
    /// of it returned. A writer that has other work meanwhile calls [`verify_segment`](Self::verify_segment)
    /// now and then instead.
    ///
    /// # Errors
    /// [`LogError::Io`].
    pub fn verify(&self) -> Result<Vec<DamagedRange>, LogError> {
        let mut segment = 0;
        while self.verify_segment(segment)? {
            segment += 1;
        }
        Ok(self.summary().damaged)
    }

    /// Reads one segment, counted from 0 at the oldest, and checks every frame. Damage is added to the
    /// summary's. False if there is no such segment.
    ///
    /// # Errors
    /// [`LogError::Io`].
    pub fn verify_segment(&self, segment: usize) -> Result<bool, LogError> {
        let Some(first) = self.shared.read().segments.get(segment).map(|segment| segment.header.first) else {
            return Ok(false);
        };
        inspect(&self.shared, segment, first)?;
        Ok(true)
    }

    /// Lets an action write unless the log is poisoned, and poisons it if the action fails half-way.
    pub(crate) fn guarded<T>(
        &mut self,
        action: impl FnOnce(&mut Self) -> Result<T, LogError>,
    ) -> Result<T, LogError> {
        if let Some(cause) = &self.poison {
            return Err(LogError::Poisoned { cause: cause.clone() });
        }
        let outcome = action(self);
        if let Err(error @ LogError::Io { .. }) = &outcome {
            self.poison = Some(error.to_string());
        }
        outcome
    }

    fn check_follows(&self, batches: &[Batch]) -> Result<(), LogError> {
        let state = self.shared.read();
        let mut next = Vlsn::after(state.written());
        let mut chain = state.summary.chain;
        let mut term = state.last().map_or(Term::ZERO, |last| last.term);
        for batch in batches {
            let first = batch.first();
            if first != next || batch.chain_before() != chain || batch.runs()[0].term < term {
                return Err(LogError::OutOfOrder { expected: next, found: first });
            }
            next = batch.last().vlsn.next();
            chain = batch.chain_after();
            term = batch.last().term;
        }
        Ok(())
    }

    fn append_group(&mut self, batches: &[Batch]) -> Result<(), LogError> {
        self.check_follows(batches)?;
        let bytes: usize = batches.iter().map(Batch::bytes).sum();
        if bytes == 0 {
            return Ok(());
        }
        if bytes > GROUP_BYTES_MAX {
            let reason = format!(
                "one append holds {bytes} bytes, the limit is {GROUP_BYTES_MAX}: append less at once"
            );
            return Err(LogError::Unusable { reason });
        }
        self.settle_lost_end()?;
        if self.room() < GROUP_HEADER_BYTES + bytes {
            self.roll(SEGMENT_HEADER_BYTES + GROUP_HEADER_BYTES + bytes)?;
        }
        let header = self.write_group(batches, bytes)?;
        self.count_in(batches, &header);
        Ok(())
    }

    /// Bytes left in the last segment.
    fn room(&self) -> usize {
        self.last_file().bytes.saturating_sub(self.end)
    }

    pub(crate) fn last_file(&self) -> Arc<SegmentFile> {
        let state = self.shared.read();
        state.segments[state.segments.len() - 1].file.clone()
    }

    pub(crate) fn last_header(&self) -> SegmentHeader {
        let state = self.shared.read();
        state.segments[state.segments.len() - 1].header
    }

    /// Writes one group behind the last one. Nothing counts as written before all of it is.
    fn write_group(&mut self, batches: &[Batch], bytes: usize) -> Result<GroupHeader, LogError> {
        let (durable, chain, first) = {
            let state = self.shared.read();
            (state.summary.durable, state.summary.chain, Vlsn::after(state.written()))
        };
        let header = GroupHeader {
            offset: self.end as u32,
            bytes: bytes as u32,
            number: self.group_next,
            count: batches.iter().map(Batch::count).sum::<usize>() as u32,
            chain_before: chain,
            missing: false,
            durable,
            first,
        };
        let encoded = header.encode(&self.last_header());
        let mut parts = Vec::with_capacity(1 + batches.len());
        parts.push(IoSlice::new(&encoded));
        parts.extend(batches.iter().map(|batch| IoSlice::new(batch.frames())));
        let file = self.last_file();
        file.file
            .write_at(self.end as u64, &parts)
            .map_err(|error| failed_or_full("writing", &file.path, &error))?;
        self.end = header.end();
        self.group_next += 1;
        self.stated = durable;
        Ok(header)
    }

    fn count_in(&self, batches: &[Batch], header: &GroupHeader) {
        let mut state = self.shared.write();
        let last = state.segments.len() - 1;
        let index = state.segments[last].index.built();
        let mut start = header.frames_at() as u32;
        for batch in batches {
            for offset in batch.offsets() {
                index.push(start + offset);
            }
            start += batch.bytes() as u32;
        }
        for batch in batches {
            state.summary.terms.append(batch);
            state.summary.chain = batch.chain_after();
        }
    }

    /// Leaves the last segment, which is durable from then on, for a new one with room for `bytes_min` bytes.
    pub(crate) fn roll(&mut self, bytes_min: usize) -> Result<(), LogError> {
        let space = self.reserve.take(bytes_min)?;
        if !breaks!(self.mutation, RollNotSynced) {
            self.sync_last()?;
        }
        let header = {
            let state = self.shared.read();
            let last = &state.segments[state.segments.len() - 1].header;
            SegmentHeader {
                number: last.number + 1,
                first: Vlsn::after(state.written()),
                term_before: state.last().map_or(Term::ZERO, |last| last.term),
                chain_before: state.summary.chain,
                ..*last
            }
        };
        let segment = self.name_segment(header, space)?;
        self.shared.write().segments.push(segment);
        self.begin_segment();
        Ok(())
    }

    /// Gives a file the name of a segment, once its header is durable. The name is durable on return.
    pub(crate) fn name_segment(&self, header: SegmentHeader, space: Space) -> Result<Segment, LogError> {
        let path = self.directory.join(names::segment(header.number));
        space
            .file
            .write_at(0, &[IoSlice::new(&header.encode())])
            .and_then(|()| space.file.sync_all())
            .and_then(|()| self.vfs.rename(&space.path, &path))
            .and_then(|()| self.vfs.sync_directory(&self.directory))
            .map_err(|error| failed("starting", &path, &error))?;
        Ok(Segment {
            header,
            file: Arc::new(SegmentFile::new(path, space.file, space.bytes)),
            index: SegmentIndex::Built(DenseIndex::new(header.first)),
        })
    }

    /// The last segment is new: groups begin behind its header.
    pub(crate) fn begin_segment(&mut self) {
        self.end = SEGMENT_HEADER_BYTES;
        self.group_next = 0;
        self.stated = self.last_header().first.previous();
    }

    /// Makes the last segment durable, and with it the log.
    pub(crate) fn sync_last(&mut self) -> Result<(), LogError> {
        let file = self.last_file();
        if !breaks!(self.mutation, SyncSkipped) {
            self.sync_file(&file).map_err(|error| failed("syncing", &file.path, &error))?;
        }
        let mut state = self.shared.write();
        state.summary.durable = state.written();
        Ok(())
    }

    fn sync_file(&self, file: &SegmentFile) -> std::io::Result<()> {
        let synced = file.file.sync_data();
        if synced.is_err() && breaks!(self.mutation, SyncTriedAgain) {
            return file.file.sync_data();
        }
        synced
    }

    /// Writes an empty group that says what is durable, unless that has been said.
    fn state_durable(&mut self) -> Result<(), LogError> {
        let (durable, written) = {
            let state = self.shared.read();
            (state.summary.durable, state.written())
        };
        let is_news = durable > self.stated && durable == written;
        if is_news && !self.cut_pending && self.room() >= GROUP_HEADER_BYTES {
            self.write_group(&[], 0)?;
        }
        Ok(())
    }

    pub(crate) fn sync_directory(&self) -> Result<(), LogError> {
        self.vfs.sync_directory(&self.directory).map_err(|error| failed("syncing", &self.directory, &error))
    }

    /// Removes a file; one that is not there is no error.
    pub(crate) fn remove(&self, path: &Path) -> Result<(), LogError> {
        match self.vfs.remove(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(failed("removing", path, &error))
            }
            _ => Ok(()),
        }
    }
}

impl LogStore for Log {
    fn summary(&self) -> LogSummary {
        self.shared.read().summary.clone()
    }

    fn append(&mut self, batches: &[Batch]) -> Result<(), LogError> {
        self.guarded(|log| log.append_group(batches))
    }

    fn sync(&mut self) -> Result<Option<Vlsn>, LogError> {
        self.guarded(|log| {
            let (durable, written) = {
                let state = log.shared.read();
                (state.summary.durable, state.written())
            };
            if durable < written {
                log.sync_last()?;
            }
            Ok(written)
        })
    }

    fn truncate_after(&mut self, keep: Option<Vlsn>) -> Result<Truncated, LogError> {
        self.guarded(|log| log.truncate(keep))
    }

    fn trim_through(&mut self, base: Vlsn) -> Result<(), LogError> {
        self.guarded(|log| log.trim(base))
    }

    fn repair(&mut self, batch: &Batch) -> Result<(), LogError> {
        self.guarded(|log| log.replace_damaged(batch))
    }

    /// A step that fills writes 256 KiB. In order: the next segment is zero-filled; the index of a sealed
    /// segment is written to its file; the last segment is told what is durable, so that damage to its end
    /// can be told from a torn write.
    fn prepare(&mut self) -> Result<bool, LogError> {
        self.guarded(|log| {
            if !log.reserve.is_full() {
                log.reserve.fill()?;
                return Ok(true);
            }
            if log.drop_next_index()? || log.store_next_index()? {
                return Ok(true);
            }
            log.state_durable()?;
            Ok(false)
        })
    }

    fn reader(&self) -> Arc<dyn LogReader> {
        Arc::new(Reader(self.shared.clone()))
    }
}

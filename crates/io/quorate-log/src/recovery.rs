use crate::config::LogConfig;
use crate::directory::DirectoryLock;
use crate::error::{failed, unusable};
use crate::index_file;
use crate::log::Log;
use crate::names;
use crate::scan::{Contents, Follows, Scan, scan};
use crate::segment::{Segment, SegmentFile, SegmentIndex};
use crate::segment_header::{SEGMENT_HEADER_BYTES, SegmentHeader};
use crate::space::{Reserve, Space, zero};
use crate::state::{Shared, State};
use crate::vfs::{OpenMode, Vfs};
use quorate_core::{LogError, LogStore, LogSummary, Term, TermTable, Vlsn};
use quorate_vlsn::DenseIndex;
use std::io::IoSlice;
use std::path::{Path, PathBuf};
use std::sync::Arc;

impl Log {
    /// Opens the log in `directory`, or makes an empty one there, and keeps other processes out of it.
    ///
    /// What a crash left is put right, and all that is found is durable on return:
    ///
    /// - A *torn tail*, a last group of which a part is missing and of which nothing says that it had been
    ///   durable, is cut off.
    /// - *Damage*, entries that had been durable and cannot be read, is never cut off: the summary lists it,
    ///   what stands behind it is kept, and [`repair`](LogStore::repair) heals it.
    /// - Where durable entries are missing from the *end*, the summary says
    ///   [`lost_durable_end`](LogSummary::lost_durable_end) and the log ends with the last entry that names
    ///   itself. Nothing on the disk is changed yet, so that the caller can write down that the node is
    ///   recovering; another open finds the same. What is left behind the end is cut off by the first
    ///   append, truncation or repair.
    ///
    /// Sealed segments are opened by their index files; damage in them shows when they are read, or by
    /// [`verify`](Self::verify).
    ///
    /// # Errors
    /// [`LogError::Unusable`] if the config is out of range, another process uses the directory, or the
    /// files do not make up one log (the text says which); [`LogError::DiskFull`] if there is no room for a
    /// new log's first segment; [`LogError::Io`].
    pub fn open(
        vfs: Arc<dyn Vfs>,
        directory: impl Into<PathBuf>,
        config: LogConfig,
    ) -> Result<Self, LogError> {
        config.check()?;
        let directory = directory.into();
        let lock = DirectoryLock::acquire_named(&*vfs, &directory, names::LOCK)?;
        let mut reserve = Reserve::open(vfs.clone(), directory.clone(), config.segment_bytes as usize)?;
        let files = Files::find(&*vfs, &directory)?;
        if files.segments.is_empty() {
            make_first(&*vfs, &directory, &config, &mut reserve)?;
        }
        let files = if files.segments.is_empty() { Files::find(&*vfs, &directory)? } else { files };
        files.remove_leftovers(&*vfs, &directory)?;
        let recovered = Recovered::from_files(&*vfs, &directory, files)?;
        let mut log = Self {
            vfs,
            directory,
            shared: Arc::new(Shared::new(recovered.state)),
            reserve,
            end: recovered.last.end,
            group_next: recovered.last.group_next,
            stated: recovered.last.durable,
            cut_pending: recovered.last.needs_cut(),
            poison: None,
            #[cfg(feature = "mutations")]
            mutation: config.mutation,
            _lock: lock,
        };
        log.settle_tail(&recovered.last, &recovered.unproven)?;
        #[cfg(feature = "mutations")]
        log.cut_at_damage()?;
        let summary = log.summary();
        tracing::debug!(last = ?summary.terms.last(), damaged = summary.damaged.len(), "the log is open");
        Ok(log)
    }

    /// Makes what was found durable, and what was torn vanish.
    ///
    /// What no group header states to be durable is written once more: if an earlier process saw a sync
    /// fail, the system may take those bytes for clean though they are not on the disk, and a sync alone
    /// would prove nothing.
    fn settle_tail(&mut self, last: &Scan, unproven: &[u8]) -> Result<(), LogError> {
        if breaks!(self.mutation, FoundTakenForDurable) {
            let mut state = self.shared.write();
            state.summary.durable = state.written();
            return Ok(());
        }
        let file = self.last_file();
        let error = |error| failed("repairing the end of", &file.path, &error);
        if !last.needs_cut() {
            let start = (last.end - unproven.len()) as u64;
            file.file.write_at(start, &[IoSlice::new(unproven)]).map_err(error)?;
            if let Some(torn) = &last.torn {
                zero(&*file.file, torn.start, torn.len()).map_err(error)?;
            }
        }
        self.sync_last()?;
        self.sync_directory()
    }
}

/// An empty log's only segment.
fn make_first(
    vfs: &dyn Vfs,
    directory: &Path,
    config: &LogConfig,
    reserve: &mut Reserve,
) -> Result<(), LogError> {
    let header = SegmentHeader {
        identity: config.identity,
        number: 1,
        generation: 0,
        first: Vlsn::FIRST,
        term_before: Term::ZERO,
        chain_before: 0,
    };
    let Space { path, file, .. } = reserve.take(SEGMENT_HEADER_BYTES)?;
    let target = directory.join(names::segment(header.number));
    file.write_at(0, &[IoSlice::new(&header.encode())])
        .and_then(|()| file.sync_all())
        .and_then(|()| vfs.rename(&path, &target))
        .and_then(|()| vfs.sync_directory(directory))
        .map_err(|error| failed("making", &target, &error))
}

/// The segments of a directory, in order, and what else is to go.
struct Files {
    segments: Vec<(SegmentHeader, SegmentFile)>,
    leftovers: Vec<PathBuf>,
}

impl Files {
    fn find(vfs: &dyn Vfs, directory: &Path) -> Result<Self, LogError> {
        let listed = vfs.list(directory).map_err(|error| failed("listing", directory, &error))?;
        let mut numbers: Vec<u64> = listed.iter().filter_map(|name| names::segment_number(name)).collect();
        numbers.sort_unstable();
        let mut files = Self { segments: Vec::new(), leftovers: Vec::new() };
        for number in numbers {
            let (header, file) = open_segment(vfs, &directory.join(names::segment(number)), number)?;
            match files.segments.last() {
                Some((before, _)) if header.generation < before.generation => files.leftovers.push(file.path),
                Some((before, _)) => {
                    check_follows(before, &header, &file.path)?;
                    files.segments.push((header, file));
                }
                None => files.segments.push((header, file)),
            }
        }
        files
            .leftovers
            .extend(listed.iter().filter(|name| *name == names::UNFINISHED).map(|name| directory.join(name)));
        Ok(files)
    }

    fn remove_leftovers(&self, vfs: &dyn Vfs, directory: &Path) -> Result<(), LogError> {
        for path in &self.leftovers {
            vfs.remove(path).map_err(|error| failed("removing", path, &error))?;
        }
        vfs.sync_directory(directory).map_err(|error| failed("syncing", directory, &error))
    }
}

fn open_segment(vfs: &dyn Vfs, path: &Path, number: u64) -> Result<(SegmentHeader, SegmentFile), LogError> {
    let error = |error| failed("opening", path, &error);
    let file = vfs.open(path, OpenMode::Existing).map_err(error)?;
    let bytes = usize::try_from(file.bytes().map_err(error)?).unwrap_or(usize::MAX).min(u32::MAX as usize);
    let file = SegmentFile::new(path.to_owned(), file, bytes);
    let header = SegmentHeader::decode(&file.read(0, SEGMENT_HEADER_BYTES)?);
    match header.filter(|header| header.number == number) {
        Some(header) => Ok((header, file)),
        None => Err(unusable(path, "has no readable header")),
    }
}

fn check_follows(before: &SegmentHeader, header: &SegmentHeader, path: &Path) -> Result<(), LogError> {
    let follows = header.number == before.number + 1
        && header.first >= before.first
        && header.term_before >= before.term_before;
    if header.identity != before.identity {
        return Err(unusable(path, "belongs to another log"));
    }
    if follows {
        Ok(())
    } else {
        Err(unusable(path, "does not follow the segment before it; one may be missing"))
    }
}

/// What the segments hold.
struct Recovered {
    state: State,
    last: Scan,
    /// The bytes up to the last segment's end of which no group header says that they are durable.
    unproven: Vec<u8>,
}

impl Recovered {
    fn from_files(vfs: &dyn Vfs, directory: &Path, files: Files) -> Result<Self, LogError> {
        let base = files.segments.first().and_then(|(header, _)| header.base());
        let summary = LogSummary { terms: TermTable::new(base), ..LogSummary::default() };
        let mut state = State { segments: Vec::new(), summary, epoch: 0 };
        let headers: Vec<SegmentHeader> = files.segments.iter().map(|(header, _)| *header).collect();
        let mut last = None;
        for (position, (header, file)) in files.segments.into_iter().enumerate() {
            let Some(next) = headers.get(position + 1) else {
                last = Some((header, file));
                break;
            };
            let index = sealed_index(vfs, directory, &header, &file, Follows::from(next), &mut state)?;
            state.segments.push(Segment { header, file: Arc::new(file), index });
        }
        let Some((header, file)) = last else { return Err(unusable(directory, "holds no segment")) };
        Self::with_last(state, header, file)
    }

    fn with_last(mut state: State, header: SegmentHeader, file: SegmentFile) -> Result<Self, LogError> {
        let contents = Contents::read(&file, &header)?;
        let damaged = || unusable(&file.path, "is damaged beyond recognition");
        let found = scan(&contents, &header, None).ok_or_else(damaged)?;
        append_terms(&mut state.summary.terms, &found.terms, found.index.last()).ok_or_else(damaged)?;
        state.add_damage(&found.damaged);
        state.summary.chain = found.chain;
        state.summary.lost_durable_end = found.lost_durable_end;
        let unproven = contents.bytes[found.unproven.min(found.end)..found.end].to_vec();
        let index = SegmentIndex::Built(found.index.clone());
        state.segments.push(Segment { header, file: Arc::new(file), index });
        Ok(Self { state, last: found, unproven })
    }
}

/// The index of a sealed segment, from its file or else from the segment itself.
fn sealed_index(
    vfs: &dyn Vfs,
    directory: &Path,
    header: &SegmentHeader,
    file: &SegmentFile,
    follows: Follows,
    state: &mut State,
) -> Result<SegmentIndex, LogError> {
    if header.first == follows.first {
        return Ok(SegmentIndex::Built(DenseIndex::new(header.first)));
    }
    let damaged = || unusable(&file.path, "is damaged beyond recognition");
    let path = directory.join(names::index(header.number));
    if let Some(found) = index_file::load(vfs, &path, header) {
        let ends = found.view.last() == follows.first.previous() && found.chain == follows.chain_before;
        if ends && found.terms.last().map(|(term, _)| *term) == Some(follows.term_before) {
            append_terms(&mut state.summary.terms, &found.terms, found.view.last()).ok_or_else(damaged)?;
            return Ok(SegmentIndex::Mapped(found.view));
        }
    }
    let contents = Contents::read(file, header)?;
    let found = scan(&contents, header, Some(follows)).ok_or_else(damaged)?;
    append_terms(&mut state.summary.terms, &found.terms, found.index.last()).ok_or_else(damaged)?;
    state.add_damage(&found.damaged);
    Ok(SegmentIndex::Built(found.index))
}

/// Takes in the terms of a segment that ends at `last`; `None` if they do not follow.
fn append_terms(table: &mut TermTable, terms: &[(Term, Vlsn)], last: Option<Vlsn>) -> Option<()> {
    for (term, first) in terms {
        let before = table.last();
        if before.is_some_and(|before| before.term > *term || before.vlsn >= *first) {
            return None;
        }
        table.append_run(*term, *first);
    }
    if let Some(last) = last {
        (table.last_vlsn().is_some_and(|end| end <= last)).then_some(())?;
        table.extend_to(last);
    }
    Some(())
}

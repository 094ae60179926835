use crate::damage;
use crate::scan::{Contents, Follows, Scan, scan};
use crate::segment::Segment;
use quorate_core::{DamagedRange, EntryId, LogError, LogSummary, Term, Vlsn};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// What the writer and the readers of a log share.
#[derive(Debug)]
pub(crate) struct Shared(RwLock<State>);

impl Shared {
    pub(crate) const fn new(state: State) -> Self {
        Self(RwLock::new(state))
    }

    /// A panic of another thread left nothing half done: changes of the state cannot fail.
    pub(crate) fn read(&self) -> RwLockReadGuard<'_, State> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The log as it is now.
#[derive(Debug)]
pub(crate) struct State {
    /// In order, at least one. The last is the one being written; the others are sealed.
    pub(crate) segments: Vec<Segment>,
    pub(crate) summary: LogSummary,
    /// Counts the changes that take entries away or move them: a read that failed is tried again if it has
    /// changed meanwhile.
    pub(crate) epoch: u64,
}

impl State {
    pub(crate) fn written(&self) -> Option<Vlsn> {
        self.summary.terms.last_vlsn()
    }

    /// The last position that was trimmed away.
    pub(crate) fn base(&self) -> Option<Vlsn> {
        self.summary.terms.base().map(|base| base.vlsn)
    }

    /// Index of the segment that `vlsn` belongs to: of those that begin at or before it, the last.
    pub(crate) fn segment_of(&self, vlsn: Vlsn) -> usize {
        self.segments.partition_point(|segment| segment.header.first <= vlsn).saturating_sub(1)
    }

    /// The last entry of all.
    pub(crate) fn last(&self) -> Option<EntryId> {
        self.summary.terms.last()
    }

    /// What follows the last entry of a segment.
    pub(crate) fn follows(&self, segment: usize) -> Follows {
        match self.segments.get(segment + 1) {
            Some(next) => Follows::from(&next.header),
            None => Follows {
                first: Vlsn::after(self.written()),
                term_before: self.last().map_or(Term::ZERO, |last| last.term),
                chain_before: self.summary.chain,
            },
        }
    }

    /// Adds what a scan of a segment has found.
    pub(crate) fn add_damage(&mut self, ranges: &[DamagedRange]) {
        for range in ranges {
            damage::add(&mut self.summary.damaged, *range);
        }
    }
}

/// Reads a whole segment again, from the disk, and adds the damage in it to what is known. Returns whether
/// `vlsn` is damaged.
pub(crate) fn inspect(shared: &Shared, segment: usize, vlsn: Vlsn) -> Result<bool, LogError> {
    let (header, file, follows, epoch) = {
        let state = shared.read();
        let Some(found) = state.segments.get(segment) else { return Ok(false) };
        (found.header, found.file.clone(), state.follows(segment), state.epoch)
    };
    let found: Option<Scan> = scan(&Contents::read(&file, &header)?, &header, Some(follows));
    let mut state = shared.write();
    if state.epoch == epoch {
        let whole = DamagedRange {
            first: header.first,
            last: follows.first.previous().unwrap_or(header.first),
            chain_before: header.chain_before,
            chain_after: Some(follows.chain_before),
        };
        state.add_damage(found.as_ref().map_or(&[whole], |scan| scan.damaged.as_slice()));
    }
    Ok(damage::at(&state.summary.damaged, vlsn).is_some())
}

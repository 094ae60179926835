use alloc::vec::Vec;
use quorate_core::{EntryId, EntryKind, Requirement, Run, Vlsn};

/// Gathers entries, in order, into runs that share term, kind and requirement.
#[derive(Debug, Default)]
pub(crate) struct Runs(Vec<Run>);

impl Runs {
    pub(crate) fn push(&mut self, id: EntryId, kind: EntryKind, requirement: Requirement) {
        let continues = |run: &Run| run.term == id.term && run.kind == kind && run.requirement == requirement;
        if !self.0.last().is_some_and(continues) {
            self.0.push(Run { first: id.vlsn, term: id.term, kind, requirement });
        }
    }

    pub(crate) fn as_slice(&self) -> &[Run] {
        &self.0
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}

/// The run of `runs` that the entry at `vlsn` belongs to: the last one that does not begin behind it.
pub(crate) fn index_of(runs: &[Run], vlsn: Vlsn) -> usize {
    runs.partition_point(|run| run.first <= vlsn).saturating_sub(1)
}

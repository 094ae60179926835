//! Short words for positions, terms and progress.

use quorate_core::{EntryId, NodeId, NodeState, Term, TermTable, Time, Vlsn, Watermarks};
use quorate_replica::Progress;

pub(crate) fn v(number: u64) -> Vlsn {
    Vlsn::new(number).unwrap()
}

pub(crate) fn t(round: u64) -> Term {
    Term::new(round, NodeId::new(1))
}

pub(crate) fn id(round: u64, number: u64) -> EntryId {
    EntryId { term: t(round), vlsn: v(number) }
}

pub(crate) fn at(seconds: u64) -> Time {
    Time::from_nanos(seconds * 1_000_000_000)
}

/// The terms of a log, by their first positions, up to `last`.
pub(crate) fn terms(starts: &[(u64, u64)], last: u64) -> TermTable {
    let starts = starts.iter().map(|(round, first)| (t(*round), v(*first))).collect();
    TermTable::from_parts(None, starts, Vlsn::new(last)).unwrap()
}

/// Watermarks as numbers, 0 for none.
#[derive(Clone, Copy, Default)]
pub(crate) struct Marks {
    pub(crate) written: u64,
    pub(crate) durable: u64,
    pub(crate) committed: u64,
    pub(crate) applied: u64,
    /// Written, and durable, on every electable node.
    pub(crate) all: (u64, u64),
}

pub(crate) fn progress(marks: Marks) -> Progress {
    let mut progress = Progress {
        state: NodeState::Master,
        term: t(1),
        master: Some(NodeId::new(1)),
        watermarks: Watermarks {
            applied: Vlsn::new(marks.applied),
            committed: Vlsn::new(marks.committed),
            durable: Vlsn::new(marks.durable),
            written: Vlsn::new(marks.written),
            ..Watermarks::default()
        },
        held_by_all: Default::default(),
        recovering: false,
        damaged: false,
        restore_needed: None,
    };
    progress.held_by_all.written = Vlsn::new(marks.all.0);
    progress.held_by_all.durable = Vlsn::new(marks.all.1);
    progress
}

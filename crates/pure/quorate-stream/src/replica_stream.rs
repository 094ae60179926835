use crate::{StreamId, SyncupAnswer};
use quorate_core::{EntryId, Term, Time, Vlsn};

/// What to do with frames that have come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// They follow what is held: append them.
    Next,
    /// They are held already.
    Duplicate,
    /// Something before them is missing, or they belong to another stream.
    OutOfPlace,
}

/// The receiving half of one stream.
///
/// 1. The answer to the syncup is taken once, before the first frame. 2. Frames count only on the present stream and only in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplicaStream {
    term: Term,
    stream: StreamId,
    began: Time,
    matched: bool,
}

impl ReplicaStream {
    /// A stream of the master of `term`, about to ask for its matchpoint.
    #[must_use]
    pub const fn new(term: Term, stream: StreamId, began: Time) -> Self {
        Self { term, stream, began, matched: false }
    }

    /// The master's term.
    #[must_use]
    pub const fn term(&self) -> Term {
        self.term
    }

    /// The stream's name.
    #[must_use]
    pub const fn stream(&self) -> StreamId {
        self.stream
    }

    /// When the matchpoint was asked for.
    #[must_use]
    pub const fn began(&self) -> Time {
        self.began
    }

    /// Whether frames may come: the answer has been taken.
    #[must_use]
    pub const fn is_matched(&self) -> bool {
        self.matched
    }

    /// Takes the answer to the syncup, once: where to cut this log, if it is for this stream.
    pub fn answered(
        &mut self,
        term: Term,
        stream: StreamId,
        answer: SyncupAnswer,
    ) -> Option<Result<Option<EntryId>, EntryId>> {
        if self.matched || term != self.term || stream != self.stream {
            return None;
        }
        match answer {
            SyncupAnswer::Matchpoint(matchpoint) => {
                self.matched = true;
                Some(Ok(matchpoint))
            }
            SyncupAnswer::Trimmed { base } => Some(Err(base)),
        }
    }

    /// Judges frames from `first` on, where this log ends with `last`.
    #[must_use]
    pub fn arrival(&self, term: Term, stream: StreamId, first: Vlsn, last: Option<Vlsn>) -> Arrival {
        if !self.matched || term != self.term || stream != self.stream || first > Vlsn::after(last) {
            Arrival::OutOfPlace
        } else if first == Vlsn::after(last) {
            Arrival::Next
        } else {
            Arrival::Duplicate
        }
    }
}

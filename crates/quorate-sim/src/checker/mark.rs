use quorate_codec::Header;
use quorate_core::{Batch, EntryId, EntryKind, Requirement, Term, Vlsn};
use std::fmt;

/// One entry of a log, as the checkers remember it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) term: Term,
    /// Its header checksum: two entries with one chain have the same entries before them.
    pub(crate) chain: u32,
    pub(crate) kind: EntryKind,
    pub(crate) requirement: Requirement,
}

/// The marks of a batch's entries, in order.
pub(crate) fn marks(batch: &Batch) -> impl Iterator<Item = Mark> + '_ {
    batch.offsets().iter().map(|offset| {
        let header = Header::parse(&batch.frames()[*offset as usize..]).expect("a batch holds whole frames");
        Mark {
            term: header.id.term,
            chain: header.checksum,
            kind: header.kind,
            requirement: header.requirement,
        }
    })
}

/// The entry that stands at `index` (from 0) of a log.
pub(crate) fn id_at(index: usize, mark: &Mark) -> EntryId {
    EntryId { term: mark.term, vlsn: Vlsn::FIRST.advance(index as u64) }
}

/// How many entries lie up to a position.
pub(crate) fn count(position: Option<Vlsn>) -> usize {
    Vlsn::number(position) as usize
}

/// The last entry of a log in words.
pub(crate) struct End<'a>(pub(crate) &'a [Mark]);

impl fmt::Display for End<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.last() {
            Some(mark) => write!(f, "{}", id_at(self.0.len() - 1, mark)),
            None => f.write_str("nothing"),
        }
    }
}

use crate::{Batch, EntryId, Term, Vlsn};
use alloc::vec::Vec;

/// Which term wrote which entries of a log: the first VLSN of every term, the last VLSN, and the base of a trimmed log.
///
/// 1. Terms and first VLSNs both increase strictly. 2. `last` is at or behind the last start, and behind the base.
/// 3. The log holds the entries behind `base`, up to `last`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TermTable {
    base: Option<EntryId>,
    starts: Vec<(Term, Vlsn)>,
    last: Option<EntryId>,
}

impl TermTable {
    /// The table of an empty log, or of one that was trimmed up to `base` and holds nothing behind it.
    #[must_use]
    pub const fn new(base: Option<EntryId>) -> Self {
        Self { base, starts: Vec::new(), last: base }
    }

    /// A table from its parts, or `None` if they break the guarantees: the parts may come from a peer.
    #[must_use]
    pub fn from_parts(base: Option<EntryId>, starts: Vec<(Term, Vlsn)>, last: Option<Vlsn>) -> Option<Self> {
        let ascending = starts.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 < pair[1].1);
        let first_is_next = starts.first().is_none_or(|(term, first)| match base {
            None => *first == Vlsn::FIRST && *term > Term::ZERO,
            Some(base) => *first == base.vlsn.next() && *term >= base.term,
        });
        let last = match (starts.last(), last) {
            (Some((term, first)), Some(last)) if last >= *first => Some(EntryId { term: *term, vlsn: last }),
            (None, last) if last == base.map(|base| base.vlsn) => base,
            _ => return None,
        };
        (ascending && first_is_next).then_some(Self { base, starts, last })
    }

    /// The last entry that was trimmed away.
    #[must_use]
    pub const fn base(&self) -> Option<EntryId> {
        self.base
    }

    /// The first entry of every term behind the base; the first row may be the rest of the base's own term.
    #[must_use]
    pub fn starts(&self) -> &[(Term, Vlsn)] {
        &self.starts
    }

    /// The last entry: the log's rank. The base, if nothing is behind it.
    #[must_use]
    pub const fn last(&self) -> Option<EntryId> {
        self.last
    }

    /// The last entry's position.
    #[must_use]
    pub fn last_vlsn(&self) -> Option<Vlsn> {
        self.last.map(|last| last.vlsn)
    }

    /// The term of the entry at `vlsn`, or `None` if the log does not hold it and it is not the base.
    #[must_use]
    pub fn term_at(&self, vlsn: Vlsn) -> Option<Term> {
        if let Some(base) = self.base
            && vlsn <= base.vlsn
        {
            return (vlsn == base.vlsn).then_some(base.term);
        }
        if Some(vlsn) > self.last_vlsn() {
            return None;
        }
        let behind = self.starts.partition_point(|(_, first)| *first <= vlsn);
        self.starts[..behind].last().map(|(term, _)| *term)
    }

    /// The entry at `vlsn`, as [`term_at`](Self::term_at).
    #[must_use]
    pub fn entry_at(&self, vlsn: Vlsn) -> Option<EntryId> {
        self.term_at(vlsn).map(|term| EntryId { term, vlsn })
    }

    /// The last VLSN that `term` wrote, if the log holds any entry of it, or the base is one.
    #[must_use]
    pub fn last_of(&self, term: Term) -> Option<Vlsn> {
        match self.starts.binary_search_by_key(&term, |(term, _)| *term) {
            Ok(index) => match self.starts.get(index + 1) {
                Some((_, next)) => next.previous(),
                None => self.last_vlsn(),
            },
            Err(_) => self.base.filter(|base| base.term == term).map(|base| base.vlsn),
        }
    }

    /// Takes in a batch that follows the last entry.
    ///
    /// # Panics
    /// If it does not follow, or its term is lower: the caller has checked both.
    pub fn append(&mut self, batch: &Batch) {
        for run in batch.runs() {
            self.append_run(run.term, run.first);
        }
        self.last = Some(batch.last());
    }

    /// Takes in entries of `term` from `first` on; `last` becomes `first` until told otherwise.
    ///
    /// # Panics
    /// As [`append`](Self::append).
    pub fn append_run(&mut self, term: Term, first: Vlsn) {
        assert!(Some(first) > self.last_vlsn(), "entries follow each other");
        let last_term = self.last.map_or(Term::ZERO, |last| last.term);
        assert!(term >= last_term, "terms in a log never decrease");
        if self.starts.is_empty() || term > last_term {
            self.starts.push((term, first));
        }
        self.last = Some(EntryId { term, vlsn: first });
    }

    /// Moves the end forward within the last term.
    ///
    /// # Panics
    /// If `last` is before the present end, or there is no entry yet.
    pub fn extend_to(&mut self, last: Vlsn) {
        let end = self.last.as_mut().expect("only a log with entries is extended");
        assert!(last >= end.vlsn, "extending never shortens");
        end.vlsn = last;
    }

    /// Forgets every entry behind `keep` (all that are held, for `None`).
    ///
    /// # Panics
    /// If `keep` is below the base.
    pub fn truncate_after(&mut self, keep: Option<Vlsn>) {
        assert!(keep >= self.base.map(|base| base.vlsn), "a trimmed entry cannot be kept");
        if keep >= self.last_vlsn() {
            return;
        }
        self.starts.retain(|(_, first)| Some(*first) <= keep);
        self.last = match (self.starts.last(), keep) {
            (Some((term, _)), Some(vlsn)) => Some(EntryId { term: *term, vlsn }),
            _ => self.base,
        };
    }

    /// Forgets every entry up to `base`, which becomes the base. Does nothing where `base` is not held.
    pub fn trim_through(&mut self, base: Vlsn) {
        let Some(entry) = self.entry_at(base) else { return };
        let behind = self.starts.partition_point(|(_, first)| *first <= base);
        self.starts.drain(..behind);
        if self.last_vlsn() > Some(base) && self.starts.first().is_none_or(|(_, first)| *first > base.next())
        {
            self.starts.insert(0, (entry.term, base.next()));
        }
        self.base = Some(entry);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::NodeId;
    use alloc::vec;

    fn v(number: u64) -> Vlsn {
        Vlsn::new(number).unwrap()
    }
    fn t(round: u64) -> Term {
        Term::new(round, NodeId::new(1))
    }
    /// Term 1: 1..=3, term 4: 4..=9, term 5: 10..=12.
    fn table() -> TermTable {
        TermTable::from_parts(None, vec![(t(1), v(1)), (t(4), v(4)), (t(5), v(10))], Some(v(12))).unwrap()
    }

    #[test]
    fn every_position_has_the_term_that_wrote_it() {
        let table = table();
        let terms: Vec<_> = (1..=13).map(|n| table.term_at(v(n)).map(Term::round)).collect();
        let mut expected = vec![Some(1); 3];
        expected.extend([Some(4); 6]);
        expected.extend([Some(5); 3]);
        expected.push(None);
        assert_eq!(terms, expected);
        assert_eq!(table.last_of(t(4)), Some(v(9)));
        assert_eq!(table.last_of(t(3)), None);
    }

    #[test]
    fn truncating_and_trimming_keep_the_terms_of_what_is_left() {
        for trim in 1..=12 {
            for keep in trim..=12 {
                let mut cut = table();
                cut.trim_through(v(trim));
                cut.truncate_after(Some(v(keep)));
                for n in trim..=keep {
                    assert_eq!(cut.term_at(v(n)), table().term_at(v(n)), "trim {trim} keep {keep} at {n}");
                }
                assert_eq!(cut.term_at(v(keep + 1)), None);
                assert_eq!(cut.last_vlsn(), Some(v(keep)));
                let parts = TermTable::from_parts(cut.base(), cut.starts().to_vec(), cut.last_vlsn());
                assert_eq!(parts.as_ref(), Some(&cut), "trim {trim} keep {keep}");
            }
        }
    }

    #[test]
    fn parts_that_no_log_can_have_are_refused() {
        assert_eq!(TermTable::from_parts(None, vec![(t(1), v(2))], Some(v(2))), None);
        assert_eq!(TermTable::from_parts(None, vec![(t(2), v(1)), (t(1), v(2))], Some(v(2))), None);
        assert_eq!(TermTable::from_parts(None, vec![(t(2), v(1))], None), None);
        assert_eq!(TermTable::from_parts(None, vec![], Some(v(1))), None);
    }
}

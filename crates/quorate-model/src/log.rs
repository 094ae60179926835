use crate::term_set::TermSet;
use quorate_core::{EntryId, NodeId, Term, TermTable, Vlsn};
use std::fmt;

/// A log, as the terms of its entries in their order.
///
/// Who wrote an entry and where it stands say which entry it is, as long as no term has two masters; a term
/// that has two ends the search.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Log {
    /// A byte for each entry, in the order of their terms: the round above three bits of the proposer's
    /// number.
    terms: [u8; Self::ENTRIES_MAX],
    length: u8,
}

impl Log {
    /// The most entries.
    pub const ENTRIES_MAX: usize = 23;
    /// The highest round that an entry's term can have.
    pub const ROUND_MAX: u64 = (u8::MAX >> PROPOSER_BITS) as u64;

    /// The entries' terms.
    pub fn terms(&self) -> impl DoubleEndedIterator<Item = Term> + ExactSizeIterator + '_ {
        self.bytes().iter().map(|byte| unpacked(*byte))
    }

    /// The last entry.
    #[must_use]
    pub fn rank(&self) -> Option<EntryId> {
        let vlsn = Vlsn::new(self.length.into())?;
        self.last_term().map(|term| EntryId { term, vlsn })
    }

    /// Whether it begins with all of `other`.
    #[must_use]
    pub fn starts_with(&self, other: &Self) -> bool {
        self.bytes().starts_with(other.bytes())
    }

    /// How many entries it has in common with `other` before they differ.
    #[must_use]
    pub fn shared(&self, other: &Self) -> usize {
        self.bytes().iter().zip(other.bytes()).take_while(|(a, b)| a == b).count()
    }

    /// Whether it has no entry.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// How many entries it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.length.into()
    }

    /// Without its first entries; empty if it has not so many.
    #[must_use]
    pub fn behind(&self, count: usize) -> Self {
        let mut behind = Self::default();
        let bytes = self.bytes().get(count..).unwrap_or_default();
        behind.terms[..bytes.len()].copy_from_slice(bytes);
        behind.length = bytes.len() as u8;
        behind
    }

    pub(crate) fn last_term(&self) -> Option<Term> {
        self.bytes().last().map(|byte| unpacked(*byte))
    }

    pub(crate) fn push(&mut self, term: Term) {
        self.terms[self.len()] = packed(term);
        self.length += 1;
    }

    pub(crate) fn truncate(&mut self, length: usize) {
        self.terms[length..].fill(0);
        self.length = self.length.min(length as u8);
    }

    pub(crate) fn prefix(mut self, length: usize) -> Self {
        self.truncate(length);
        self
    }

    pub(crate) fn add_terms(&self, terms: &mut TermSet) {
        self.bytes().iter().for_each(|byte| terms.insert_byte(*byte));
    }

    pub(crate) fn renumber(&mut self, terms: &TermSet) {
        let length = self.len();
        self.terms[..length].iter_mut().for_each(|byte| *byte = terms.number_byte(*byte));
    }

    pub(crate) fn table(&self) -> TermTable {
        let mut table = TermTable::new(None);
        for (term, number) in self.terms().zip(1..) {
            if let Some(vlsn) = Vlsn::new(number) {
                table.append_run(term, vlsn);
            }
        }
        table
    }

    fn bytes(&self) -> &[u8] {
        &self.terms[..self.len()]
    }
}

pub(crate) const PROPOSER_BITS: u32 = 3;

pub(crate) const fn packed(term: Term) -> u8 {
    (term.round() << PROPOSER_BITS) as u8 | term.proposer().as_u16() as u8
}

pub(crate) const fn unpacked(byte: u8) -> Term {
    let proposer = byte & ((1 << PROPOSER_BITS) - 1);
    Term::new((byte >> PROPOSER_BITS) as u64, NodeId::new(proposer as u16))
}

impl FromIterator<Term> for Log {
    /// # Panics
    /// If there are more terms than [`Log::ENTRIES_MAX`].
    fn from_iter<I: IntoIterator<Item = Term>>(terms: I) -> Self {
        let mut log = Self::default();
        terms.into_iter().for_each(|term| log.push(term));
        log
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.terms()).finish()
    }
}

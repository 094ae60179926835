use quorate_core::Term;
use smallvec::SmallVec;

/// A value for each of a few terms, in their order.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PerTerm<T> {
    rows: SmallVec<[(Term, T); 3]>,
}

impl<T> PerTerm<T> {
    /// The value for `term`.
    #[must_use]
    pub fn get(&self, term: Term) -> Option<&T> {
        self.place(term).ok().map(|place| &self.rows[place].1)
    }

    /// Sets the value for `term`.
    pub fn insert(&mut self, term: Term, value: T) {
        match self.place(term) {
            Ok(place) => self.rows[place].1 = value,
            Err(place) => self.rows.insert(place, (term, value)),
        }
    }

    /// The terms and their values.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (Term, &T)> + Clone {
        self.rows.iter().map(|(term, value)| (*term, value))
    }

    /// The terms.
    pub fn terms(&self) -> impl DoubleEndedIterator<Item = Term> + Clone {
        self.rows.iter().map(|(term, _)| *term)
    }

    /// The values for the terms above `term`.
    pub fn above(&self, term: Term) -> impl Iterator<Item = &T> {
        self.rows[self.rows.partition_point(|(other, _)| *other <= term)..].iter().map(|(_, value)| value)
    }

    /// The terms and their values, to be changed in a way that keeps the order of the terms.
    pub(crate) fn rows_mut(&mut self) -> impl Iterator<Item = &mut (Term, T)> {
        self.rows.iter_mut()
    }

    /// Drops the terms that are not wanted.
    pub fn retain(&mut self, mut wanted: impl FnMut(Term, &T) -> bool) {
        self.rows.retain(|(term, value)| wanted(*term, value));
    }

    /// Whether there is no term.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    fn place(&self, term: Term) -> Result<usize, usize> {
        self.rows.binary_search_by_key(&term, |(other, _)| *other)
    }
}

impl<T> Default for PerTerm<T> {
    fn default() -> Self {
        Self { rows: SmallVec::new() }
    }
}

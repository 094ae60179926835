use crate::log::{PROPOSER_BITS, packed, unpacked};
use quorate_core::Term;

/// Some of the terms that entries can have, each at the place of its byte.
#[derive(Default)]
pub(crate) struct TermSet([u64; 4]);

impl TermSet {
    pub(crate) fn insert(&mut self, term: Term) {
        self.insert_byte(packed(term));
    }

    pub(crate) fn insert_byte(&mut self, byte: u8) {
        self.0[usize::from(byte / 64)] |= 1 << (byte % 64);
    }

    /// The term that stands for a member: the first proposer's in the round that says how many members are
    /// not above it. What is below every ballot stays so.
    pub(crate) fn number(&self, term: Term) -> Term {
        unpacked(self.number_byte(packed(term)))
    }

    pub(crate) fn number_byte(&self, byte: u8) -> u8 {
        if byte == 0 {
            return 0;
        }
        let word = usize::from(byte / 64);
        let below: u32 = self.0[..word].iter().map(|word| word.count_ones()).sum();
        let up_to_it = (self.0[word] << (63 - byte % 64)).count_ones();
        let zero = (self.0[0] & 1) as u32;
        (((below + up_to_it - zero) << PROPOSER_BITS) | 1) as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quorate_core::NodeId;

    #[test]
    fn members_are_numbered_in_their_order() {
        let term = |round, proposer| Term::new(round, NodeId::new(proposer));
        let terms = [Term::ZERO, term(1, 1), term(1, 7), term(7, 7), term(8, 1), term(31, 7)];
        let mut set = TermSet::default();
        terms.iter().rev().for_each(|term| set.insert(*term));
        let numbers = terms.map(|term| set.number(term).round());
        assert_eq!(numbers, [0, 1, 2, 3, 4, 5]);
        assert_eq!(set.number(Term::ZERO), Term::ZERO);
    }
}

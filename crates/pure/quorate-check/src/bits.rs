use alloc::vec::Vec;

/// A set of small numbers.
///
/// The last word is never zero, so that equal sets are equal values.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Bits(Vec<u64>);

impl Bits {
    pub(crate) fn contains(&self, bit: usize) -> bool {
        self.0.get(bit / 64).is_some_and(|word| word >> (bit % 64) & 1 == 1)
    }

    pub(crate) fn insert(&mut self, bit: usize) {
        let word = bit / 64;
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= 1 << (bit % 64);
    }

    pub(crate) fn remove(&mut self, bit: usize) {
        if let Some(word) = self.0.get_mut(bit / 64) {
            *word &= !(1 << (bit % 64));
        }
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
    }

    pub(crate) fn is_subset(&self, of: &Self) -> bool {
        self.0.len() <= of.0.len() && self.0.iter().zip(&of.0).all(|(word, other)| word & !other == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_equal_whatever_they_held_before() {
        let mut set = Bits::default();
        set.insert(3);
        let before = set.clone();
        set.insert(200);
        assert!(set.contains(200) && before.is_subset(&set) && !set.is_subset(&before));
        set.remove(200);
        assert_eq!(set, before);
    }
}

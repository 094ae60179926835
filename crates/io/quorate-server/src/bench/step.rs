use super::values::{Values, fill_at_random};
use quorate_core::Random;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What is done at a number of writers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Step {
    pub(super) writers: u32,
    pub(super) warm_up: Duration,
    pub(super) span: Duration,
    pub(super) key_bytes: u32,
    pub(super) value_bytes: u32,
    pub(super) values: Values,
}

impl Step {
    /// A seed for one writer or applier, other ones in every run.
    pub(super) fn seed(number: u64) -> u64 {
        std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), number)
    }

    /// Rows for one writer or applier. `number` tells it from the others.
    pub(super) fn rows(&self, number: u64) -> RandomRows {
        RandomRows {
            random: Random::new(Self::seed(number)),
            key: vec![0; self.key_bytes as usize],
            value: vec![0; self.value_bytes as usize],
            values: self.values,
        }
    }
}

/// Rows with random keys, made one after the other in the same memory.
pub(super) struct RandomRows {
    random: Random,
    key: Vec<u8>,
    value: Vec<u8>,
    values: Values,
}

impl RandomRows {
    /// The next row.
    pub(super) fn next(&mut self) -> (&[u8], &[u8]) {
        fill_at_random(&mut self.key, &mut self.random);
        self.values.fill(&mut self.value, self.key[0], &mut self.random);
        (&self.key, &self.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_have_the_lengths_asked_for_and_keys_of_their_own() {
        let (warm_up, span) = (Duration::ZERO, Duration::ZERO);
        let step = Step { writers: 1, warm_up, span, key_bytes: 19, value_bytes: 5, values: Values::Alike };
        let mut rows = step.rows(1);
        let (key, value) = rows.next();
        let (first_key, first_value) = (key.to_vec(), value.to_vec());
        assert_eq!((first_key.len(), first_value.len()), (19, 5));
        let (key, _) = rows.next();
        assert_ne!(key[..8], first_key[..8]);
        assert_ne!(key[16..], first_key[16..]);
    }
}

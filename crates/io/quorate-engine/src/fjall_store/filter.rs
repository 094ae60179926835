use super::memtable::Row;

/// Says of most keys that a run does not have that it does not: a Bloom filter (Bloom 1970) of two bits for each row.
#[derive(Debug)]
pub(super) struct Filter {
    /// A power of two of them.
    words: Box<[u64]>,
}

/// With two of so many bits set for each row, at most one key in fifty that a run does not have is searched for in it.
const BITS_PER_ROW: usize = 16;

impl Filter {
    pub(super) fn of(rows: &[Row]) -> Self {
        let words = (rows.len() * BITS_PER_ROW).div_ceil(u64::BITS as usize).next_power_of_two();
        let mut filter = Self { words: vec![0; words].into() };
        for row in rows {
            for (word, bit) in filter.places(row.hash) {
                filter.words[word] |= bit;
            }
        }
        filter
    }

    /// Whether a row may have a key of this hash.
    pub(super) fn may_have(&self, hash: u64) -> bool {
        self.places(hash).iter().all(|(word, bit)| self.words[*word] & bit != 0)
    }

    fn places(&self, hash: u64) -> [(usize, u64); 2] {
        [hash, hash.rotate_left(32)].map(|hash| {
            let word = (hash >> 6) as usize & (self.words.len() - 1);
            (word, 1 << (hash % u64::from(u64::BITS)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fjall_store::memtable::{hash, run_of};
    use quorate_core::KvOperation;

    #[test]
    fn it_has_every_row_and_few_others() {
        for count in [1, 2, 63, 1_000, 4_096] {
            let keys: Vec<_> = (0..count).map(u32::to_be_bytes).collect();
            let operations: Vec<_> = keys.iter().map(|key| KvOperation::Put { key, value: b"" }).collect();
            let filter = Filter::of(run_of(&operations).rows());
            assert!(keys.iter().all(|key| filter.may_have(hash(key))), "of {count} rows");
            let others = (count..count + 10_000).filter(|key| filter.may_have(hash(&key.to_be_bytes())));
            assert!(others.count() < 300, "of {count} rows");
        }
    }
}

use std::hash::{DefaultHasher, Hasher};

/// What is remembered of an acknowledged value: its length and 128 bits of hash, so that any amount of data
/// can be compared later.
///
/// It tells honest mistakes, not forgeries. Digests of different processes do not compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest {
    bytes: usize,
    hashes: [u64; 2],
}

impl Digest {
    /// The digest of a value.
    #[must_use]
    pub fn of(value: &[u8]) -> Self {
        let hash = |seed: u8| {
            let mut hasher = DefaultHasher::new();
            hasher.write_u8(seed);
            hasher.write(value);
            hasher.finish()
        };
        Self { bytes: value.len(), hashes: [hash(0), hash(1)] }
    }
}

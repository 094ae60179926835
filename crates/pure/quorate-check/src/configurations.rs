use crate::bits::Bits;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::hash::{Hash, Hasher};

/// One way in which calls can have taken effect so far.
#[derive(Clone, Debug)]
pub(crate) struct Configuration<S> {
    /// Of the open calls with a known outcome, those that have taken effect, by slot.
    pub(crate) done: Bits,
    /// Of the pending calls, those that have taken effect.
    pub(crate) taken: Bits,
    /// What the object has come to.
    pub(crate) state: S,
    /// The last step of the explanation that led here.
    pub(crate) path: Option<usize>,
    /// How many calls the explanation has.
    pub(crate) length: usize,
}

/// Configurations in the order in which they were found, without those that are no better than others.
///
/// Of two that differ in the pending calls alone, the one that has used fewer can do whatever the other can:
/// a pending call need never take effect. So the number kept does not double with each pending call.
#[derive(Debug)]
pub(crate) struct Configurations<S> {
    found: Vec<Configuration<S>>,
    by_hash: BTreeMap<u64, Vec<usize>>,
}

impl<S: Eq + Hash> Configurations<S> {
    pub(crate) const fn new() -> Self {
        Self { found: Vec::new(), by_hash: BTreeMap::new() }
    }

    pub(crate) fn found(&self) -> &[Configuration<S>] {
        &self.found
    }

    pub(crate) fn into_found(self) -> Vec<Configuration<S>> {
        self.found
    }

    /// Adds a configuration unless one that is there can do all that it can.
    pub(crate) fn add(&mut self, configuration: Configuration<S>) {
        let alike = self.by_hash.entry(hash(&configuration)).or_default();
        let is_covered = alike.iter().map(|&place| &self.found[place]).any(|known| {
            known.done == configuration.done
                && known.state == configuration.state
                && known.taken.is_subset(&configuration.taken)
        });
        if !is_covered {
            alike.push(self.found.len());
            self.found.push(configuration);
        }
    }
}

fn hash<S: Hash>(configuration: &Configuration<S>) -> u64 {
    let mut hasher = Fnv(0xcbf2_9ce4_8422_2325);
    configuration.done.hash(&mut hasher);
    configuration.state.hash(&mut hasher);
    hasher.finish()
}

/// The FNV-1a hash: the same in every run, unlike the hashes of std's maps.
struct Fnv(u64);

impl Hasher for Fnv {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

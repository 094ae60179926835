use super::Retain;
use quorate_core::Random;

/// What becomes of everything unsynced when the power goes.
pub(super) enum Fate {
    /// It is lost.
    Nothing,
    /// It survives.
    Everything,
    /// Each part of it survives or not.
    Random(Random),
    /// What happened before operation `end` survives, and the first blocks of what that one wrote.
    Prefix { end: u64, torn_blocks: usize },
}

/// The longest torn write of which a part survives, in blocks.
const TORN_BLOCKS_MAX: u64 = 8;

impl Fate {
    /// As asked for, where `unsynced` are the operations whose effects can be lost.
    pub(super) fn new(retain: Retain, mut unsynced: Vec<u64>) -> Self {
        match retain {
            Retain::Nothing => Self::Nothing,
            Retain::Everything => Self::Everything,
            Retain::Random(seed) => Self::Random(Random::new(seed)),
            Retain::Prefix(seed) => {
                let mut random = Random::new(seed);
                unsynced.sort_unstable();
                unsynced.dedup();
                let end = unsynced.get(random.below(unsynced.len() as u64 + 1) as usize);
                let torn_blocks = random.below(TORN_BLOCKS_MAX + 1) as usize;
                Self::Prefix { end: end.copied().unwrap_or(u64::MAX), torn_blocks }
            }
        }
    }

    /// Whether a change of names that an operation made survives.
    pub(super) fn keeps_name(&mut self, operation: u64) -> bool {
        match self {
            Self::Nothing => false,
            Self::Everything => true,
            Self::Random(random) => random.below(2) == 1,
            Self::Prefix { end, .. } => operation < *end,
        }
    }

    /// How many of `count` changes, one over the other, something shows: none, all, or some of the first.
    pub(super) fn versions(&mut self, count: usize) -> usize {
        match self {
            Self::Nothing | Self::Prefix { .. } => 0,
            Self::Everything => count,
            Self::Random(random) => match random.below(5) {
                0 | 1 => 0,
                2 => random.below(count as u64 + 1) as usize,
                _ => count,
            },
        }
    }
}

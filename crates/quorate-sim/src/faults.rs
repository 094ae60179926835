use quorate_core::Random;
use std::fmt;

/// Declares the kinds of faults: their names on the command line, and what their counts are called.
macro_rules! fault_kinds {
    ($($(#[doc = $text:literal])* $kind:ident = $name:literal, $words:literal;)*) => {
        /// What the simulator does to a group.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[repr(usize)]
        pub enum FaultKind {
            $($(#[doc = $text])* $kind,)*
        }

        impl FaultKind {
            /// Every kind.
            pub const ALL: [Self; [$($name),*].len()] = [$(Self::$kind),*];

            /// The kind's name on the command line.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)*
                }
            }

            const fn words(self) -> &'static str {
                match self {
                    $(Self::$kind => $words,)*
                }
            }
        }
    };
}

fault_kinds! {
    /// A message disappears.
    Loss = "loss", "messages lost";
    /// A message arrives twice, the second time possibly much later.
    Duplication = "duplication", "messages duplicated";
    /// A message overtakes others of its link.
    Reordering = "reordering", "messages reordered";
    /// A message takes far longer than usual, and those behind it wait.
    Delay = "delay", "messages delayed";
    /// A link ends and is dialled again.
    LinkReset = "link-reset", "links reset";
    /// The nodes fall into groups that do not hear each other.
    Partition = "partition", "partitions";
    /// One node no longer hears some others, which still hear it.
    OneWayPartition = "one-way-partition", "one-way partitions";
    /// The nodes fall into two groups that do not hear each other, and one node hears both.
    BridgePartition = "bridge-partition", "partitions with a bridge";
    /// A process ends between two of its node's outputs; what was written survives.
    Crash = "crash", "crashes between outputs";
    /// A process ends within an operation on its log, hard state or engine; what was written survives.
    CrashInStorage = "crash-in-storage", "crashes within storage";
    /// A machine loses its power: unsynced blocks and names survive or not, each by itself.
    PowerLoss = "power-loss", "power losses of one node";
    /// All machines lose their power at once.
    PowerLossOfAll = "power-loss-of-all", "power losses of all";
    /// An engine is found further on, after a crash, than it was ever asked to flush.
    EngineAhead = "engine-ahead", "engines ahead of their flush";
    /// A disk takes many times longer than usual.
    SlowDisk = "slow-disk", "slow disks";
    /// A disk takes no byte more until there is room again.
    DiskFull = "disk-full", "full disks";
    /// An fsync fails once, and those after it report success.
    SyncFailure = "sync-failure", "failed fsyncs";
    /// A bit of a node's log flips.
    LogRot = "log-rot", "bits flipped in logs";
    /// A block of a node's log is found in the place of another one.
    MisplacedWrite = "misplaced-write", "misplaced writes";
    /// A bit of one copy of a node's hard state flips.
    StateRot = "state-rot", "bits flipped in hard states";
    /// A bit of a node's engine flips, in the file in which it keeps its rows.
    EngineRot = "engine-rot", "bits flipped in engines' files";
    /// A node is started from a copy of its data directory that was taken earlier.
    StaleCopy = "stale-copy", "old directories put back";
    /// A process is stopped for longer than an election takes, and goes on.
    Pause = "pause", "pauses";
    /// A node's clock runs at another rate.
    ClockSkew = "clock-skew", "skewed clocks";
    /// A node's wall clock jumps, forward or back.
    ClockJump = "clock-jump", "jumps of wall clocks";
}

impl FaultKind {
    /// The kind of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// It strikes of itself, here and there, at a rate; the others strike one by one.
    pub(crate) const fn is_ambient(self) -> bool {
        matches!(
            self,
            Self::Loss
                | Self::Duplication
                | Self::Reordering
                | Self::Delay
                | Self::EngineAhead
                | Self::ClockSkew
        )
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.words())
    }
}

/// How often each kind of fault happened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FaultCounts([u64; FaultKind::ALL.len()]);

impl FaultCounts {
    /// A fault happened.
    pub const fn count(&mut self, kind: FaultKind) {
        self.0[kind as usize] += 1;
    }

    /// How often this kind happened.
    #[must_use]
    pub const fn of(&self, kind: FaultKind) -> u64 {
        self.0[kind as usize]
    }

    /// How many faults happened.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// Adds another run's counts.
    pub fn add(&mut self, other: &Self) {
        for (sum, count) in self.0.iter_mut().zip(other.0) {
            *sum += count;
        }
    }

    /// The kinds that never happened.
    pub fn missing(&self) -> impl Iterator<Item = FaultKind> + '_ {
        FaultKind::ALL.into_iter().filter(|kind| self.of(*kind) == 0)
    }
}

/// How likely each fault that strikes by itself is, in comparison with the others.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct FaultWeights([u64; FaultKind::ALL.len()]);

impl FaultWeights {
    pub(crate) fn of(weights: &[(FaultKind, u64)]) -> Self {
        let mut all = Self::default();
        for (kind, weight) in weights {
            assert!(!kind.is_ambient(), "{} has a rate, not a weight", kind.name());
            all.0[*kind as usize] = *weight;
        }
        all
    }

    /// One of them; `None` if none has a weight.
    pub(crate) fn draw(&self, random: &mut Random) -> Option<FaultKind> {
        let mut draw = random.below(self.0.iter().sum());
        FaultKind::ALL.into_iter().find(|kind| {
            let weight = self.0[*kind as usize];
            let is_hit = draw < weight;
            draw = draw.saturating_sub(weight);
            is_hit
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_drawn_as_often_as_they_weigh() {
        let weights = FaultWeights::of(&[(FaultKind::Pause, 3), (FaultKind::Crash, 1)]);
        let mut random = Random::new(1);
        let pauses = (0..4_000).filter(|_| weights.draw(&mut random) == Some(FaultKind::Pause)).count();
        assert!((2_800..3_200).contains(&pauses), "{pauses}");
        assert_eq!(FaultWeights::default().draw(&mut random), None);
    }

    #[test]
    fn every_kind_is_found_by_its_name() {
        for kind in FaultKind::ALL {
            assert_eq!(FaultKind::named(kind.name()), Some(kind));
        }
    }
}

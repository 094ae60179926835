use std::fmt;

/// What the simulator does to a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(usize)]
pub enum FaultKind {
    /// A message disappears.
    Loss,
    /// A message arrives twice, the second time possibly much later.
    Duplication,
    /// A message overtakes others of its link.
    Reordering,
    /// A message takes far longer than usual, and those behind it wait.
    Delay,
    /// A link ends and is dialled again.
    LinkReset,
    /// The nodes fall into groups that do not hear each other.
    Partition,
    /// One node no longer hears some others, which still hear it.
    OneWayPartition,
    /// A process ends between two of its node's outputs; what was written survives.
    Crash,
    /// A process ends within an operation on its log or hard state; what was written survives.
    CrashInStorage,
    /// A machine loses its power: unsynced blocks and names survive or not, each by itself.
    PowerLoss,
    /// All machines lose their power at once.
    PowerLossOfAll,
    /// An engine is found further on, after a crash, than it was ever asked to flush.
    EngineAhead,
    /// A disk takes many times longer than usual.
    SlowDisk,
    /// A process is stopped for longer than an election takes, and goes on.
    Pause,
    /// A node's clock runs at another rate.
    ClockSkew,
}

impl FaultKind {
    /// Every kind.
    pub const ALL: [Self; 15] = [
        Self::Loss,
        Self::Duplication,
        Self::Reordering,
        Self::Delay,
        Self::LinkReset,
        Self::Partition,
        Self::OneWayPartition,
        Self::Crash,
        Self::CrashInStorage,
        Self::PowerLoss,
        Self::PowerLossOfAll,
        Self::EngineAhead,
        Self::SlowDisk,
        Self::Pause,
        Self::ClockSkew,
    ];

    const fn words(self) -> &'static str {
        match self {
            Self::Loss => "messages lost",
            Self::Duplication => "messages duplicated",
            Self::Reordering => "messages reordered",
            Self::Delay => "messages delayed",
            Self::LinkReset => "links reset",
            Self::Partition => "partitions",
            Self::OneWayPartition => "one-way partitions",
            Self::Crash => "crashes between outputs",
            Self::CrashInStorage => "crashes within storage",
            Self::PowerLoss => "power losses of one node",
            Self::PowerLossOfAll => "power losses of all",
            Self::EngineAhead => "engines ahead of their flush",
            Self::SlowDisk => "slow disks",
            Self::Pause => "pauses",
            Self::ClockSkew => "skewed clocks",
        }
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

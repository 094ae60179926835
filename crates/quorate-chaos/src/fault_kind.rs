use std::fmt;

/// What can be done to a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum FaultKind {
    /// `kill -9` of one node or several, even all.
    Kill,
    /// SIGSTOP: the node does nothing, its connections stay.
    Pause,
    /// Two parts of the group that do not reach each other.
    Split,
    /// One node that is heard and hears nobody, or hears and is not heard.
    OneWay,
    /// Two halves that do not reach each other, and one node that reaches both.
    Bridge,
    /// No space is left on a node's disk.
    FullDisk,
    /// A node's disk does not answer: the thread that writes its log is held.
    StalledDisk,
    /// One bit of a stopped node's log turns over.
    FlippedBit,
}

impl FaultKind {
    pub(crate) const ALL: [Self; 8] = [
        Self::Kill,
        Self::Pause,
        Self::Split,
        Self::OneWay,
        Self::Bridge,
        Self::FullDisk,
        Self::StalledDisk,
        Self::FlippedBit,
    ];

    /// Whether it needs networks and disks of the nodes' own.
    pub(crate) const fn needs_isolation(self) -> bool {
        matches!(self, Self::Split | Self::OneWay | Self::Bridge | Self::FullDisk)
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Kill => "kill -9",
            Self::Pause => "pause",
            Self::Split => "partition in two",
            Self::OneWay => "one-way partition",
            Self::Bridge => "bridge partition",
            Self::FullDisk => "full disk",
            Self::StalledDisk => "stalled disk",
            Self::FlippedBit => "flipped bit",
        })
    }
}

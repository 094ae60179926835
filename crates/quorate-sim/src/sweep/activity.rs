use super::life::Step;
use quorate_log::vfs::Operation;
use std::fmt;
use std::path::Path;

/// What a node's storage was at when its machine was turned off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Activity {
    /// Writing a group behind the last one.
    Append,
    /// Syncing groups.
    GroupCommit,
    /// Beginning a new segment.
    SegmentRoll,
    /// Filling the space of the next segment ahead of need.
    Reserve,
    /// Writing the index of a sealed segment.
    IndexFile,
    /// Stating in the log what of it is durable.
    Statement,
    /// Dropping a segment from the log's beginning.
    Trim,
    /// Using a dropped segment's file again.
    Recycle,
    /// Saving entries that are about to be dropped from the log's end.
    RollbackFile,
    /// Dropping them.
    Truncation,
    /// Putting intact frames in the place of damaged ones.
    Repair,
    /// Storing the hard state.
    HardState,
    /// Making durable what the engine holds.
    EngineFlush,
    /// Recovering the log.
    Recovery,
    /// Opening the engine after a crash or an orderly end.
    EngineOpen,
    /// Recovering from a crash in a recovery.
    SecondRecovery,
}

impl Activity {
    /// All of them.
    pub const ALL: [Self; 16] = [
        Self::Append,
        Self::GroupCommit,
        Self::SegmentRoll,
        Self::Reserve,
        Self::IndexFile,
        Self::Statement,
        Self::Trim,
        Self::Recycle,
        Self::RollbackFile,
        Self::Truncation,
        Self::Repair,
        Self::HardState,
        Self::EngineFlush,
        Self::Recovery,
        Self::EngineOpen,
        Self::SecondRecovery,
    ];

    /// What an operation on a file, or on the log's directory, is for.
    pub(crate) fn of(step: Step, operation: Operation, path: &Path) -> Self {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let opens = matches!(step, Step::Open | Step::Kill | Step::LosePower);
        match name {
            name if name.starts_with("engine") && opens => return Self::EngineOpen,
            name if name.starts_with("engine") => return Self::EngineFlush,
            name if name.starts_with("state") => return Self::HardState,
            _ => {}
        }
        match step {
            Step::Open | Step::Kill | Step::LosePower => Self::Recovery,
            Step::Append if operation == Operation::Write && name.starts_with("segment") => Self::Append,
            Step::Append => Self::SegmentRoll,
            Step::Sync => Self::GroupCommit,
            Step::Prepare if name == "spare" => Self::Reserve,
            Step::Prepare if name == "unfinished" || name.ends_with(".index") => Self::IndexFile,
            Step::Prepare => Self::Statement,
            Step::Trim if name == "spare" => Self::Recycle,
            Step::Trim => Self::Trim,
            Step::Truncate if name == "unfinished" || name.starts_with("rollback") => Self::RollbackFile,
            Step::Truncate => Self::Truncation,
            Step::Repair => Self::Repair,
            Step::Promise => Self::HardState,
            Step::Apply | Step::Flush | Step::Close => Self::EngineFlush,
        }
    }

    /// Its name in a report.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Append => "append",
            Self::GroupCommit => "group commit",
            Self::SegmentRoll => "segment roll",
            Self::Reserve => "reserve of space",
            Self::IndexFile => "index file",
            Self::Statement => "statement of durability",
            Self::Trim => "trim",
            Self::Recycle => "recycling of a segment",
            Self::RollbackFile => "rollback file",
            Self::Truncation => "truncation",
            Self::Repair => "repair",
            Self::HardState => "hard state",
            Self::EngineFlush => "flush of the engine",
            Self::Recovery => "recovery of the log",
            Self::EngineOpen => "opening of the engine",
            Self::SecondRecovery => "recovery from a crash in recovery",
        }
    }
}

impl fmt::Display for Activity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

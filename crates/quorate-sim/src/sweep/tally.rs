use super::activity::Activity;
use quorate_core::Random;
use quorate_log::vfs::{Operation, Retain};
use std::collections::BTreeMap;
use std::fmt;

/// What becomes of what is unsynced when the power goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LossMode {
    /// It is all lost.
    Everything,
    /// What came first is kept, up to a moment drawn at random.
    Suffix,
    /// Each block and each name is kept or lost, one independently of the other.
    Subset,
}

impl LossMode {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Everything, Self::Suffix, Self::Subset];

    /// Its name in a report.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Everything => "all lost",
            Self::Suffix => "prefix kept",
            Self::Subset => "subset kept",
        }
    }

    pub(crate) fn retain(self, random: &mut Random) -> Retain {
        match self {
            Self::Everything => Retain::Nothing,
            Self::Suffix => Retain::Prefix(random.next_u64()),
            Self::Subset => Retain::Random(random.next_u64()),
        }
    }
}

impl fmt::Display for LossMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// How many crashes there were of each kind.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    activities: BTreeMap<(Activity, LossMode), u64>,
    operations: BTreeMap<(&'static str, LossMode), u64>,
}

/// The kinds of operations that a node's storage makes.
const OPERATIONS: [Operation; 7] = [
    Operation::Create,
    Operation::Write,
    Operation::Resize,
    Operation::Sync,
    Operation::Rename,
    Operation::Remove,
    Operation::SyncDirectory,
];

const fn name(operation: Operation) -> &'static str {
    match operation {
        Operation::Create => "create",
        Operation::Write => "write",
        Operation::Resize => "resize",
        Operation::Sync => "sync",
        Operation::Rename => "rename",
        Operation::Remove => "remove",
        Operation::SyncDirectory => "sync of a directory",
    }
}

impl Tally {
    pub(crate) fn count(&mut self, activity: Activity, operation: Operation, mode: LossMode) {
        *self.activities.entry((activity, mode)).or_default() += 1;
        *self.operations.entry((name(operation), mode)).or_default() += 1;
    }

    pub(crate) fn add(&mut self, other: &Self) {
        for (kind, count) in &other.activities {
            *self.activities.entry(*kind).or_default() += count;
        }
        for (kind, count) in &other.operations {
            *self.operations.entry(*kind).or_default() += count;
        }
    }

    /// How many crashes there were.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.activities.values().sum()
    }

    /// How many activities were interrupted.
    #[must_use]
    pub fn activities(&self) -> usize {
        let seen = |activity: &Activity| self.activities.keys().any(|(found, _)| found == activity);
        Activity::ALL.iter().filter(|activity| seen(activity)).count()
    }

    /// What was never interrupted, in any of the modes.
    #[must_use]
    pub fn missing(&self) -> Vec<String> {
        let mut missing = Vec::new();
        for mode in LossMode::ALL {
            let activities = Activity::ALL.into_iter();
            let unseen = activities.filter(|activity| !self.activities.contains_key(&(*activity, mode)));
            missing.extend(unseen.map(|activity| format!("{activity}, {mode}")));
            let unseen = OPERATIONS.into_iter().map(name);
            let unseen = unseen.filter(|name| !self.operations.contains_key(&(*name, mode)));
            missing.extend(unseen.map(|name| format!("{name}, {mode}")));
        }
        missing
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        row(f, "turned off during", LossMode::ALL.map(LossMode::name))?;
        for activity in Activity::ALL {
            let counts =
                LossMode::ALL.map(|mode| self.activities.get(&(activity, mode)).copied().unwrap_or(0));
            row(f, activity.name(), counts)?;
        }
        row(f, "turned off at a", LossMode::ALL.map(LossMode::name))?;
        for operation in OPERATIONS.map(name) {
            let counts =
                LossMode::ALL.map(|mode| self.operations.get(&(operation, mode)).copied().unwrap_or(0));
            row(f, operation, counts)?;
        }
        Ok(())
    }
}

fn row<T: fmt::Display>(f: &mut fmt::Formatter<'_>, name: &str, cells: [T; 3]) -> fmt::Result {
    let [first, second, third] = cells;
    writeln!(f, "  {name:<34} {first:>12} {second:>12} {third:>12}")
}

use super::mark::{Mark, id_at};
use quorate_core::{EntryId, Term};
use std::collections::BTreeSet;

/// What the checkers know of one node.
#[derive(Clone, Debug, Default)]
pub(crate) struct NodeModel {
    /// The log as the node's protocol has it: everything handed to the log writer.
    pub(crate) handed: Vec<Mark>,
    /// The log as it stands in the file.
    pub(crate) disk: Vec<Mark>,
    /// How much of it is fsynced.
    pub(crate) durable: usize,
    /// How much of its beginning is no longer kept.
    pub(crate) trimmed: usize,
    /// Entries of a group that is being written.
    pub(crate) in_doubt: Vec<Mark>,
    /// How much of the file is left whatever happens to a truncation under way.
    pub(crate) cutting_to: Option<usize>,
    /// Entries that a power loss took.
    pub(crate) taken_by_power_loss: BTreeSet<EntryId>,
    /// The highest promise that has left the node.
    pub(crate) promised: Term,
    /// The highest promise that it has stored.
    pub(crate) promised_stored: Term,
    /// It has stored that it is recovering.
    pub(crate) is_recovering: bool,
    /// It has stored that it counts entries that it has not fsynced.
    pub(crate) is_marked: bool,
    /// How far the node has said that it knows of commits, in this life.
    pub(crate) committed: usize,
    /// The term that it leads, and up to where its entries have been counted anew.
    pub(crate) counted: (Term, usize),
    /// How far its engine has come.
    pub(crate) applied: usize,
    /// What is known of damage to its log.
    pub(crate) rot: Rot,
    /// Its log's files were damaged at some time: what needs no repair may still be damaged.
    pub(crate) had_rot: bool,
    /// The entries before the first one that damage may have reached since the log was opened last.
    pub(crate) kept_at_least: Option<usize>,
    /// What is known of its engine's file.
    pub(crate) engine: EngineFile,
    /// It was damaged, or put back, and has not been seen to hold everything since.
    pub(crate) is_doubtful: bool,
    /// It has stopped for good.
    pub(crate) is_retired: bool,
}

/// Damage to a node's log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Rot {
    /// There is none.
    #[default]
    None,
    /// There is some, which the node may not know.
    Hidden,
    /// All that there is showed when the log was opened.
    Found,
}

/// The file in which an engine keeps its rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum EngineFile {
    /// Nothing is wrong with it.
    #[default]
    Whole,
    /// It was damaged, and has not been opened since.
    Damaged,
    /// It was refused and is gone; the node has not gone on without it yet.
    Gone,
}

impl NodeModel {
    /// Whether the node's copy of an entry counts, or did before a power loss that its durability does not
    /// promise to survive.
    pub(crate) fn held(&self, index: usize, mark: &Mark, sync: bool) -> bool {
        let length = if sync { self.durable } else { self.disk.len() };
        let holds = index < length && self.disk[index] == *mark && !self.is_retired;
        holds || (!sync && self.taken_by_power_loss.contains(&id_at(index, mark)))
    }

    /// Whether the node holds these entries, from the first on, durably.
    pub(crate) fn holds(&self, log: &[Mark]) -> bool {
        shared(&self.disk[..self.durable], log) == log.len()
    }

    /// Whether the node counts in every quorum, and its copies can be read.
    pub(crate) fn is_well(&self) -> bool {
        !self.is_in_doubt() && !self.is_recovering
    }

    /// Whether something has happened to the node that it may not be able to put right by itself.
    pub(crate) fn is_in_doubt(&self) -> bool {
        self.is_retired || self.is_doubtful || self.rot != Rot::None || self.engine != EngineFile::Whole
    }

    /// A process ended, perhaps with its machine, and the log was found as `found`, all of it durable.
    pub(crate) fn reopened(&mut self, found: Vec<Mark>) {
        for (index, mark) in self.disk.iter().enumerate().skip(found.len()) {
            self.taken_by_power_loss.insert(id_at(index, mark));
        }
        self.durable = found.len();
        self.handed.clone_from(&found);
        self.disk = found;
        self.in_doubt.clear();
        self.cutting_to = None;
        self.kept_at_least = None;
        self.committed = 0;
        self.counted = (Term::ZERO, 0);
    }
}

/// How many entries two logs share from the beginning: equal entries have equal ones before them.
pub(crate) fn shared(a: &[Mark], b: &[Mark]) -> usize {
    let (mut low, mut high) = (0, a.len().min(b.len()));
    while low < high {
        let middle = (low + high) / 2;
        if a[middle] == b[middle] { low = middle + 1 } else { high = middle }
    }
    low
}

use super::mark::{Mark, id_at};
use quorate_core::{EntryId, Term};
use std::collections::BTreeSet;

/// What the checkers know of one node.
#[derive(Debug, Default)]
pub(crate) struct NodeModel {
    /// The log as the node's protocol has it: everything handed to the log writer.
    pub(crate) handed: Vec<Mark>,
    /// The log as it stands in the file.
    pub(crate) disk: Vec<Mark>,
    /// How much of it is fsynced.
    pub(crate) durable: usize,
    /// Entries of a group that is being written.
    pub(crate) in_doubt: Vec<Mark>,
    /// How much of the file is left whatever happens to a truncation under way.
    pub(crate) cutting_to: Option<usize>,
    /// Entries that a power loss took.
    pub(crate) taken_by_power_loss: BTreeSet<EntryId>,
    /// The highest promise that has left the node.
    pub(crate) promised: Term,
    /// How far the node has said that it knows of commits, in this life.
    pub(crate) committed: usize,
    /// How far its engine has come.
    pub(crate) applied: usize,
}

impl NodeModel {
    /// Whether the node's copy of an entry counts, or did before a power loss that its durability does not
    /// promise to survive.
    pub(crate) fn held(&self, index: usize, mark: &Mark, sync: bool) -> bool {
        let length = if sync { self.durable } else { self.disk.len() };
        let holds = index < length && self.disk[index] == *mark;
        holds || (!sync && self.taken_by_power_loss.contains(&id_at(index, mark)))
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
        self.committed = 0;
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

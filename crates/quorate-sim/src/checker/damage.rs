//! What may be damaged so that nothing acknowledged is lost, and what a node that was damaged may do.

use super::mark::{Mark, count};
use super::node_model::{EngineFile, NodeModel, Rot, shared};
use super::{Checker, Rule, Violation};
use crate::network::letter;
use quorate_core::{HardState, NodeId, NodeSet, QuorumSystem, Vlsn};

impl Checker {
    /// A node's hard state is stored.
    pub(crate) fn stored(&mut self, node: NodeId, state: &HardState) {
        let model = self.model(node);
        model.promised_stored = model.promised_stored.max(state.promised);
        model.is_recovering = state.recovering;
        model.is_marked = state.unsynced_mark.is_some();
    }

    /// A node's log begins behind this entry.
    pub(crate) fn trimmed(&mut self, node: NodeId, base: Option<Vlsn>) {
        let model = self.model(node);
        model.trimmed = model.trimmed.max(count(base));
    }

    /// Whether a write quorum of others that are well holds all that is committed of what this node holds before
    /// `end`, and whoever lacks entries from `first` on can have them of each.
    pub(crate) fn may_lose(&self, node: NodeId, first: Vlsn, end: Option<Vlsn>) -> bool {
        let log = &self.nodes[&node].disk;
        let end = end.map_or(log.len(), |end| (count(Some(end)) - 1).min(log.len()));
        let end = end.min(shared(log, &self.committed));
        let keeps = |model: &NodeModel| model.trimmed < count(Some(first)) && model.holds(&log[..end]);
        self.is_quorum_of_others(node, keeps)
    }

    /// Whether this node may forget what it has written and promised since. Where it need not come back by
    /// itself, the others may have trimmed what it lacks then.
    pub(crate) fn may_go_back(&self, node: NodeId, to: &NodeModel, for_good: bool) -> bool {
        let NodeModel { disk, promised_stored, .. } = &self.nodes[&node];
        let kept = shared(disk, &to.disk);
        let covers = |model: &NodeModel| {
            let keeps = model.trimmed <= kept || for_good;
            keeps && model.holds(disk) && model.promised_stored >= *promised_stored
        };
        self.is_quorum_of_others(node, covers)
    }

    fn is_quorum_of_others(&self, node: NodeId, holds: impl Fn(&NodeModel) -> bool) -> bool {
        let others = self.nodes.iter().filter(|(other, _)| **other != node);
        let holders = others.filter(|(_, model)| model.is_well() && holds(model)).map(|(other, _)| *other);
        self.quorums.is_write_quorum(&holders.collect())
    }

    /// Whether the group goes on, or will, if these machines lose their power at once: those that forget
    /// entries by it count again only with the help of others.
    pub(crate) fn recovers_from_power_loss_of(&self, struck: &[NodeId]) -> bool {
        let forgets = |node: &NodeId| struck.contains(node) && self.nodes[node].is_marked;
        let counts = |(node, model): &(&NodeId, &NodeModel)| model.is_well() && !forgets(node);
        let counting: NodeSet = self.nodes.iter().filter(counts).map(|(node, _)| *node).collect();
        self.quorums.is_write_quorum(&counting) || self.nodes.values().all(|model| !model.is_in_doubt())
    }

    /// A machine has lost its power: a node that counted what it had not fsynced will not count until it is
    /// refilled.
    pub(crate) fn lost_power(&mut self, node: NodeId) {
        let model = self.model(node);
        model.is_recovering |= model.is_marked;
    }

    /// Whether the group goes on without this node for as long as it may take.
    pub(crate) fn goes_on_without(&self, node: NodeId) -> bool {
        self.is_quorum_of_others(node, |_| true)
    }

    /// Whether the others hold, and go on with, all that this node holds.
    pub(crate) fn may_stop_for_good(&self, node: NodeId) -> bool {
        let log = &self.nodes[&node].disk;
        self.is_quorum_of_others(node, |model| model.holds(log))
    }

    /// A bit of the file of a node's engine is another.
    pub(crate) fn engine_was_damaged(&mut self, node: NodeId) {
        self.model(node).engine = EngineFile::Damaged;
    }

    /// Whether the node may refuse its engine.
    pub(crate) fn engine_is_damaged(&self, node: NodeId) -> bool {
        self.nodes[&node].engine == EngineFile::Damaged
    }

    /// The engine's file was refused, and is out of the way.
    pub(crate) fn engine_was_moved_away(&mut self, node: NodeId) {
        self.model(node).engine = EngineFile::Gone;
    }

    /// The node may have lost what its log does not hold any more.
    pub(crate) fn lacks_engine(&self, node: NodeId) -> bool {
        self.nodes[&node].engine != EngineFile::Whole
    }

    /// The node runs on what its engine holds.
    pub(crate) fn engine_goes_on(&mut self, node: NodeId) {
        self.model(node).engine = EngineFile::Whole;
    }

    /// A segment of a node's log that begins with `first` was damaged.
    pub(crate) fn was_damaged(&mut self, node: NodeId, first: Vlsn) {
        let model = self.model(node);
        let kept = count(Some(first)) - 1;
        model.rot = Rot::Hidden;
        model.had_rot = true;
        model.kept_at_least = Some(model.kept_at_least.map_or(kept, |known| known.min(kept)));
        model.is_doubtful = true;
    }

    /// Whether nothing that is known of has damaged a node's log, or all of it is put right.
    pub(crate) fn is_free_of_rot(&self, node: NodeId) -> bool {
        self.nodes[&node].rot == Rot::None
    }

    /// Whether every byte of a node's log is as it was written.
    pub(crate) fn is_untouched(&self, node: NodeId) -> bool {
        !self.nodes[&node].had_rot
    }

    /// A node has put damaged entries back.
    pub(crate) fn was_repaired(&mut self, node: NodeId, is_whole: bool) {
        let model = self.model(node);
        if is_whole && model.rot == Rot::Found {
            model.rot = Rot::None;
        }
        self.settle_doubt(node);
    }

    /// A node that holds everything committed, durably and readably, is as good as any.
    pub(super) fn settle_doubt(&mut self, node: NodeId) {
        let end = self.committed.len();
        let model = self.model(node);
        model.is_doubtful &= model.rot != Rot::None || model.durable < end;
    }

    /// What this node holds and has promised, for [`put_back`](Self::put_back).
    pub(crate) fn copy_of(&self, node: NodeId) -> NodeModel {
        self.nodes[&node].clone()
    }

    /// A node's directory is what it was when the copy was taken.
    pub(crate) fn put_back(&mut self, node: NodeId, copy: NodeModel) {
        let model = self.model(node);
        let taken = std::mem::take(&mut model.taken_by_power_loss);
        *model = NodeModel { is_doubtful: true, ..copy };
        model.taken_by_power_loss.extend(taken);
    }

    /// A node cannot go on, and says why: its copies count no more. That is a breach unless it was damaged.
    pub(crate) fn retired(&mut self, node: NodeId, why: &str) -> Result<(), Violation> {
        let model = &self.nodes[&node];
        if !model.is_doubtful && model.engine == EngineFile::Whole {
            return Rule::LogsKeep
                .broken(format!("{} cannot go on, and nothing was wrong: {why}", letter(node)));
        }
        self.model(node).is_retired = true;
        Ok(())
    }

    /// The entries of a damaged range, as they were.
    pub(super) fn known_marks(&self, node: NodeId, from: usize, to: usize) -> &[Mark] {
        let disk = &self.nodes[&node].disk;
        &disk[from.min(disk.len())..to.min(disk.len())]
    }
}

//! What stands on the nodes' disks.

use super::mark::{End, Mark, count, id_at, marks};
use super::node_model::{Rot, shared};
use super::{Checker, Rule, Violation};
use crate::network::letter;
use quorate_core::{Batch, EntryId, NodeId, Requirement, Term, Vlsn};

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The process alone: what was written survives.
    Process,
    /// With its machine: what was fsynced survives.
    Power,
}

/// What a node finds when it is started again.
#[derive(Debug)]
pub(crate) struct Found<'a> {
    pub(crate) promised: Term,
    /// The last entry that was trimmed away.
    pub(crate) base: Option<EntryId>,
    /// Everything behind it that can be read.
    pub(crate) batches: &'a [Batch],
    /// The last entry, readable or not.
    pub(crate) last: Option<Vlsn>,
    /// Some of it cannot be read, or is missing from its end.
    pub(crate) damaged: bool,
    pub(crate) engine_applied: Option<EntryId>,
}

impl Checker {
    /// The log writer begins to write a group.
    pub(crate) fn writing(&mut self, node: NodeId, batches: &[Batch]) {
        let model = self.model(node);
        model.in_doubt = batches.iter().flat_map(|batch| marks(batch).collect::<Vec<_>>()).collect();
    }

    /// The group is in the file.
    pub(crate) fn written(&mut self, node: NodeId) {
        let model = self.model(node);
        let group = std::mem::take(&mut model.in_doubt);
        model.disk.extend(group);
    }

    /// The file is fsynced up to `durable`.
    pub(crate) fn synced(&mut self, node: NodeId, durable: Option<Vlsn>) -> Result<(), Violation> {
        let model = self.model(node);
        if count(durable) > model.disk.len() {
            return Rule::LogsKeep.broken(format!(
                "{} calls {} entries durable and has written {}",
                letter(node),
                count(durable),
                model.disk.len()
            ));
        }
        model.durable = model.durable.max(count(durable));
        self.settle_doubt(node);
        Ok(())
    }

    /// The log writer begins to cut the file behind `keep`.
    pub(crate) fn cutting(&mut self, node: NodeId, keep: Option<Vlsn>) {
        self.model(node).cutting_to = Some(count(keep));
    }

    /// The file is as long as before.
    pub(crate) fn was_not_cut(&mut self, node: NodeId) {
        self.model(node).cutting_to = None;
        self.cuts_put_off += 1;
    }

    /// The file ends at `keep`, and is fsynced.
    pub(crate) fn was_cut(&mut self, node: NodeId, keep: Option<Vlsn>) -> Result<(), Violation> {
        let model = self.model(node);
        model.cutting_to = None;
        model.disk.truncate(count(keep));
        model.durable = model.disk.len();
        self.check_committed_stays()
    }

    /// Whether at least one copy of everything committed would be left if these nodes lost all that they have
    /// not fsynced, and the group would go on.
    pub(crate) fn survives_power_loss_of(&self, struck: &[NodeId]) -> bool {
        let kept = self.nodes.iter().filter(|(_, model)| !model.is_retired);
        let left = kept.map(|(node, model)| {
            let held = if struck.contains(node) { &model.disk[..model.durable] } else { &model.disk[..] };
            shared(held, &self.committed)
        });
        left.max().unwrap_or(0) == self.committed.len() && self.recovers_from_power_loss_of(struck)
    }

    /// How many entries a node's log has, and how many of them are durable.
    pub(crate) fn log_lengths(&self, node: NodeId) -> (u64, u64) {
        let model = &self.nodes[&node];
        (model.disk.len() as u64, model.durable as u64)
    }

    /// A node is started again, or for the first time.
    pub(crate) fn opened(
        &mut self,
        node: NodeId,
        ending: Ending,
        found: &Found<'_>,
    ) -> Result<(), Violation> {
        let promised = self.model(node).promised;
        if found.promised < promised {
            return Rule::PromisesSurvive.broken(format!(
                "{} promised {promised} and remembers {}",
                letter(node),
                found.promised
            ));
        }
        let log = self.check_found_log(node, ending, found)?;
        self.check_found_engine(node, found.engine_applied)?;
        let model = self.model(node);
        model.rot = if found.damaged { Rot::Found } else { Rot::None };
        model.reopened(log);
        self.settle_doubt(node);
        self.check_committed_stays()
    }

    fn check_found_log(
        &mut self,
        node: NodeId,
        ending: Ending,
        found: &Found<'_>,
    ) -> Result<Vec<Mark>, Violation> {
        let model = &self.nodes[&node];
        let base = count(found.base.map(|base| base.vlsn));
        let is_expected = !found.damaged || model.rot != Rot::None;
        if base > model.disk.len() || !is_expected {
            let words =
                if is_expected { "was trimmed beyond its end" } else { "reports damage that nobody did" };
            return Rule::LogsKeep.broken(format!("{}'s log {words}", letter(node)));
        }
        let log = self.found_marks(node, base, found);
        let kept = match ending {
            Ending::Process => model.disk.len(),
            Ending::Power => model.durable,
        };
        let kept = kept.min(model.kept_at_least.unwrap_or(kept));
        let kept = kept.min(model.cutting_to.unwrap_or(kept));
        let mut possible = model.disk.clone();
        possible.extend(&model.in_doubt);
        if log.len() < kept || shared(&log, &possible) < log.len() {
            return Rule::LogsKeep.broken(format!(
                "{}'s log must hold {kept} of the entries up to {}, its {ending:?} having ended; it ends with {}",
                letter(node),
                End(&possible),
                End(&log)
            ));
        }
        Ok(log)
    }

    /// What was found; for what cannot be read, what is known to have stood there.
    fn found_marks(&self, node: NodeId, base: usize, found: &Found<'_>) -> Vec<Mark> {
        let mut log = self.known_marks(node, 0, base).to_vec();
        for batch in found.batches {
            log.extend_from_slice(self.known_marks(node, log.len(), count(Some(batch.first())) - 1));
            log.extend(marks(batch));
        }
        log.extend_from_slice(self.known_marks(node, log.len(), count(found.last)));
        log
    }

    fn check_found_engine(&mut self, node: NodeId, applied: Option<EntryId>) -> Result<(), Violation> {
        let position = count(applied.map(|applied| applied.vlsn));
        if let Some(applied) = applied {
            let committed = self.committed.get(position - 1).map(|mark| id_at(position - 1, mark));
            if committed != Some(applied) {
                return Rule::NothingUncommittedIsVisible.broken(format!(
                    "{}'s engine ends with {applied}, which is not committed",
                    letter(node)
                ));
            }
        }
        self.model(node).applied = position;
        Ok(())
    }

    /// Every committed entry that asked for synced copies is durable on a write quorum.
    fn check_committed_stays(&self) -> Result<(), Violation> {
        let synced = self.committed.iter().rposition(|mark| mark.requirement == Requirement::SYNC);
        let Some(index) = synced else { return Ok(()) };
        let mark = &self.committed[index];
        let holders =
            self.nodes.iter().filter(|(_, model)| model.held(index, mark, true)).map(|(node, _)| *node);
        if quorate_core::QuorumSystem::is_write_quorum(&self.quorums, &holders.collect()) {
            return Ok(());
        }
        Rule::NothingCommittedIsLost.broken(format!(
            "{} is committed and no longer durable on a write quorum: {}",
            id_at(index, mark),
            self.logs_in_words()
        ))
    }
}

/// The end of a history.
impl Checker {
    /// Whether the log of one of these nodes holds, or is about to hold, entries that are not committed, or
    /// lacks some that are.
    pub(crate) fn is_under_way(&self, nodes: &[NodeId]) -> bool {
        let end = self.committed.len();
        nodes
            .iter()
            .map(|node| &self.nodes[node])
            .any(|model| model.disk.len() != end || model.handed.len() != end)
    }

    /// The log of each of these nodes on disk is the canonical log, and every acknowledged write is in it.
    pub(crate) fn check_complete(&self, nodes: &[NodeId]) -> Result<(), Violation> {
        for (node, model) in nodes.iter().map(|node| (node, &self.nodes[node])) {
            if model.disk != self.committed {
                return Rule::PeaceConverges.broken(format!(
                    "{}'s log ends with {} and the committed one with {}",
                    letter(*node),
                    End(&model.disk),
                    End(&self.committed)
                ));
            }
        }
        let missing = self.acknowledged.iter().find(|id| {
            let index = count(Some(id.vlsn)) - 1;
            self.committed.get(index).is_none_or(|mark| mark.term != id.term)
        });
        match missing {
            None => Ok(()),
            Some(id) => Rule::NothingCommittedIsLost.broken(format!("{id} was acknowledged and is gone")),
        }
    }

    /// What an engine holds is what was committed.
    pub(crate) fn check_rows(&self, row: impl Fn(&[u8]) -> Option<bytes::Bytes>) -> Result<(), Violation> {
        let end = self.committed.len() as u64;
        match self.history.keys().find(|key| row(key) != self.history.value(key, end)) {
            None => Ok(()),
            Some(key) => Rule::PeaceConverges
                .broken(format!("the engines hold another value of {key:?} than committed")),
        }
    }
}

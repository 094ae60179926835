//! What must hold in every history, checked after every step against dumb models.

mod clients;
mod damage;
mod logs;
mod mark;
mod node_model;
mod recount;
mod violation;

pub(crate) use logs::{Ending, Found};
pub(crate) use node_model::NodeModel;
pub use violation::{Rule, Violation};

use crate::SimTime;
use crate::history::History;
use crate::network::letter;
use bytes::Bytes;
use mark::{End, Mark, count, id_at, marks};
use node_model::shared;
use quorate_codec::frames;
use quorate_core::{
    Batch, EntryId, EntryKind, NodeId, NodeSet, QuorumSystem, Requirement, Term, Vlsn, Watermarks,
};
use quorate_policy::Quorums;
use quorate_replica::ElectionMessage;
use quorate_replica::{Message, Progress};
use std::collections::{BTreeMap, BTreeSet};

/// The checkers of one group.
///
/// The node's shell tells them of every step that matters, before it takes effect outside. They keep one
/// canonical log of what was reported as committed, and for each node what its log holds.
#[derive(Debug)]
pub(crate) struct Checker {
    quorums: Quorums,
    nodes: BTreeMap<NodeId, NodeModel>,
    /// Every entry that any master made.
    entries: BTreeMap<EntryId, (Mark, Bytes)>,
    /// Who made the first entry of each term, and in which life.
    masters: BTreeMap<Term, (NodeId, u64)>,
    /// The canonical log.
    committed: Vec<Mark>,
    /// The term of the master that committed each of its entries; they ascend.
    committed_in: Vec<Term>,
    history: History,
    /// Writes whose callers were told that they will never be committed.
    refused: BTreeSet<EntryId>,
    /// Writes whose callers were told that they are committed.
    acknowledged: BTreeSet<EntryId>,
    /// How far a linearizable read that begins now must see.
    visible: u64,
    /// Since when it has been how far; the moments ascend.
    visible_since: Vec<(SimTime, u64)>,
    /// How often a log could not be cut before the entry to cut behind was healed.
    pub(crate) cuts_put_off: u64,
    /// The moment at which things happen.
    pub(crate) now: SimTime,
}

impl Checker {
    pub(crate) fn new(quorums: Quorums) -> Self {
        let nodes = quorums.electable().iter().map(|node| (node, NodeModel::default())).collect();
        Self {
            quorums,
            nodes,
            entries: BTreeMap::new(),
            masters: BTreeMap::new(),
            committed: Vec::new(),
            committed_in: Vec::new(),
            history: History::default(),
            refused: BTreeSet::new(),
            acknowledged: BTreeSet::new(),
            visible: 0,
            visible_since: Vec::new(),
            cuts_put_off: 0,
            now: SimTime::ZERO,
        }
    }

    /// How many entries are committed.
    pub(crate) fn committed(&self) -> usize {
        self.committed.len()
    }

    /// How many terms have had a master.
    pub(crate) fn masters(&self) -> usize {
        self.masters.len()
    }

    /// A node is about to hand entries to its log writer; as a master if it leads their term.
    pub(crate) fn handed(
        &mut self,
        node: NodeId,
        life: u64,
        batch: &Batch,
        leads: bool,
    ) -> Result<(), Violation> {
        self.check_follows(node, batch)?;
        for (frame, mark) in frames(batch).zip(marks(batch)) {
            if leads && mark.kind == EntryKind::TermStart {
                self.won(node, life, mark.term)?;
            }
            self.check_match(node, frame.id, mark, &frame.payload)?;
            self.model(node).handed.push(mark);
        }
        Ok(())
    }

    fn check_follows(&mut self, node: NodeId, batch: &Batch) -> Result<(), Violation> {
        let model = self.model(node);
        let next = Vlsn::FIRST.advance(model.handed.len() as u64);
        let term_before = model.handed.last().map_or(Term::ZERO, |mark| mark.term);
        let chain_before = model.handed.last().map_or(0, |mark| mark.chain);
        if batch.first() != next || batch.runs()[0].term < term_before || batch.chain_before() != chain_before
        {
            let end = End(&model.handed).to_string();
            return Rule::LogsMatch.broken(format!("{} appends {batch:?} behind {end}", letter(node)));
        }
        Ok(())
    }

    fn check_match(
        &mut self,
        node: NodeId,
        id: EntryId,
        mark: Mark,
        payload: &Bytes,
    ) -> Result<(), Violation> {
        let known = self.entries.entry(id).or_insert_with(|| (mark, payload.clone())).0;
        if known == mark {
            return Ok(());
        }
        Rule::LogsMatch
            .broken(format!("{} has another entry {id}, or others before it, than some log", letter(node)))
    }

    /// A node begins to lead: nobody else ever did in this term, and its log holds all that masters of earlier terms
    /// have committed. One whose nomination comes late may find that a later term has committed more: it will commit
    /// nothing, since a write quorum has promised that term.
    fn won(&mut self, node: NodeId, life: u64, term: Term) -> Result<(), Violation> {
        if let Some((other, other_life)) = self.masters.insert(term, (node, life)) {
            return Rule::OneMasterPerTerm.broken(format!(
                "{} begins term {term} in its life {life}; {} began it in life {other_life}",
                letter(node),
                letter(other)
            ));
        }
        let owed = self.committed_in.partition_point(|committed_in| *committed_in < term);
        let held = shared(&self.nodes[&node].handed, &self.committed[..owed]);
        if held == owed {
            return Ok(());
        }
        let lost = id_at(held, &self.committed[held]);
        Rule::NothingCommittedIsLost.broken(format!(
            "{}, master of {term}, lacks the committed entry {lost} ({:?}); its log ends with {}",
            letter(node),
            self.committed[held].requirement,
            End(&self.nodes[&node].handed)
        ))
    }

    /// A node is about to drop what stands behind `keep`.
    pub(crate) fn cut(&mut self, node: NodeId, keep: Option<Vlsn>) -> Result<(), Violation> {
        let model = self.nodes.get_mut(&node).expect("every member has a model");
        let agreed = shared(&model.handed, &self.committed);
        if count(keep) < agreed {
            let lost = id_at(count(keep), &self.committed[count(keep)]);
            return Rule::NothingCommittedIsLost.broken(format!(
                "{} cuts its log behind {}, and {lost} is committed",
                letter(node),
                count(keep)
            ));
        }
        model.handed.truncate(count(keep));
        Ok(())
    }

    /// A node sends a message.
    pub(crate) fn sent(&mut self, node: NodeId, message: &Message) {
        if let Message::Election(ElectionMessage::Promise(promise)) = message {
            let model = self.model(node);
            model.promised = model.promised.max(promise.term);
        }
    }

    /// A node says how far it has come.
    pub(crate) fn progressed(&mut self, node: NodeId, progress: &Progress) -> Result<(), Violation> {
        check_order(node, &progress.watermarks)?;
        let reported = count(progress.watermarks.committed);
        if reported == self.model(node).committed {
            return Ok(());
        }
        self.check_reported(node, reported)?;
        self.model(node).committed = reported;
        if reported > self.committed.len() {
            self.commit(node, reported, progress)?;
        }
        Ok(())
    }

    fn check_reported(&self, node: NodeId, reported: usize) -> Result<(), Violation> {
        let model = &self.nodes[&node];
        if reported < model.committed || reported > model.handed.len() {
            return Rule::NothingCommittedIsLost.broken(format!(
                "{} reports {reported} entries committed after {}; its log has {}",
                letter(node),
                model.committed,
                model.handed.len()
            ));
        }
        let known = reported.min(self.committed.len());
        if shared(&model.handed[..known], &self.committed[..known]) < known {
            let at = shared(&model.handed, &self.committed);
            return Rule::NothingCommittedIsLost.broken(format!(
                "{} reports {} as committed, and {} is",
                letter(node),
                id_at(at, &model.handed[at]),
                id_at(at, &self.committed[at])
            ));
        }
        Ok(())
    }

    /// New entries are committed: a write quorum holds each as durably as it asked.
    fn commit(&mut self, node: NodeId, reported: usize, progress: &Progress) -> Result<(), Violation> {
        let Some(&(master, _)) = self.masters.get(&progress.term).filter(|(master, _)| *master == node)
        else {
            let end = reported;
            return Rule::NothingCommittedIsLost
                .broken(format!("{} reports {end} entries committed, and no master has", letter(node)));
        };
        for index in self.committed.len()..reported {
            let mark = self.nodes[&node].handed[index];
            let id = id_at(index, &mark);
            // Behind an entry of an earlier term stands the later term's first entry, which needs a sync
            // everywhere.
            let requirement = if mark.term < progress.term { Requirement::SYNC } else { mark.requirement };
            if !self.quorums.is_write_quorum(&self.holders(index, &mark, requirement, master)) {
                return Rule::NothingCommittedIsLost.broken(format!(
                    "{} commits {id} ({requirement:?}), which no write quorum holds like that: {}",
                    letter(node),
                    self.logs_in_words()
                ));
            }
            if self.refused.contains(&id) {
                return Rule::AcknowledgementsHold
                    .broken(format!("{id} commits, and its caller was told that it never will"));
            }
            self.committed.push(mark);
            self.committed_in.push(progress.term);
            self.remember(id, mark)?;
        }
        Ok(())
    }

    fn holders(&self, index: usize, mark: &Mark, requirement: Requirement, master: NodeId) -> NodeSet {
        let holds = |(node, model): (&NodeId, &NodeModel)| {
            let sync = if *node == master { requirement.local_sync } else { requirement.replica_sync };
            model.held(index, mark, sync).then_some(*node)
        };
        self.nodes.iter().filter_map(holds).collect()
    }

    fn remember(&mut self, id: EntryId, mark: Mark) -> Result<(), Violation> {
        if mark.kind == EntryKind::TermStart {
            return Ok(());
        }
        let payload = &self.entries[&id].1;
        self.history.commit(id.vlsn.as_u64(), payload).or_else(|error| {
            Rule::NothingUncommittedIsVisible.broken(format!("{id} cannot be understood: {error}"))
        })
    }

    /// An engine is about to be given entries; it passes over those that it holds.
    pub(crate) fn applying(&mut self, node: NodeId, batch: &Batch) -> Result<(), Violation> {
        let first = batch.first().as_u64() as usize - 1;
        let applied = self.nodes[&node].applied;
        if first > applied {
            return Rule::NothingUncommittedIsVisible
                .broken(format!("{} applies {batch:?} to an engine that ends at {applied}", letter(node)));
        }
        for (index, mark) in marks(batch).enumerate().map(|(offset, mark)| (first + offset, mark)) {
            if self.committed.get(index) != Some(&mark) {
                return Rule::NothingUncommittedIsVisible.broken(format!(
                    "{} applies {}, which is not committed",
                    letter(node),
                    id_at(index, &mark)
                ));
            }
        }
        let end = first + batch.count();
        let model = self.model(node);
        model.applied = model.applied.max(end);
        Ok(())
    }

    fn model(&mut self, node: NodeId) -> &mut NodeModel {
        self.nodes.get_mut(&node).expect("every member has a model")
    }

    fn logs_in_words(&self) -> String {
        let log = |(node, model): (&NodeId, &NodeModel)| {
            format!("{} holds {} and {} of it durably", letter(*node), End(&model.disk), model.durable)
        };
        self.nodes.iter().map(log).collect::<Vec<_>>().join(", ")
    }
}

fn check_order(node: NodeId, marks: &Watermarks) -> Result<(), Violation> {
    let in_order = marks.trimmed <= marks.engine_durable
        && marks.engine_durable <= marks.applied
        && marks.applied <= marks.committed
        && marks.committed <= marks.written
        && marks.engine_durable <= marks.durable
        && marks.durable <= marks.written;
    if in_order { Ok(()) } else { Rule::WatermarksInOrder.broken(format!("{}: {marks}", letter(node))) }
}

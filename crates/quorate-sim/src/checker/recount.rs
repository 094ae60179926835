//! What a master counts with skill, counted again without any: entry by entry, node by node.

use super::mark::{Mark, count};
use super::{Checker, Rule, Violation};
use crate::network::letter;
use quorate_core::{NodeId, NodeSet, NodeState, QuorumSystem, Requirement, Vlsn};
use quorate_replica::{PeerProgress, Progress};

/// How much of one node's log is written and how much is durable, as the master knows.
type Copies = (NodeId, usize, usize);

impl Checker {
    /// The commit point of a node that leads, and what it says that all hold, follow from what each node has
    /// acknowledged to it. `peers` is empty for a node that does not lead.
    pub(crate) fn recounted(
        &mut self,
        node: NodeId,
        life: u64,
        progress: &Progress,
        peers: &[PeerProgress],
    ) -> Result<(), Violation> {
        let leads = progress.state == NodeState::Master || !peers.is_empty();
        if !leads || self.masters.get(&progress.term) != Some(&(node, life)) {
            return Ok(());
        }
        let copies = self.copies(node, progress, peers);
        self.check_held_by_all_counted(node, progress, &copies)?;
        self.check_commit_point(node, progress, &copies)
    }

    /// What every electable node holds, the master included.
    fn copies(&self, node: NodeId, progress: &Progress, peers: &[PeerProgress]) -> Vec<Copies> {
        let marks = progress.watermarks;
        let own = (node, count(marks.written), count(marks.durable));
        let others =
            peers.iter().map(|peer| (peer.node, count(peer.holds.written), count(peer.holds.durable)));
        others.filter(|(peer, ..)| self.nodes.contains_key(peer)).chain([own]).collect()
    }

    fn check_held_by_all_counted(
        &self,
        node: NodeId,
        progress: &Progress,
        copies: &[Copies],
    ) -> Result<(), Violation> {
        let least = |held: fn(&Copies) -> usize| copies.iter().map(held).min().unwrap_or(0);
        let (written, durable) = (least(|copies| copies.1), least(|copies| copies.2));
        let said = (count(progress.held_by_all.written), count(progress.held_by_all.durable));
        if said.1 == durable && (durable..=written).contains(&said.0) {
            return Ok(());
        }
        Rule::AcknowledgementsHold.broken(format!(
            "{} says that all have written {} entries and synced {}: it is {written} and {durable}",
            letter(node),
            said.0,
            said.1
        ))
    }

    fn check_commit_point(
        &mut self,
        node: NodeId,
        progress: &Progress,
        copies: &[Copies],
    ) -> Result<(), Violation> {
        let log = &self.nodes[&node].handed;
        let start = log.partition_point(|mark| mark.term < progress.term);
        let (term, counted) = self.nodes[&node].counted;
        let mut point = if term == progress.term { counted } else { start };
        while log.get(point).is_some_and(|mark| self.is_held(point, mark, node, copies)) {
            point += 1;
        }
        self.model(node).counted = (progress.term, point);
        let written = count(progress.watermarks.written);
        let reported = count(progress.watermarks.committed);
        let expected = if point > start { point.min(written) } else { reported.min(start) };
        if reported == expected {
            return Ok(());
        }
        Rule::NothingCommittedIsLost.broken(format!(
            "{} calls {} committed, and by what it was told it is {}: {copies:?}",
            letter(node),
            Vlsn::new(reported as u64).map_or_else(|| "nothing".to_owned(), |vlsn| vlsn.to_string()),
            expected
        ))
    }

    /// Whether a write quorum has acknowledged the entry at `index` as it asked.
    fn is_held(&self, index: usize, mark: &Mark, master: NodeId, copies: &[Copies]) -> bool {
        let Requirement { local_sync, replica_sync } = mark.requirement;
        let holds = |(node, written, durable): &Copies| {
            let sync = if *node == master { local_sync } else { replica_sync };
            index < if sync { *durable } else { *written }
        };
        let holders: NodeSet = copies.iter().filter(|copies| holds(copies)).map(|copies| copies.0).collect();
        self.quorums.is_write_quorum(&holders)
    }
}

//! What callers were told.

use super::mark::{Mark, count};
use super::{Checker, NodeModel, Rule, Violation};
use crate::SimTime;
use crate::network::letter;
use bytes::Bytes;
use quorate_core::{EntryId, NodeId};
use quorate_env::{CommitExtent, CommitResult, Committed, ReadOutcome, WriteError};
use quorate_policy::{CommitDurability, CommitToken, ReplicaAckPolicy, SyncPolicy};

impl Checker {
    /// A write was reported as committed, applied and acknowledged as it asked.
    pub(crate) fn write_done(&mut self, id: EntryId, durability: CommitDurability) -> Result<(), Violation> {
        let Some(mark) = self.committed_mark(id) else {
            return Rule::AcknowledgementsHold.broken(format!("{id} was acknowledged and is not committed"));
        };
        if durability.acks == ReplicaAckPolicy::All {
            self.check_held_by_all(id, &mark, durability)?;
        }
        self.acknowledged.insert(id);
        self.acknowledged_through(id.vlsn.as_u64());
        Ok(())
    }

    /// A write was reported as the duplicate of this entry.
    pub(crate) fn write_was_done(&self, of: EntryId) -> Result<(), Violation> {
        if self.committed_mark(of).is_some() {
            return Ok(());
        }
        Rule::AcknowledgementsHold
            .broken(format!("a write was answered as a duplicate of {of}, which is not committed"))
    }

    /// Somebody knows by now that everything up to here is committed.
    fn acknowledged_through(&mut self, position: u64) {
        if position > self.visible {
            self.visible = position;
            self.visible_since.push((self.now, position));
        }
    }

    fn check_held_by_all(
        &self,
        id: EntryId,
        mark: &Mark,
        durability: CommitDurability,
    ) -> Result<(), Violation> {
        let sync = durability.requirement().replica_sync;
        let index = count(Some(id.vlsn)) - 1;
        let lacks = |model: &NodeModel| !model.is_in_doubt() && !model.held(index, mark, sync);
        match self.nodes.iter().find(|(_, model)| lacks(model)) {
            None => Ok(()),
            Some((node, _)) => Rule::AcknowledgementsHold.broken(format!(
                "{id} was acknowledged by all ({durability}), and {} lacks it",
                letter(*node)
            )),
        }
    }

    /// A write that asked for nobody's copy was reported as written by its master: it is, or it is committed,
    /// which is more.
    pub(crate) fn write_written(
        &mut self,
        node: NodeId,
        id: EntryId,
        durability: CommitDurability,
    ) -> Result<(), Violation> {
        let model = &self.nodes[&node];
        let index = count(Some(id.vlsn)) - 1;
        let held = match durability.local {
            SyncPolicy::Sync => index < model.durable,
            SyncPolicy::WriteNoSync => index < model.disk.len(),
            SyncPolicy::NoSync => true,
        };
        if held || self.committed_mark(id).is_some() {
            return Ok(());
        }
        Rule::AcknowledgementsHold
            .broken(format!("{id} was reported as written ({durability}), and {} has not", letter(node)))
    }

    /// A replica tells its caller what its master, or its own clock, says became of a write that it passed
    /// on.
    pub(crate) fn forward_answered(&mut self, node: NodeId, result: &CommitResult) -> Result<(), Violation> {
        match result {
            Ok(Committed { token, extent: CommitExtent::Committed, .. }) => {
                let id = token.id();
                let applied = self.nodes[&node].applied as u64;
                if self.committed_mark(id).is_some() && id.vlsn.as_u64() <= applied {
                    return Ok(());
                }
                Rule::AcknowledgementsHold.broken(format!(
                    "{} calls {id} done, which it passed on, and has applied {applied} entries",
                    letter(node)
                ))
            }
            Ok(Committed { token, .. }) if !self.entries.contains_key(&token.id()) => {
                Rule::AcknowledgementsHold.broken(format!("{} was never written by anybody", token.id()))
            }
            Err(WriteError::RolledBack { token }) => self.write_lost(token.id()),
            _ => Ok(()),
        }
    }

    /// A caller was told that a write will never be committed.
    pub(crate) fn write_lost(&mut self, id: EntryId) -> Result<(), Violation> {
        if self.committed_mark(id).is_some() {
            return Rule::AcknowledgementsHold.broken(format!("{id} was reported as lost and is committed"));
        }
        self.refused.insert(id);
        Ok(())
    }

    /// A linearizable read begins: how far it must see.
    pub(crate) const fn read_begins(&self) -> u64 {
        self.visible
    }

    /// A read shows an engine at `position`, which is to be no older than this moment.
    pub(crate) fn read_is_recent(&self, position: u64, as_of: SimTime) -> Result<(), Violation> {
        let known = self.visible_since.partition_point(|(since, _)| *since < as_of);
        let floor = known.checked_sub(1).map_or(0, |last| self.visible_since[last].1);
        if position >= floor {
            return Ok(());
        }
        Rule::ReadsHold.broken(format!(
            "a read shows {position}, and {floor} was acknowledged before {as_of}, its bound"
        ))
    }

    /// A read found `value` in an engine at `position`. A linearizable one had to see `floor`.
    pub(crate) fn read_shows(
        &mut self,
        key: &[u8],
        value: Option<&Bytes>,
        position: u64,
        floor: Option<u64>,
    ) -> Result<(), Violation> {
        if position > self.committed.len() as u64 {
            return Rule::NothingUncommittedIsVisible
                .broken(format!("a read shows {position}, which is not committed"));
        }
        if let Some(floor) = floor {
            if position < floor {
                return Rule::ReadsHold
                    .broken(format!("a linearizable read shows {position}, and {floor} came before it"));
            }
            self.acknowledged_through(position);
        }
        let expected = self.history.value(key, position);
        if expected.as_ref() == value {
            return Ok(());
        }
        Rule::ReadsHold
            .broken(format!("key {key:?} is {value:?} at {position}, and was committed as {expected:?}"))
    }

    /// A read with a token had this outcome, shown from an engine at `position`.
    pub(crate) fn token_judged(
        &mut self,
        token: &CommitToken,
        outcome: ReadOutcome,
        position: u64,
    ) -> Result<(), Violation> {
        let committed = self.committed_mark(token.id()).is_some();
        let holds = match outcome {
            ReadOutcome::Ready => committed && position >= token.vlsn.as_u64(),
            ReadOutcome::CommitLost { .. } => !committed,
            ReadOutcome::ForeignGroup => false,
            ReadOutcome::TokenTooOld | ReadOutcome::TimedOut => true,
        };
        if holds {
            if matches!(outcome, ReadOutcome::CommitLost { .. }) {
                self.refused.insert(token.id());
            }
            return Ok(());
        }
        Rule::ReadsHold.broken(format!("token {} was judged {outcome:?} at {position}", token.id()))
    }

    fn committed_mark(&self, id: EntryId) -> Option<Mark> {
        self.committed.get(count(Some(id.vlsn)) - 1).filter(|mark| mark.term == id.term).copied()
    }
}

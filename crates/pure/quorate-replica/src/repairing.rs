//! Healing: entries that were durable and cannot be read any more are fetched again from a peer, by identity.

use crate::messages::Message;
use crate::node::Node;
use crate::{Event, LogReadFor, Output};
use alloc::vec::Vec;
use bytes::Bytes;
use quorate_codec::decode;
use quorate_core::{Batch, DamagedRange, EntryId, NodeId, Term, Time, Vlsn};

/// What is damaged in this node's log, and whom it has asked.
#[derive(Debug)]
pub(crate) struct Repairing {
    damaged: Vec<DamagedRange>,
    /// Which of them is asked for. Once every peer was asked in vain it is the turn of the next: what all peers have
    /// trimmed cannot be had, and may not be needed any more, whereas the engine may wait for another.
    current: usize,
    fetched: Fetched,
    ask_at: Time,
    asked: usize,
    /// Frames have been handed to the log to be put back.
    replacing: bool,
    /// A damaged entry behind which the log is to be cut, which needs its checksum. Of the range that it lies in no more
    /// is asked for: what follows conflicts with what the master holds.
    cut: Option<EntryId>,
}

/// The frames that have come of the damaged range that is asked for: peers send it in parts, by the borders of their
/// own files.
#[derive(Debug, Default)]
struct Fetched {
    frames: Vec<u8>,
    /// The last entry, and the header checksum of its frame.
    last: Option<(EntryId, u32)>,
}

impl Fetched {
    /// The first entry that is still wanted of a range.
    fn next(&self, range: &DamagedRange) -> Vlsn {
        self.last.map_or(range.first, |(last, _)| last.vlsn.next())
    }

    fn push(&mut self, batch: &Batch) {
        self.frames.extend_from_slice(batch.frames());
        self.last = Some((batch.last(), batch.chain_after()));
    }
}

impl Repairing {
    pub(crate) fn new(damaged: Vec<DamagedRange>, now: Time) -> Self {
        Self {
            damaged,
            current: 0,
            fetched: Fetched::default(),
            ask_at: now,
            asked: 0,
            replacing: false,
            cut: None,
        }
    }

    pub(crate) const fn is_damaged(&self) -> bool {
        !self.damaged.is_empty()
    }

    pub(crate) fn deadline(&self) -> Option<Time> {
        (self.is_damaged() && !self.replacing).then_some(self.ask_at)
    }

    /// The range that is asked for; up to where the log is to be cut, if that is within it.
    fn current(&self) -> Option<DamagedRange> {
        let range = self.damaged.get(self.current).copied()?;
        match self.cut.filter(|cut| range.contains(cut.vlsn)) {
            Some(cut) => Some(DamagedRange { last: cut.vlsn, chain_after: None, ..range }),
            None => Some(range),
        }
    }

    /// The range that holds the entry behind which the log is to be cut.
    fn range_of_cut(&self) -> Option<usize> {
        let cut = self.cut?;
        self.damaged.iter().position(|range| range.contains(cut.vlsn))
    }

    /// Asks for this damaged entry and those before it first: the log is to be cut behind it.
    pub(crate) fn heal_before_cut(&mut self, cut: EntryId, damaged: Vec<DamagedRange>, now: Time) {
        self.cut = Some(cut);
        self.asked = 0;
        self.set(damaged, now);
    }

    /// The log is not to be cut there any more.
    pub(crate) const fn forget_cut(&mut self) {
        self.cut = None;
    }

    /// Goes on with the next range.
    fn turn(&mut self) {
        self.current = (self.current + 1) % self.damaged.len().max(1);
        self.fetched = Fetched::default();
    }

    /// Takes in what is damaged now; what is asked for begins anew.
    fn set(&mut self, damaged: Vec<DamagedRange>, ask_at: Time) {
        self.damaged = damaged;
        self.current = self.range_of_cut().unwrap_or(0);
        self.fetched = Fetched::default();
        self.ask_at = ask_at;
    }
}

impl Node {
    /// Asks one peer after the other for a damaged range, and once all were asked, for the next one.
    pub(crate) fn repair_if_due(&mut self, now: Time) {
        if self.repairing.deadline().is_none_or(|at| now < at) {
            return;
        }
        let peers: Vec<NodeId> = self.links.control().iter().filter(|node| self.links.stand(*node)).collect();
        if peers.is_empty() {
            self.repairing.ask_at = now + self.retry_interval();
            return;
        }
        if self.repairing.asked >= peers.len() {
            self.repairing.asked = 0;
            self.repairing.turn();
        }
        let peer = peers[self.repairing.asked];
        self.repairing.asked += 1;
        self.ask_for_repair(now, peer);
    }

    fn ask_for_repair(&mut self, now: Time, peer: NodeId) {
        let Some(range) = self.repairing.current() else { return };
        let (first, last) = (self.repairing.fetched.next(&range), range.last);
        self.repairing.ask_at = now + self.timing().election_timeout();
        self.send(peer, Message::RepairRequest { first, last });
    }

    /// Reads the entries asked for from this log, if it holds them. The asker judges whether they are the
    /// same ones.
    pub(crate) fn receive_repair_request(&mut self, from: NodeId, first: Vlsn, last: Vlsn) {
        let held =
            Some(first) > self.log.terms.base().map(|base| base.vlsn) && Some(last) <= self.log.written;
        if held && first <= last {
            let (reader, bytes_max) = (LogReadFor::Repair { node: from }, self.config.batch_bytes_max);
            self.push(Output::ReadLog { reader, from: first, through: last, bytes_max });
        }
    }

    /// Takes in a part of the damaged range, asks for the next one, and puts the range back when it
    /// is whole.
    pub(crate) fn receive_repair(&mut self, now: Time, from: NodeId, first: Vlsn, frames: Bytes) {
        let Some(range) = self.repairing.current() else { return };
        if self.repairing.replacing || first != self.repairing.fetched.next(&range) {
            return;
        }
        let before = self.before_repair(&range);
        let (term, chain) = self.repairing.fetched.last.map_or(before, |(last, chain)| (last.term, chain));
        let cut = self.repairing.cut;
        let part = decode(frames, first, chain, term).ok();
        let Some(part) = part.filter(|part| fits(part, &range) && reaches_cut(part, cut)) else {
            self.counters.refused_frames += 1;
            self.repairing.fetched = Fetched::default();
            self.repairing.ask_at = now + self.retry_interval();
            return;
        };
        self.repairing.fetched.push(&part);
        if part.last().vlsn < range.last {
            return self.ask_for_repair(now, from);
        }
        let fetched = core::mem::take(&mut self.repairing.fetched);
        let (term, chain) = before;
        if let Ok(batch) = decode(fetched.frames.into(), range.first, chain, term) {
            self.repairing.replacing = true;
            self.push(Output::Repair { batch });
        }
    }

    /// The term of the entry before a damaged range, and the header checksum of its frame.
    fn before_repair(&self, range: &DamagedRange) -> (Term, u32) {
        let before = range.first.previous().and_then(|before| self.log.terms.term_at(before));
        (before.unwrap_or(Term::ZERO), range.chain_before)
    }

    /// A read has found more damage than was known.
    pub(crate) fn log_damaged(&mut self, now: Time, damaged: Vec<DamagedRange>) {
        if damaged != self.repairing.damaged {
            self.set_damaged(now, damaged, now);
        }
    }

    /// What is damaged has changed; if the log can be cut by now where it could not be, the master is asked anew where.
    fn set_damaged(&mut self, now: Time, damaged: Vec<DamagedRange>, ask_at: Time) {
        self.repairing.set(damaged, ask_at);
        if self.repairing.cut.is_some() && self.repairing.range_of_cut().is_none() {
            self.repairing.forget_cut();
            self.begin_stream(now);
        }
    }

    /// The log has put frames back, or has refused them.
    pub(crate) fn log_repaired(&mut self, now: Time, damaged: Vec<DamagedRange>) {
        let was_healed = damaged != self.repairing.damaged;
        let ask_at = if was_healed { now } else { now + self.retry_interval() };
        self.repairing.replacing = false;
        self.set_damaged(now, damaged, ask_at);
        self.applying.read_again();
        self.event(Event::Repaired { left: self.repairing.damaged.len() });
    }
}

/// A part lies within its range, and ends as the range does where it is the last one.
fn fits(part: &Batch, range: &DamagedRange) -> bool {
    let is_last = part.last().vlsn == range.last;
    let ends_well = range.chain_after.is_none_or(|chain| !is_last || chain == part.chain_after());
    part.last().vlsn <= range.last && ends_well
}

/// Entries of one term at one position are one entry, with all before it the same, whoever holds it.
fn reaches_cut(part: &Batch, cut: Option<EntryId>) -> bool {
    cut.is_none_or(|cut| part.last().vlsn != cut.vlsn || part.last().term == cut.term)
}

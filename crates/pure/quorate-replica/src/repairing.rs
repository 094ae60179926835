//! Healing: entries that were durable and cannot be read any more are fetched again from a peer, by identity.

use crate::messages::Message;
use crate::node::Node;
use crate::{Event, LogReadFor, Output};
use alloc::vec::Vec;
use bytes::Bytes;
use quorate_codec::{PAYLOAD_BYTES_MAX, decode};
use quorate_core::{DamagedRange, NodeId, Term, Time, Vlsn};

/// What is damaged in this node's log, and whom it has asked.
#[derive(Debug)]
pub(crate) struct Repairing {
    damaged: Vec<DamagedRange>,
    ask_at: Time,
    asked: usize,
    /// Frames have been handed to the log to be put back.
    replacing: bool,
}

impl Repairing {
    pub(crate) const fn new(damaged: Vec<DamagedRange>, now: Time) -> Self {
        Self { damaged, ask_at: now, asked: 0, replacing: false }
    }

    pub(crate) const fn is_damaged(&self) -> bool {
        !self.damaged.is_empty()
    }

    pub(crate) fn deadline(&self) -> Option<Time> {
        (self.is_damaged() && !self.replacing).then_some(self.ask_at)
    }
}

impl Node {
    /// Asks one peer after the other for the first damaged range.
    pub(crate) fn repair_if_due(&mut self, now: Time) {
        if self.repairing.deadline().is_none_or(|at| now < at) {
            return;
        }
        self.repairing.ask_at = now + self.config.election_timeout;
        let peers: Vec<NodeId> = self.links.control().iter().filter(|node| self.links.stand(*node)).collect();
        let (Some(range), false) = (self.repairing.damaged.first().copied(), peers.is_empty()) else {
            return;
        };
        let peer = peers[self.repairing.asked % peers.len()];
        self.repairing.asked += 1;
        self.send(peer, Message::RepairRequest { first: range.first, last: range.last });
    }

    /// Reads the entries asked for from this log, if it holds them. The asker judges whether they are the same ones.
    pub(crate) fn receive_repair_request(&mut self, from: NodeId, first: Vlsn, last: Vlsn) {
        let held =
            Some(first) > self.log.terms.base().map(|base| base.vlsn) && Some(last) <= self.log.written;
        if held && first <= last {
            let reader = LogReadFor::Repair { node: from };
            self.push(Output::ReadLog { reader, from: first, through: last, bytes_max: PAYLOAD_BYTES_MAX });
        }
    }

    pub(crate) fn receive_repair(&mut self, now: Time, first: Vlsn, frames: Bytes) {
        let Some(range) = self.repairing.damaged.first().copied() else { return };
        if self.repairing.replacing || range.first != first {
            return;
        }
        let term_before =
            first.previous().and_then(|before| self.log.terms.term_at(before)).unwrap_or(Term::ZERO);
        let intact = decode(frames, first, range.chain_before, term_before).ok().filter(|batch| {
            batch.last().vlsn == range.last
                && range.chain_after.is_none_or(|chain| chain == batch.chain_after())
        });
        match intact {
            Some(batch) => {
                self.repairing.replacing = true;
                self.push(Output::Repair { batch });
            }
            None => {
                self.counters.refused_frames += 1;
                self.repairing.ask_at = now;
                self.repair_if_due(now);
            }
        }
    }

    pub(crate) fn log_repaired(&mut self, damaged: Vec<DamagedRange>) {
        self.repairing.replacing = false;
        self.repairing.damaged = damaged;
        self.applying.read_again();
        self.event(Event::Repaired { left: self.repairing.damaged.len() });
    }
}

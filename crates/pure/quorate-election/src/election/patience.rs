//! A voter's patience: what it learns of how long the others take to answer.

use super::{Election, Standing};
use crate::Timing;
use core::time::Duration;
use quorate_core::{NodeId, NodeSet, QuorumSystem, Time};

/// How many canvasses are remembered for the sake of answers that come late.
const CANVASSES_REMEMBERED: usize = 16;

impl Election {
    /// How patient this voter is at present, on the links that it has.
    #[must_use]
    pub fn timing(&self) -> Timing {
        let configured = Timing::new(self.config.heartbeat_interval, self.config.election_timeout);
        configured.with_round_trip(self.measured.max(self.told))
    }

    /// A member took so long to answer. Patience is by as many of the electable nodes as these quorums ask for.
    pub fn answered(
        &mut self,
        electable: &NodeSet,
        quorums: &dyn QuorumSystem,
        from: NodeId,
        round_trip: Duration,
    ) {
        self.round_trips.measured(from, round_trip);
        let enough = |nodes: &NodeSet| quorums.is_election_quorum(nodes) && quorums.is_write_quorum(nodes);
        let within = self.round_trips.within(self.config.me, electable, enough);
        self.measured = within.unwrap_or(self.measured);
    }

    /// What this voter, as master, tells a peer of round trips: a peer that is farther away than others is told of its own way.
    #[must_use]
    pub fn round_trip_for(&self, peer: NodeId) -> Duration {
        self.timing().round_trip().max(self.round_trips.of(peer))
    }

    /// The canvass of the present nonce is sent: its answers measure, also those that come late.
    pub(super) fn canvass_began(&mut self, now: Time) {
        if self.canvasses.len() == CANVASSES_REMEMBERED {
            self.canvasses.pop_front();
        }
        self.canvasses.push_back((self.nonce, now));
    }

    pub(super) fn canvass_answered(&mut self, now: Time, standing: &Standing<'_>, from: NodeId, nonce: u64) {
        if let Some((_, began)) = self.canvasses.iter().find(|(canvass, _)| *canvass == nonce) {
            self.answered(standing.electable, standing.quorums, from, now.since(*began));
        }
    }
}

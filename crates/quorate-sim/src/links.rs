//! Dialling: how links between processes come and go.

use crate::SimTime;
use crate::checker::Violation;
use crate::network::Link;
use crate::world::{Event, World};
use quorate_core::{NodeId, Service};
use quorate_replica::Input;
use std::time::Duration;

/// How long a dialler waits for an answer.
const DIAL_TIMEOUT: Duration = Duration::from_millis(500);

impl World {
    /// A process has started: it dials everybody, and its peers notice that their links led to another one.
    pub(crate) fn dial_peers(&mut self, node: NodeId) {
        let peers: Vec<NodeId> = self.hosts.keys().copied().filter(|peer| *peer != node).collect();
        for peer in peers {
            for service in Service::ALL {
                self.dial_soon(Link { from: node, to: peer, service }, 100, 3_000);
                self.break_link(Link { from: peer, to: node, service }, 100, 1_000);
            }
        }
    }

    fn dial_soon(&mut self, link: Link, low: u64, high: u64) {
        let Some(life) = self.host(link.from).life() else { return };
        let at = self.soon(low, high);
        self.queue.push(at, Event::Dial { link, life });
    }

    pub(crate) fn dial(&mut self, link: Link, life: u64) -> Result<(), Violation> {
        if self.host(link.from).life() != Some(life) || self.network.stands(link) {
            return Ok(());
        }
        let now = self.now;
        let blocked = self.network.blocks(link.from, link.to) || self.network.blocks(link.to, link.from);
        let target = self.host(link.to);
        let silent = blocked || target.is_dark || target.paused_until > now;
        let (node, service) = (link.to, link.service);
        if silent {
            self.report_at(now + DIAL_TIMEOUT, link.from, Input::PeerDown { node, service, refused: false });
            self.dial_soon(link, 600_000, 900_000);
        } else if target.machine.process.is_none() {
            self.report_soon(link.from, Input::PeerDown { node, service, refused: true });
            self.dial_soon(link, 20_000, 200_000);
        } else if let Some(stale) = self.old_copy_among([link.from, link.to]) {
            return self.retire(stale, "its peers have met a later state of its directory");
        } else {
            self.network.raise(link);
            self.report_soon(link.from, Input::PeerUp { node, service });
        }
        Ok(())
    }

    /// Two processes greet each other: which of them was started from a directory that the other has met in
    /// a later state. It is turned away, and does not come back by itself.
    fn old_copy_among(&mut self, pair: [NodeId; 2]) -> Option<NodeId> {
        let opened = pair.map(|node| self.open_count(node));
        for (me, (peer, count)) in [(pair[0], (pair[1], opened[1])), (pair[1], (pair[0], opened[0]))] {
            let met = self.host(me).acquaintances.entry(peer).or_default();
            if count < *met {
                return Some(peer);
            }
            *met = count;
        }
        None
    }

    fn open_count(&self, node: NodeId) -> u64 {
        self.hosts[&node].machine.process.as_ref().map_or(0, |process| process.node().hard_state().open_count)
    }

    fn report_at(&mut self, at: SimTime, node: NodeId, input: Input) {
        let Some(life) = self.host(node).life() else { return };
        self.queue.push(at, Event::Report { node, life, completion: input.into() });
    }

    /// Lets a dialler notice, between `low` and `high` microseconds from now, that its link is gone.
    pub(crate) fn break_link(&mut self, link: Link, low: u64, high: u64) {
        let Some(life) = self.host(link.from).life().filter(|_| self.network.stands(link)) else { return };
        let at = self.soon(low, high);
        self.queue.push(at, Event::LinkLost { link, life });
    }

    pub(crate) fn link_lost(&mut self, link: Link, life: u64) -> Result<(), Violation> {
        if self.host(link.from).life() == Some(life) && self.network.end(link) {
            let (node, service) = (link.to, link.service);
            self.report_soon(link.from, Input::PeerDown { node, service, refused: false });
            self.dial_soon(link, 100, 5_000);
        }
        Ok(())
    }

    /// A process has ended: its own links are gone, and its peers learn of theirs, soon if its machine still
    /// answers.
    pub(crate) fn drop_links_of(&mut self, node: NodeId, is_dark: bool) {
        for link in self.network.standing(|link| link.from == node) {
            self.network.end(link);
        }
        let (low, high) = if is_dark { (1_000_000, 3_000_000) } else { (100, 1_000) };
        for link in self.network.standing(|link| link.to == node) {
            self.break_link(link, low, high);
        }
    }
}

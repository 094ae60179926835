//! What goes wrong, when, and for how long.

use crate::FaultKind;
use crate::checker::{Ending, Violation};
use crate::network::letter;
use crate::sim_time::{happens, micros_between};
use crate::world::{Event, World};
use quorate_core::NodeId;
use std::time::Duration;

/// What ends of itself.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Mending {
    /// Everybody hears everybody again.
    Network,
}

/// Lets one thing go wrong.
type Strike = fn(&mut World);

impl World {
    pub(crate) fn schedule_fault(&mut self) {
        let mean = self.profile.fault_interval.as_micros() as u64;
        if mean == 0 {
            return;
        }
        let at = self.soon(mean / 4, mean * 7 / 4);
        self.queue.push(at, Event::Fault);
    }

    /// Lets one thing go wrong, drawn by the profile's weights.
    pub(crate) fn strike(&mut self) -> Result<(), Violation> {
        if self.at_peace {
            return Ok(());
        }
        self.schedule_fault();
        let weights = self.profile.weights;
        let choices: [(u64, Strike); 9] = [
            (weights.crash, Self::plan_crash),
            (weights.crash_in_storage, Self::plan_crash_in_storage),
            (weights.power_loss, Self::lose_power_of_one),
            (weights.power_loss_of_all, Self::lose_power_of_all),
            (weights.link_reset, Self::reset_link),
            (weights.partition, Self::partition),
            (weights.one_way, Self::partition_one_way),
            (weights.pause, Self::pause),
            (weights.slow_disk, Self::slow_disk),
        ];
        let mut draw = self.random.below(choices.iter().map(|(weight, _)| weight).sum());
        for (weight, fault) in choices {
            if draw < weight {
                fault(self);
                return Ok(());
            }
            draw -= weight;
        }
        Ok(())
    }

    pub(crate) fn mend(&mut self, mending: Mending) -> Result<(), Violation> {
        match mending {
            Mending::Network => {
                self.note(format_args!("the network heals"));
                self.network.heal();
            }
        }
        Ok(())
    }

    fn any_node(&mut self) -> NodeId {
        NodeId::new(1 + self.random.below(u64::from(self.profile.nodes)) as u16)
    }

    fn plan_crash(&mut self) {
        let (node, outputs) = (self.any_node(), self.random.below(60));
        if let Some(process) = self.host(node).machine.process.as_mut() {
            process.crash_after(outputs);
        }
    }

    fn plan_crash_in_storage(&mut self) {
        let (node, operations) = (self.any_node(), self.random.below(20));
        let disk = &self.host(node).machine.disk;
        disk.crash_at(disk.operations() + operations);
    }

    fn lose_power_of_one(&mut self) {
        let node = self.any_node();
        if self.checker.survives_power_loss_of(&[node]) {
            self.faults.count(FaultKind::PowerLoss);
            self.end_process(node, Ending::Power);
        }
    }

    fn lose_power_of_all(&mut self) {
        let nodes: Vec<NodeId> = self.hosts.keys().copied().collect();
        if self.checker.survives_power_loss_of(&nodes) {
            self.faults.count(FaultKind::PowerLossOfAll);
            for node in nodes {
                self.end_process(node, Ending::Power);
            }
        }
    }

    /// Ends a process, tells whoever waited for it, and, where faults come of themselves, has it started
    /// again after a while.
    pub(crate) fn end_process(&mut self, node: NodeId, ending: Ending) {
        self.note(format_args!("{} ends with its {ending:?}", letter(node)));
        let host = self.hosts.get_mut(&node).expect("every member has a host");
        let calm = self.profile.fault_interval.is_zero();
        let ahead = !calm && host.machine.engine.has_unflushed() && happens(&mut self.random, 100);
        if ahead {
            self.faults.count(FaultKind::EngineAhead);
        }
        let process = host.machine.end(ending, ahead, &mut self.random);
        host.forget_threads();
        host.is_dark = ending == Ending::Power;
        for (operation, reply) in process.into_iter().flat_map(crate::process::Process::abandon) {
            self.client_hears(operation, reply);
        }
        self.drop_links_of(node, ending == Ending::Power);
        if calm {
            return;
        }
        let long = happens(&mut self.random, 100);
        let at = self.soon(20_000, if long { 8_000_000 } else { 1_500_000 });
        self.queue.push(at, Event::Start { node });
    }

    fn reset_link(&mut self) {
        let links = self.network.standing(|_| true);
        let Some(link) = links.get(self.random.below(links.len() as u64) as usize).copied() else { return };
        self.faults.count(FaultKind::LinkReset);
        self.note(format_args!("{link} {:?} is reset", link.service));
        self.break_link(link, 1, 2);
    }

    fn partition(&mut self) {
        let nodes: Vec<NodeId> = self.hosts.keys().copied().collect();
        let sides: Vec<(NodeId, bool)> =
            nodes.into_iter().map(|node| (node, self.random.below(2) == 0)).collect();
        if sides.iter().all(|(_, side)| *side == sides[0].1) {
            return;
        }
        self.faults.count(FaultKind::Partition);
        let side =
            |chosen| sides.iter().filter(move |(_, side)| *side == chosen).map(|(node, _)| letter(*node));
        let (left, right): (String, String) = (side(true).collect(), side(false).collect());
        self.note(format_args!("the network parts {left} from {right}"));
        self.network.partition(&sides);
        self.heal_later();
    }

    fn partition_one_way(&mut self) {
        let (from, to) = (self.any_node(), self.any_node());
        if from == to {
            return;
        }
        self.faults.count(FaultKind::OneWayPartition);
        self.note(format_args!("{} no longer hears {}", letter(to), letter(from)));
        self.network.silence(from, to);
        self.heal_later();
    }

    fn heal_later(&mut self) {
        let at = self.soon(300_000, 5_000_000);
        self.queue.push(at, Event::Mend(Mending::Network));
    }

    fn pause(&mut self) {
        let node = self.any_node();
        let until = self.soon(200_000, 4_000_000);
        self.note(format_args!("{} is stopped until {until}", letter(node)));
        self.host(node).paused_until = until;
        self.faults.count(FaultKind::Pause);
    }

    fn slow_disk(&mut self) {
        let node = self.any_node();
        let until = self.now + Duration::from_secs(1) + micros_between(&mut self.random, 0, 3_000_000);
        self.note(format_args!("{}'s disk is slow until {until}", letter(node)));
        self.host(node).slow_until = until;
        self.faults.count(FaultKind::SlowDisk);
    }
}

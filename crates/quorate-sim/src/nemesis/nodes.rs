//! Faults of processes, machines and clocks.

use crate::FaultKind;
use crate::checker::Ending;
use crate::network::letter;
use crate::sim_time::{happens, micros_between};
use crate::world::{Event, World};
use quorate_core::{NodeId, Random};

impl World {
    pub(super) fn plan_crash(&mut self, details: &mut Random) -> Option<String> {
        let (node, outputs) = (self.any_node(details), details.below(60));
        self.host(node).machine.process.as_mut()?.crash_after(outputs);
        Some(format!("{} ends after {outputs} more outputs", letter(node)))
    }

    pub(super) fn plan_crash_in_storage(&mut self, details: &mut Random) -> Option<String> {
        let (node, operations) = (self.any_node(details), details.below(20));
        let host = self.host(node);
        host.machine.disk.crash_at(host.machine.disk.operations() + operations);
        Some(format!("{} ends in its {operations}th operation on its disk from now", letter(node)))
    }

    pub(super) fn lose_power_of_one(&mut self, details: &mut Random) -> Option<String> {
        let node = self.any_node(details);
        if self.host(node).is_retired || !self.checker.survives_power_loss_of(&[node]) {
            return None;
        }
        self.faults.count(FaultKind::PowerLoss);
        self.end_process(node, Ending::Power);
        Some(format!("{} loses its power", letter(node)))
    }

    pub(super) fn lose_power_of_all(&mut self) -> Option<String> {
        let present = self.hosts.iter().filter(|(_, host)| !host.is_retired);
        let nodes: Vec<NodeId> = present.map(|(node, _)| *node).collect();
        if !self.checker.survives_power_loss_of(&nodes) {
            return None;
        }
        self.faults.count(FaultKind::PowerLossOfAll);
        for node in nodes {
            self.end_process(node, Ending::Power);
        }
        Some("all lose their power".to_owned())
    }

    /// Ends a process, tells whoever waited for it, and, where faults come of themselves, has it started
    /// again after a while.
    pub(crate) fn end_process(&mut self, node: NodeId, ending: Ending) {
        self.note(format_args!("{} ends with its {ending:?}", letter(node)));
        let host = self.hosts.get_mut(&node).expect("every member has a host");
        let calm = self.profile.fault_interval.is_zero();
        let may_be_ahead = !calm && self.profile.has_ambient(FaultKind::EngineAhead);
        let ahead = happens(&mut self.random, 100) && may_be_ahead && host.machine.engine.has_unflushed();
        if ahead {
            self.faults.count(FaultKind::EngineAhead);
        }
        let process = host.machine.end(ending, ahead, &mut self.random);
        if ending == Ending::Power {
            self.checker.lost_power(node);
        }
        host.forget_process();
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

    pub(super) fn pause(&mut self, details: &mut Random) -> Option<String> {
        let node = self.any_node(details);
        let until = self.now + micros_between(details, 200_000, 4_000_000);
        self.host(node).paused_until = until;
        self.faults.count(FaultKind::Pause);
        Some(format!("{} is stopped until {until}", letter(node)))
    }

    /// Seconds, hours, or days, forward or back.
    pub(super) fn jump_clock(&mut self, details: &mut Random) -> Option<String> {
        let node = self.any_node(details);
        let span = [10, 10_000, 1_000_000][details.below(3) as usize];
        let seconds = details.below(2 * span) as i64 - span as i64;
        let host = self.host(node);
        host.wall_offset_micros += seconds * 1_000_000;
        self.faults.count(FaultKind::ClockJump);
        Some(format!("{}'s wall clock jumps by {seconds} s", letter(node)))
    }
}

//! Faults of the network.

use super::Mending;
use crate::FaultKind;
use crate::network::letter;
use crate::sim_time::micros_between;
use crate::world::{Event, World};
use quorate_core::{NodeId, Random};

impl World {
    pub(super) fn reset_link(&mut self, details: &mut Random) -> Option<String> {
        let links = self.network.standing(|_| true);
        let link = *links.get(details.below(links.len() as u64) as usize)?;
        self.faults.count(FaultKind::LinkReset);
        self.break_link(link, 1, 2);
        Some(format!("{link} {:?} is reset", link.service))
    }

    pub(super) fn partition(&mut self, details: &mut Random) -> Option<String> {
        let (left, right) = self.draw_sides(details, None)?;
        self.faults.count(FaultKind::Partition);
        self.network.partition(&left, &right);
        self.heal_later(details);
        Some(format!("the network parts {} from {}", letters(&left), letters(&right)))
    }

    pub(super) fn partition_with_bridge(&mut self, details: &mut Random) -> Option<String> {
        let bridge = self.any_node(details);
        let (left, right) = self.draw_sides(details, Some(bridge))?;
        self.faults.count(FaultKind::BridgePartition);
        self.network.partition(&left, &right);
        self.heal_later(details);
        let (left, right) = (letters(&left), letters(&right));
        Some(format!("the network parts {left} from {right}, and {} hears both", letter(bridge)))
    }

    /// Two sides, neither of them empty, without the bridge.
    fn draw_sides(&self, details: &mut Random, bridge: Option<NodeId>) -> Option<(Vec<NodeId>, Vec<NodeId>)> {
        let nodes = self.hosts.keys().copied().filter(|node| Some(*node) != bridge);
        let (left, right): (Vec<_>, Vec<_>) = nodes.partition(|_| details.below(2) == 0);
        (!left.is_empty() && !right.is_empty()).then_some((left, right))
    }

    pub(super) fn partition_one_way(&mut self, details: &mut Random) -> Option<String> {
        let (from, to) = (self.any_node(details), self.any_node(details));
        if from == to {
            return None;
        }
        self.faults.count(FaultKind::OneWayPartition);
        self.network.silence(from, to);
        self.heal_later(details);
        Some(format!("{} no longer hears {}", letter(to), letter(from)))
    }

    fn heal_later(&mut self, details: &mut Random) {
        let at = self.now + micros_between(details, 300_000, 5_000_000);
        self.queue.push(at, Event::Mend(Mending::Network));
    }
}

fn letters(nodes: &[NodeId]) -> String {
    nodes.iter().map(|node| letter(*node)).collect()
}

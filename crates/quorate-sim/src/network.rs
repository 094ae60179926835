use crate::sim_time::{happens, micros_between};
use crate::{FaultCounts, FaultKind, SimTime};
use quorate_core::{NodeId, Random, Service};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

/// One direction of one service between two nodes; `from` dials it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Link {
    pub(crate) from: NodeId,
    pub(crate) to: NodeId,
    pub(crate) service: Service,
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} -> {}", letter(self.from), letter(self.to))
    }
}

/// A node as traces and scripts call it: A is number 1.
pub(crate) fn letter(node: NodeId) -> char {
    char::from(b'A' + (node.as_u16() - 1) as u8)
}

/// How often messages suffer, in chances of a thousand each.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct MessageRates {
    pub(crate) loss: u64,
    pub(crate) duplication: u64,
    pub(crate) reordering: u64,
    pub(crate) delay: u64,
}

/// Which links stand, who cannot hear whom, and when messages arrive.
///
/// It is harder than the transport's contract allows: single messages are lost, doubled and reordered on
/// links that stand, and a copy may outlive its link and arrive at a later life of the receiver.
#[derive(Debug, Default)]
pub(crate) struct Network {
    standing: BTreeSet<Link>,
    /// When the last message sent in order on a link arrives.
    arrivals: BTreeMap<Link, SimTime>,
    /// What every message takes at least.
    distance: Duration,
    /// Pairs (from, to) whose messages disappear.
    blocked: BTreeSet<(NodeId, NodeId)>,
}

impl Network {
    /// A network on which every message takes so long at least.
    pub(crate) fn over(distance: Duration) -> Self {
        Self { distance, ..Self::default() }
    }

    pub(crate) fn stands(&self, link: Link) -> bool {
        self.standing.contains(&link)
    }

    pub(crate) fn raise(&mut self, link: Link) {
        self.standing.insert(link);
    }

    /// Ends a link; false if it did not stand.
    pub(crate) fn end(&mut self, link: Link) -> bool {
        self.standing.remove(&link)
    }

    /// The links that stand and that `choose` picks.
    pub(crate) fn standing(&self, choose: impl Fn(&Link) -> bool) -> Vec<Link> {
        self.standing.iter().filter(|link| choose(link)).copied().collect()
    }

    pub(crate) fn blocks(&self, from: NodeId, to: NodeId) -> bool {
        self.blocked.contains(&(from, to))
    }

    /// Stops everything between nodes of two sides.
    pub(crate) fn partition(&mut self, left: &[NodeId], right: &[NodeId]) {
        for (from, to) in left.iter().flat_map(|from| right.iter().map(|to| (*from, *to))) {
            self.blocked.extend([(from, to), (to, from)]);
        }
    }

    /// Stops what `from` sends to `to`, and nothing of the other direction.
    pub(crate) fn silence(&mut self, from: NodeId, to: NodeId) {
        self.blocked.insert((from, to));
    }

    pub(crate) fn heal(&mut self) {
        self.blocked.clear();
    }

    /// When the copies of a message sent now arrive: usually one, none if it is lost, two if it is doubled.
    pub(crate) fn route(
        &mut self,
        now: SimTime,
        link: Link,
        rates: &MessageRates,
        random: &mut Random,
        faults: &mut FaultCounts,
    ) -> Vec<SimTime> {
        if self.blocks(link.from, link.to) {
            return Vec::new();
        }
        let mut strikes = |per_mille: u64, kind: FaultKind, random: &mut Random| {
            let strikes = happens(random, per_mille);
            if strikes {
                faults.count(kind);
            }
            strikes
        };
        if strikes(rates.loss, FaultKind::Loss, random) {
            return Vec::new();
        }
        let mut travel = self.distance + micros_between(random, 100, 1_500);
        if strikes(rates.delay, FaultKind::Delay, random) {
            travel += micros_between(random, 10_000, 800_000);
        }
        let arrival = if strikes(rates.reordering, FaultKind::Reordering, random) {
            now + travel + micros_between(random, 1_000, 50_000)
        } else {
            self.in_order(link, now + travel)
        };
        let mut arrivals = vec![arrival];
        if strikes(rates.duplication, FaultKind::Duplication, random) {
            let latest = if random.below(4) == 0 { 5_000_000 } else { 20_000 };
            arrivals.push(arrival + micros_between(random, 1, latest));
        }
        arrivals
    }

    fn in_order(&mut self, link: Link, earliest: SimTime) -> SimTime {
        let last = self.arrivals.entry(link).or_default();
        *last = earliest.max(*last + Duration::from_micros(1));
        *last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link() -> Link {
        Link { from: NodeId::new(1), to: NodeId::new(2), service: Service::Control }
    }

    fn arrivals(network: &mut Network, rates: &MessageRates) -> Vec<Vec<SimTime>> {
        let (mut random, mut faults) = (Random::new(1), FaultCounts::default());
        (0..200)
            .map(|at| network.route(SimTime::from_micros(at), link(), rates, &mut random, &mut faults))
            .collect()
    }

    #[test]
    fn without_faults_every_message_arrives_once_and_in_order() {
        let arrivals = arrivals(&mut Network::default(), &MessageRates::default());
        assert!(arrivals.iter().all(|copies| copies.len() == 1));
        assert!(arrivals.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn each_fault_of_messages_shows() {
        let rates = MessageRates { loss: 100, duplication: 100, reordering: 100, delay: 0 };
        let arrivals = arrivals(&mut Network::default(), &rates);
        assert!(arrivals.iter().any(Vec::is_empty));
        assert!(arrivals.iter().any(|copies| copies.len() == 2));
        let firsts: Vec<_> = arrivals.iter().filter_map(|copies| copies.first()).collect();
        assert!(firsts.windows(2).any(|pair| pair[0] > pair[1]));
    }

    #[test]
    fn a_one_way_partition_stops_one_direction() {
        let mut network = Network::default();
        network.silence(NodeId::new(1), NodeId::new(2));
        assert!(arrivals(&mut network, &MessageRates::default()).iter().all(Vec::is_empty));
        assert!(!network.blocks(NodeId::new(2), NodeId::new(1)));
        network.heal();
        assert!(arrivals(&mut network, &MessageRates::default()).iter().all(|copies| copies.len() == 1));
    }
}

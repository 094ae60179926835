//! Who hears whom, and when.

use super::*;

impl Group {
    pub(crate) fn link_up(&mut self, node: NodeId) {
        for other in (1..=self.hosts.len() as u16).map(n).filter(|other| *other != node) {
            for (a, b) in [(node, other), (other, node)] {
                for service in Service::ALL {
                    self.input(a, Input::PeerUp { node: b, service });
                }
            }
        }
    }

    pub(crate) fn dispatch(&mut self, from: NodeId, to: NodeId, packet: Packet) {
        let delay_of =
            |end| self.delays.iter().filter(|(node, _)| *node == end).map(|(_, delay)| *delay).sum();
        let (behind, ahead): (Duration, Duration) = (delay_of(from), delay_of(to));
        let arrives = self.now + behind + ahead;
        let place = self.wires.partition_point(|(earlier, ..)| *earlier <= arrives);
        self.wires.insert(place, (arrives, from, to, packet));
    }

    pub(crate) fn isolate(&mut self, node: NodeId) {
        for other in (1..=self.hosts.len() as u16).map(n) {
            self.cut.extend([(node, other), (other, node)]);
        }
    }

    pub(crate) fn kill(&mut self, node: NodeId) {
        self.host(node).up = false;
        for other in (1..=self.hosts.len() as u16).map(n) {
            for service in Service::ALL {
                self.input(other, Input::PeerDown { node, service, refused: true });
            }
        }
    }
}

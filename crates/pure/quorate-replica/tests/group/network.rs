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

#[test]
fn a_replica_that_comes_back_is_fed_without_waiting_for_the_next_heartbeat() {
    let mut group = Group::new(3);
    group.seconds(10);
    let master = group.master();
    let replica = (1..=3).map(n).find(|node| *node != master).unwrap();
    group.kill(replica);
    let id = group.put(master, "meanwhile", "sync,sync,majority").unwrap();
    group.run(group.config.heartbeat_interval / 3);
    group.restart(replica, 1);
    group.run(Duration::ZERO);
    assert_eq!(group.host(replica).applied.last(), Some(&id));
}

//! Which peers this node reaches.

use crate::node::Node;
use quorate_core::{NodeId, NodeSet, Service, Time};

/// The links that this node has dialled and that stand.
#[derive(Debug, Default)]
pub(crate) struct Links {
    control: NodeSet,
    stream: NodeSet,
}

impl Links {
    fn of(&mut self, service: Service) -> &mut NodeSet {
        match service {
            Service::Control => &mut self.control,
            Service::Stream => &mut self.stream,
        }
    }

    pub(crate) const fn control(&self) -> &NodeSet {
        &self.control
    }

    pub(crate) fn stand(&self, node: NodeId) -> bool {
        self.control.contains(node) && self.stream.contains(node)
    }
}

impl Node {
    pub(crate) fn peer_up(&mut self, now: Time, node: NodeId, service: Service) {
        self.links.of(service).insert(node);
        if service == Service::Control {
            self.introduce_to(node);
        }
        if self.links.stand(node) {
            self.hasten_heartbeat(now);
        }
    }

    pub(crate) fn peer_down(&mut self, now: Time, node: NodeId, service: Service, refused: bool) {
        self.links.of(service).remove(node);
        self.end_feeding(node, service);
        if refused && self.followed_master() == Some(node) {
            self.election.master_gone(now);
            self.unfollow();
        }
    }
}

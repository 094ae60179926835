use super::ledger::Row;
use super::member::{Member, Sending};
use super::storage::Storage;
use crate::world::members;
use quorate_core::{LogStore, MemberList, NodeId, NodeState, QuorumPolicy, Service, Time};
use quorate_log::vfs::MemoryVfs;
use quorate_policy::CommitDurability;
use quorate_replica::{Input, Node, Proposal};
use std::collections::VecDeque;
use std::time::Duration;

/// How many nodes the group has.
pub(crate) const NODES: usize = 3;

/// A group of production nodes whose messages arrive at once and in order.
pub(crate) struct Group {
    list: MemberList,
    now: Time,
    pub(crate) members: Vec<Member>,
    messages: VecDeque<Sending>,
}

/// Time passes in steps of this length at most.
const STEP: Duration = Duration::from_millis(20);
/// Within this time a group whose nodes run must agree.
const PATIENCE: Duration = Duration::from_secs(60);

impl Group {
    /// A group whose nodes keep everything on these disks, in the order of their numbers; none of them runs.
    pub(crate) fn new(disks: [MemoryVfs; NODES]) -> Self {
        let list = members(NODES as u16, QuorumPolicy::SimpleMajority, &[]);
        let numbers = (1..).map(NodeId::new);
        let members = numbers.zip(disks).map(|(id, disk)| Member::new(id, disk)).collect();
        Self { list, now: Time::ZERO, members, messages: VecDeque::new() }
    }

    /// Starts all nodes, and links those that run.
    pub(crate) fn start(&mut self) {
        for member in &mut self.members {
            member.start(self.now, &self.list);
        }
        let running: Vec<NodeId> =
            self.members.iter().filter(|member| member.node().is_some()).map(|member| member.id).collect();
        for from in &running {
            for to in running.iter().filter(|to| *to != from) {
                for service in Service::ALL {
                    self.handle(*from, Input::PeerUp { node: *to, service });
                }
            }
        }
    }

    /// Lets all nodes do what there is to do ahead of need, and ends them in order.
    pub(crate) fn stop(&mut self) {
        for member in &mut self.members {
            if let Some(storage) = member.storage() {
                while storage.log.prepare().is_ok_and(|more| more) {}
            }
            member.stop();
        }
        self.messages.clear();
    }

    /// Runs until all nodes agree. False if they do not in time, or one stops.
    pub(crate) fn settle(&mut self) -> bool {
        let limit = self.now + PATIENCE;
        while self.now < limit {
            self.pass();
            if self.members.iter().any(|member| member.stopped.is_some()) {
                return false;
            }
            if self.agrees() {
                return true;
            }
        }
        false
    }

    /// Lets a step of time pass, and delivers all messages.
    fn pass(&mut self) {
        self.now += STEP;
        for number in 0..self.members.len() {
            let due = self.members[number].node().and_then(|node| node.deadline());
            if due.is_some_and(|due| due <= self.now) {
                self.handle(self.members[number].id, Input::Tick);
            }
        }
        while let Some(Sending { from, to, message }) = self.messages.pop_front() {
            let sender = self.members.iter().find(|member| member.id == from);
            let Some(uuid) = sender.and_then(Member::node).map(Node::identity) else { continue };
            self.handle(to, Input::Receive { from, uuid, message });
        }
    }

    fn handle(&mut self, node: NodeId, input: Input) {
        let mut sends = Vec::new();
        if let Some(member) = self.members.iter_mut().find(|member| member.id == node) {
            member.handle(self.now, input, &mut sends);
        }
        self.messages.extend(sends);
    }

    /// One master, and all logs and engines equally long, durable and whole.
    fn agrees(&self) -> bool {
        let progress: Vec<_> =
            self.members.iter().filter_map(|member| Some(member.node()?.progress())).collect();
        let Some(end) = progress.first().map(|first| first.watermarks.written) else { return false };
        let masters = progress.iter().filter(|progress| progress.state == NodeState::Master).count();
        let agree = progress.iter().all(|progress| {
            let marks = progress.watermarks;
            [marks.durable, marks.committed, marks.applied, marks.engine_durable, marks.written] == [end; 5]
                && !progress.recovering
                && !progress.damaged
        });
        masters == 1 && agree && progress.len() == self.members.len()
    }

    /// Has a row written and waits until all nodes hold it. False if that cannot be.
    pub(crate) fn write(&mut self, row: &Row) -> bool {
        let proposal = Proposal { payload: row.payload().into(), durability: CommitDurability::default() };
        let now = self.now;
        let proposed =
            self.members.iter_mut().filter_map(Member::node_mut).any(|node| {
                node.propose(now, now.as_nanos() / 1_000, std::slice::from_ref(&proposal)).is_ok()
            });
        for number in 0..self.members.len() {
            self.handle(self.members[number].id, Input::Tick);
        }
        proposed && self.settle()
    }

    /// The storage of a node that runs.
    pub(crate) fn storage(&mut self, number: usize) -> Option<&mut Storage> {
        self.members[number].storage()
    }
}

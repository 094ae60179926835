//! A whole group of nodes in memory. An operation is one batch of entries: proposed on the master, appended and
//! acknowledged by the replicas, committed, and applied by all.

use crate::codec::PAYLOAD_BYTES;
use crate::host::{Host, Wires};
use crate::workload::Workload;
use bytes::Bytes;
use quorate_core::{Member, MemberList, NodeId, NodeState, NodeType, QuorumPolicy, Service, Time, Vlsn};
use quorate_policy::CommitDurability;
use quorate_replica::{Envelope, Input, Proposal};
use std::time::Duration;

const BATCHES: usize = 16;
/// As batches follow each other under load.
const BATCH_INTERVAL: Duration = Duration::from_micros(200);
/// Within this time a group is founded and everything is done.
const PATIENCE: Time = Time::from_nanos(60_000_000_000);

/// The members of a group in which a majority decides.
pub(crate) fn members(count: u16) -> MemberList {
    let member = |number: u16| Member {
        id: NodeId::new(number),
        name: format!("node{number}"),
        address: format!("node{number}:7000"),
        node_type: NodeType::Electable,
        priority: 1,
    };
    let members = (1..=count).map(member).collect();
    MemberList::found(members, QuorumPolicy::SimpleMajority).expect("the members differ")
}

/// Nodes whose messages are carried by hand, each at once and none lost.
pub(crate) struct Group {
    /// By id, from 1 on.
    hosts: Vec<Host>,
    master: usize,
    wires: Wires,
    now: Time,
    proposals: Vec<Proposal>,
}

impl Group {
    /// A group of `count` nodes that has elected its master, and is given so many entries at a time.
    pub(crate) fn founded(count: u16, batch_entries: usize) -> Self {
        let payload = Bytes::from(vec![7; PAYLOAD_BYTES]);
        let proposal = Proposal { payload, durability: CommitDurability::default() };
        let hosts = (1..=count).map(|number| Host::new(NodeId::new(number), members(count)));
        let mut group = Self {
            hosts: hosts.collect(),
            master: 0,
            wires: Wires::new(),
            now: Time::ZERO,
            proposals: vec![proposal; batch_entries],
        };
        group.connect();
        group.deliver();
        group.elect();
        group
    }

    fn connect(&mut self) {
        let ids: Vec<NodeId> = (1..=self.hosts.len() as u16).map(NodeId::new).collect();
        for (host, id) in self.hosts.iter_mut().zip(&ids) {
            for node in ids.iter().copied().filter(|node| node != id) {
                for service in Service::ALL {
                    host.handle(self.now, Input::PeerUp { node, service }, &mut self.wires);
                }
            }
        }
    }

    fn elect(&mut self) {
        loop {
            let master = self.hosts.iter().position(serves);
            if let Some(master) = master.filter(|_| self.applied_by_all().is_some()) {
                self.master = master;
                return;
            }
            self.pass_time();
        }
    }

    /// Lets time pass to the next deadline, and carries all messages that follow.
    fn pass_time(&mut self) {
        assert!(self.now < PATIENCE, "a whole group is done by then");
        let next = self.hosts.iter().filter_map(|host| host.node.deadline()).min();
        self.now = self.now.max(next.expect("a node never waits for ever"));
        for host in &mut self.hosts {
            host.handle(self.now, Input::Tick, &mut self.wires);
        }
        self.deliver();
    }

    fn deliver(&mut self) {
        while let Some((from, to, packet)) = self.wires.pop_front() {
            let Envelope { uuid, message } = Envelope::decode(packet).expect("nodes understand each other");
            let input = Input::Receive { from, uuid, message };
            self.hosts[usize::from(to.as_u16()) - 1].handle(self.now, input, &mut self.wires);
        }
    }

    /// Up to where all nodes have applied, if that is the same.
    fn applied_by_all(&self) -> Option<Vlsn> {
        let mut applied = self.hosts.iter().map(|host| host.node.progress().watermarks.applied);
        let first = applied.next()?;
        first.filter(|_| applied.all(|other| other == first))
    }
}

fn serves(host: &Host) -> bool {
    host.node.progress().state == NodeState::Master
}

impl Workload for Group {
    fn run(&mut self) -> u64 {
        let before = self.applied_by_all().expect("all hold the same between two runs");
        for _ in 0..BATCHES {
            self.now += BATCH_INTERVAL;
            self.hosts[self.master].propose(self.now, &self.proposals, &mut self.wires);
            self.deliver();
        }
        let last = before.advance((BATCHES * self.proposals.len()) as u64);
        while self.applied_by_all() != Some(last) {
            self.pass_time();
        }
        BATCHES as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
    use std::alloc::System;

    #[global_allocator]
    static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

    /// What one batch of so many entries takes, once what is kept for use again is there. Other tests of this process
    /// allocate too: the least of several counts is that of the group.
    fn allocations(batch_entries: usize) -> usize {
        let mut group = Group::founded(3, batch_entries);
        (0..4).for_each(|_| _ = group.run());
        let counts = (0..16).map(|_| {
            let region = Region::new(ALLOCATOR);
            group.run();
            region.change().allocations / BATCHES
        });
        counts.min().unwrap_or_default()
    }

    /// Buffers are taken in pieces of some length, so a long batch may need a piece more.
    #[test]
    fn more_entries_in_a_batch_cost_three_nodes_no_more_allocations_but_for_a_few_buffers() {
        let (one, few, many) = (allocations(1), allocations(64), allocations(1024));
        assert!(few <= one + 4 && many <= few + 32, "1: {one}, 64: {few}, 1024: {many} allocations");
    }
}

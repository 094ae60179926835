//! A simulated group in which nothing goes wrong of itself: for tests that say what does.

use crate::checker::{Ending, Violation};
use crate::operation::{OperationId, Write};
use crate::profile::Profile;
use crate::trace::Trace;
use crate::world::{Event, World};
use crate::{BrokenRule, FaultKind, OutcomeCounts};
use quorate_core::{NodeId, NodeState, Random};
use quorate_policy::CommitDurability;
use std::time::Duration;

/// A group under clients, driven by hand. Nodes are numbered from 1. Every step is checked as in a seeded
/// history.
pub struct Rehearsal {
    world: World,
}

/// How long the values are that [`write`](Rehearsal::write) writes, in bytes.
const WRITE_BYTES: usize = 100;

impl Rehearsal {
    /// A group of `nodes` nodes that are about to start, with clients whose writes all ask for synced copies
    /// on a majority or more.
    ///
    /// # Errors
    /// [`Violation`], as every step may return it.
    pub fn begin(seed: u64, nodes: u16) -> Result<Self, Violation> {
        Ok(Self::breaking(seed, nodes, None))
    }

    /// As [`begin`](Self::begin), with a rule broken if there is one.
    pub(crate) fn breaking(seed: u64, nodes: u16, broken: Option<BrokenRule>) -> Self {
        Self::of(seed, Profile { broken, ..Profile::calm(nodes) })
    }

    /// As [`begin`](Self::begin), with clients whose writes mostly ask for less: for copies that need not be
    /// synced. A rule is broken if there is one.
    ///
    /// # Errors
    /// [`Violation`], as every step may return it.
    pub fn begin_relaxed(seed: u64, nodes: u16, broken: Option<BrokenRule>) -> Result<Self, Violation> {
        Ok(Self::of(seed, Profile { broken, relaxed: 1_000, ..Profile::calm(nodes) }))
    }

    /// As [`begin`](Self::begin), with engines that keep their rows in redb files.
    ///
    /// # Errors
    /// [`Violation`], as every step may return it.
    pub fn begin_on_redb(seed: u64, nodes: u16) -> Result<Self, Violation> {
        Ok(Self::of(seed, Profile { engine_on_redb: true, ..Profile::calm(nodes) }))
    }

    fn of(seed: u64, profile: Profile) -> Self {
        let mut world = World::new(seed, profile, Trace::hashed());
        world.begin();
        Self { world }
    }

    /// Has a node write so many entries, all at one moment.
    ///
    /// # Errors
    /// [`Violation`] if a rule was seen broken.
    pub(crate) fn write(&mut self, node: u16, writes: u64) -> Result<(), Violation> {
        for number in 0..writes {
            let (key, value) = (number.to_le_bytes().into(), Some(vec![0; WRITE_BYTES]));
            let id = OperationId(u64::MAX - number);
            let write = Write::plain(id, key, value, CommitDurability::default());
            self.world.act(NodeId::new(node), |process, now, checker, effects| {
                process.write(now, now.as_micros(), &[write], checker, effects)
            })?;
        }
        Ok(())
    }

    /// How many bytes of its log a running node keeps in memory.
    pub(crate) fn kept_bytes(&self, node: u16) -> usize {
        let process = self.world.hosts[&NodeId::new(node)].machine.process.as_ref();
        process.map_or(0, |process| process.node().tail_bytes())
    }

    /// Lets time pass.
    ///
    /// # Errors
    /// [`Violation`] if a rule was seen broken.
    pub fn run(&mut self, span: Duration) -> Result<(), Violation> {
        let limit = self.world.now + span;
        self.world.run_until(limit)
    }

    /// Ends a node's process. It stays down until it is [started](Self::start).
    pub fn kill(&mut self, node: u16) {
        self.world.end_process(NodeId::new(node), Ending::Process);
    }

    /// Takes the power from machines, all in one moment.
    pub fn lose_power(&mut self, nodes: &[u16]) {
        for node in nodes {
            self.world.end_process(NodeId::new(*node), Ending::Power);
        }
    }

    /// Has a node that is down lose a bit of its engine, where the others can do without the node. False if
    /// they cannot.
    pub fn damage_engine(&mut self, node: u16) -> bool {
        let mut details = Random::new(self.world.random.next_u64());
        self.world.damage_engine(NodeId::new(node), &mut details).is_some()
    }

    /// Has a block of the log of a node that is down stand where another should, where the others can do without
    /// the node. False if they cannot.
    pub fn damage_log(&mut self, node: u16) -> bool {
        let mut details = Random::new(self.world.random.next_u64());
        let kind = FaultKind::MisplacedWrite;
        self.world.damage_any_segment(NodeId::new(node), kind, &mut details).is_some()
    }

    /// How often a log could not be cut before the entry to cut behind was healed.
    #[must_use]
    pub const fn cuts_put_off(&self) -> u64 {
        self.world.checker.cuts_put_off
    }

    /// How many engines were refused as damaged when they were opened.
    #[must_use]
    pub const fn engines_refused(&self) -> u64 {
        self.world.engines_refused
    }

    /// How many nodes had to stop for good.
    #[must_use]
    pub const fn retired(&self) -> u64 {
        self.world.retired
    }

    /// Starts a node that is down.
    pub fn start(&mut self, node: u16) {
        self.world.queue.push(self.world.now, Event::Start { node: NodeId::new(node) });
    }

    /// Lets nobody hear anybody of another group; nodes that are not named hear nobody.
    pub fn part(&mut self, groups: &[&[u16]]) {
        let group_of = |node: NodeId| groups.iter().position(|group| group.contains(&node.as_u16()));
        let nodes: Vec<NodeId> = self.world.hosts.keys().copied().collect();
        for from in &nodes {
            for to in nodes.iter().filter(|to| group_of(*from).is_none() || group_of(*from) != group_of(**to))
            {
                self.world.network.silence(*from, *to);
            }
        }
    }

    /// Lets everybody hear everybody.
    pub fn heal(&mut self) {
        self.world.network.heal();
    }

    /// The nodes that say of themselves that they are the master.
    #[must_use]
    pub fn masters(&self) -> Vec<u16> {
        let is_master = |node: &NodeId| self.state(*node) == Some(NodeState::Master);
        self.world.hosts.keys().filter(|node| is_master(node)).map(|node| node.as_u16()).collect()
    }

    fn state(&self, node: NodeId) -> Option<NodeState> {
        let process = self.world.hosts[&node].machine.process.as_ref()?;
        Some(process.node().progress().state)
    }

    /// The highest round that any running node has promised.
    #[must_use]
    pub fn round(&self) -> u64 {
        let running = self.world.hosts.values().filter_map(|host| host.machine.process.as_ref());
        running.map(|process| process.node().hard_state().promised.round()).max().unwrap_or(0)
    }

    /// What clients were told so far.
    #[must_use]
    pub const fn outcomes(&self) -> &OutcomeCounts {
        &self.world.outcomes
    }

    /// Ends all that is wrong, starts what is down, and waits until all nodes agree and hold every
    /// acknowledged write; then judges what clients saw.
    ///
    /// # Errors
    /// [`Violation`] if they do not within a bounded time, or a rule was seen broken on the way.
    pub fn converge(mut self) -> Result<(), Violation> {
        self.world.make_peace();
        self.world.converge()?;
        self.world.records.judge().map(drop)
    }
}

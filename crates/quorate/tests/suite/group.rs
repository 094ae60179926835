//! A group of nodes within this process, each with a directory of its own.

use quorate::{
    BytesDatabase, EngineKind, InMemoryNetwork, NodeId, NodeState, RepConfig, RepConfigBuilder,
    ReplicatedEnvironment,
};
use std::time::Duration;
use tempfile::TempDir;

/// Longer than anything here takes on any machine.
pub(crate) const LONG: Duration = Duration::from_secs(60);

pub(crate) struct Group {
    directory: TempDir,
    names: Vec<String>,
    network: InMemoryNetwork,
    nodes: Vec<Option<ReplicatedEnvironment>>,
    adjust: fn(RepConfigBuilder) -> RepConfigBuilder,
}

impl Group {
    /// Nodes named `node1` and so on, all started.
    pub(crate) fn start(count: usize) -> Self {
        Self::start_with(count, |config| config)
    }

    /// The same, with something set otherwise on every node.
    pub(crate) fn start_with(count: usize, adjust: fn(RepConfigBuilder) -> RepConfigBuilder) -> Self {
        let mut group = Self {
            directory: TempDir::new().unwrap(),
            names: (1..=count).map(|number| format!("node{number}")).collect(),
            network: InMemoryNetwork::new().unwrap(),
            nodes: (0..count).map(|_| None).collect(),
            adjust,
        };
        for index in 0..count {
            group.open(index);
        }
        group
    }

    fn config(&self, index: usize) -> RepConfigBuilder {
        let base = RepConfig::builder("group", &self.names[index], "localhost")
            .data_dir(self.directory.path().join(&self.names[index]))
            .engine(EngineKind::Memory)
            .segment_bytes(1 << 20);
        let members = self.names.iter().zip(14_001..);
        members.fold(base, |config, (name, port)| config.member(name, format!("{name}:{port}")))
    }

    pub(crate) fn open(&mut self, index: usize) {
        let config = (self.adjust)(self.config(index)).build();
        let node = ReplicatedEnvironment::in_network(config, &self.network).unwrap();
        self.nodes[index] = Some(node);
    }

    pub(crate) fn node(&self, index: usize) -> &ReplicatedEnvironment {
        self.nodes[index].as_ref().expect("the node runs")
    }

    pub(crate) fn running(&self) -> impl Iterator<Item = &ReplicatedEnvironment> {
        self.nodes.iter().flatten()
    }

    /// Takes a node out of the group's hands.
    pub(crate) fn take(&mut self, index: usize) -> ReplicatedEnvironment {
        self.nodes[index].take().expect("the node runs")
    }

    /// Takes a node down in order.
    pub(crate) fn stop(&mut self, index: usize) {
        self.take(index).close().unwrap();
    }

    /// Cuts a node off as if its process had died, and only then ends it.
    pub(crate) fn kill(&mut self, index: usize) {
        self.network.kill(id(index));
        self.take(index).close().unwrap();
    }

    pub(crate) fn partition(&self, a: usize, b: usize) {
        self.network.partition(id(a), id(b));
    }

    pub(crate) fn heal(&self) {
        self.network.heal();
    }

    /// The index of a node that leads, once one does.
    pub(crate) fn master(&self) -> usize {
        loop {
            for (index, node) in self.nodes.iter().enumerate() {
                let Some(node) = node else { continue };
                let Ok(master) = node.wait_for_master(LONG) else { continue };
                if master.node == self.names[index] && node.state() == NodeState::Master {
                    return index;
                }
            }
            std::thread::yield_now();
        }
    }
}

/// Nodes are numbered by their names' order.
fn id(index: usize) -> NodeId {
    NodeId::new(u16::try_from(index + 1).unwrap())
}

pub(crate) fn default_database(node: &ReplicatedEnvironment) -> BytesDatabase {
    node.bytes("default").unwrap()
}

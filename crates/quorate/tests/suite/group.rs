//! A group of nodes within this process, each with a directory of its own.

use quorate::{
    Database, EngineKind, InMemoryGroup, NodeState, RepConfig, RepConfigBuilder, ReplicatedEnvironment,
};
use std::time::Duration;
use tempfile::TempDir;

/// Longer than anything here takes on any machine.
pub(crate) const LONG: Duration = Duration::from_secs(60);

pub(crate) struct Group {
    directory: TempDir,
    names: Vec<String>,
    network: InMemoryGroup,
    nodes: Vec<Option<ReplicatedEnvironment>>,
}

impl Group {
    /// Nodes named `node1` and so on, all started.
    pub(crate) fn start(count: usize) -> Self {
        let mut group = Self {
            directory: TempDir::new().unwrap(),
            names: (1..=count).map(|number| format!("node{number}")).collect(),
            network: InMemoryGroup::new().unwrap(),
            nodes: (0..count).map(|_| None).collect(),
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
            .segment_bytes(1 << 20)
            .heartbeat_interval(Duration::from_millis(20))
            .election_timeout(Duration::from_millis(200));
        let members = self.names.iter().zip(14_001..);
        members.fold(base, |config, (name, port)| config.member(name, format!("{name}:{port}")))
    }

    pub(crate) fn open(&mut self, index: usize) {
        let node = ReplicatedEnvironment::in_group(self.config(index).build(), &self.network).unwrap();
        self.nodes[index] = Some(node);
    }

    pub(crate) fn node(&self, index: usize) -> &ReplicatedEnvironment {
        self.nodes[index].as_ref().expect("the node runs")
    }

    pub(crate) fn running(&self) -> impl Iterator<Item = &ReplicatedEnvironment> {
        self.nodes.iter().flatten()
    }

    /// Takes a node down in order.
    pub(crate) fn stop(&mut self, index: usize) {
        self.nodes[index].take().expect("the node runs").close().unwrap();
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

/// Makes a database on the master, whoever that is by then.
pub(crate) fn default_database(node: &ReplicatedEnvironment) -> Database {
    node.database("default").unwrap()
}

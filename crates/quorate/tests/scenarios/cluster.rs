//! A group of real nodes within this process: each with a directory of its own, all on one network that can
//! be cut.

use crate::log_image::LogImage;
use crate::watchdog::Watchdog;
use quorate::{
    BytesDatabase, CommitToken, ConsistencyPolicy, EngineKind, GroupStatus, InMemoryNetwork, NodeId,
    NodeState, NodeType, RepConfig, RepConfigBuilder, ReplicaStatus, ReplicatedEnvironment, Vlsn,
};
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;
use tempfile::TempDir;

/// Longer than anything here takes on any machine.
pub(crate) const LONG: Duration = Duration::from_secs(60);
/// A multiple of what any scenario takes as a whole.
const PATIENCE: Duration = Duration::from_secs(170);
/// Between two looks at a condition.
const GLANCE: Duration = Duration::from_millis(1);

/// What a scenario changes in the configuration of every node.
pub(crate) type Settings = fn(RepConfigBuilder) -> RepConfigBuilder;

pub(crate) struct Cluster {
    directory: TempDir,
    names: Vec<String>,
    settings: Settings,
    nodes: Vec<Option<ReplicatedEnvironment>>,
    network: InMemoryNetwork,
    _watchdog: Watchdog,
}

/// Nobody suspects a master that is merely slow: for scenarios in which the master stays, or dies visibly.
pub(crate) fn patient(config: RepConfigBuilder) -> RepConfigBuilder {
    config
        .heartbeat_interval(Duration::from_millis(50))
        .phi_threshold(2000.0)
        .election_timeout(Duration::from_secs(5))
        .ack_timeout(LONG)
}

/// A master that falls silent is replaced within seconds, one that merely stumbles is not.
pub(crate) fn nimble(config: RepConfigBuilder) -> RepConfigBuilder {
    config
        .heartbeat_interval(Duration::from_millis(100))
        .phi_threshold(100.0)
        .election_timeout(Duration::from_secs(2))
        .ack_timeout(LONG)
}

impl Cluster {
    /// `count` nodes that are declared, none of them started.
    pub(crate) fn declared(count: usize, settings: Settings) -> Self {
        Self {
            directory: TempDir::new().unwrap(),
            names: (1..=count).map(|number| format!("node{number}")).collect(),
            settings,
            nodes: (0..count).map(|_| None).collect(),
            network: InMemoryNetwork::new().unwrap(),
            _watchdog: Watchdog::start(PATIENCE),
        }
    }

    /// `count` nodes, all started; they have a master that feeds all of them.
    pub(crate) fn running(count: usize, settings: Settings) -> Self {
        let mut cluster = Self::declared(count, settings);
        (0..count).for_each(|index| cluster.start(index));
        cluster.await_all_fed();
        cluster
    }

    pub(crate) fn count(&self) -> usize {
        self.names.len()
    }

    pub(crate) fn name(&self, index: usize) -> &str {
        &self.names[index]
    }

    pub(crate) fn address(&self, index: usize) -> String {
        format!("{}:{}", self.names[index], 14_001 + index)
    }

    pub(crate) const fn network(&self) -> &InMemoryNetwork {
        &self.network
    }

    /// Starts a node that does not run.
    pub(crate) fn start(&mut self, index: usize) {
        let base = RepConfig::builder("group", &self.names[index], "localhost")
            .node_type(NodeType::Electable)
            .data_dir(self.path(index))
            .engine(EngineKind::Memory)
            .segment_bytes(SEGMENT_BYTES);
        let config = (0..self.count()).fold((self.settings)(base), |config, other| {
            config.member(&self.names[other], self.address(other))
        });
        let node = ReplicatedEnvironment::in_network(config.build(), &self.network).unwrap();
        assert!(self.nodes[index].replace(node).is_none(), "it did not run");
    }

    /// Ends a node in order.
    pub(crate) fn stop(&mut self, index: usize) {
        self.take(index).close().unwrap();
    }

    /// Ends a node's part in the group at once; its process lives on, knowing nothing of it.
    pub(crate) fn kill(&self, index: usize) {
        self.network.kill(node_id(index));
    }

    /// Takes a node out of the cluster's hands.
    pub(crate) fn take(&mut self, index: usize) -> ReplicatedEnvironment {
        self.nodes[index].take().expect("the node runs")
    }

    /// Ends all nodes in order, the master last, so that nobody takes its place.
    pub(crate) fn stop_all(&mut self) {
        let (master, replicas) = self.roles();
        replicas.into_iter().for_each(|index| self.stop(index));
        self.stop(master);
    }

    /// Cuts a node off from all the others.
    pub(crate) fn isolate(&self, index: usize) {
        (0..self.count())
            .filter(|other| *other != index)
            .for_each(|other| self.network.partition(node_id(index), node_id(other)));
    }

    pub(crate) fn heal(&self) {
        self.network.heal();
    }

    pub(crate) fn node(&self, index: usize) -> &ReplicatedEnvironment {
        self.nodes[index].as_ref().expect("the node runs")
    }

    /// The nodes that run, and their places.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = (usize, &ReplicatedEnvironment)> {
        self.nodes.iter().enumerate().filter_map(|(index, node)| Some((index, node.as_ref()?)))
    }

    pub(crate) fn status(&self, index: usize) -> GroupStatus {
        self.node(index).status().expect("the node answers")
    }

    /// The database that is always there.
    pub(crate) fn database(&self, index: usize) -> BytesDatabase {
        self.node(index).bytes("default").unwrap()
    }

    /// The place of the node that leads and that all the others named here follow, once there is one.
    pub(crate) fn master_of(&self, members: &[usize]) -> usize {
        let mut found = None;
        eventually("one of the nodes leads the others", || {
            let named = self.status(members[0]).master;
            let agreed = named.filter(|named| {
                members[1..].iter().all(|index| self.status(*index).master.as_ref() == Some(named))
            });
            found = agreed
                .and_then(|named| members.iter().copied().find(|index| named.node == self.names[*index]));
            found.is_some_and(|index| self.node(index).state() == NodeState::Master)
        });
        found.expect("just found")
    }

    /// The place of the node that leads all that run.
    pub(crate) fn master(&self) -> usize {
        self.master_of(&self.nodes().map(|(index, _)| index).collect::<Vec<_>>())
    }

    /// The master's place and those of all its running replicas.
    pub(crate) fn roles(&self) -> (usize, Vec<usize>) {
        let master = self.master();
        (master, self.nodes().map(|(index, _)| index).filter(|index| *index != master).collect())
    }

    /// What the master knows of a replica.
    pub(crate) fn replica_status(&self, master: usize, replica: usize) -> ReplicaStatus {
        let status = self.status(master);
        let member = status.members.iter().find(|member| member.member.name == self.names[replica]);
        member.and_then(|member| member.replica).expect("the master knows its replicas")
    }

    /// Waits until the master feeds exactly so many replicas.
    pub(crate) fn await_fed(&self, master: usize, count: usize) {
        eventually("the master feeds the replicas that it should", || {
            let members = self.status(master).members;
            members.iter().filter(|member| member.replica.is_some_and(|replica| replica.is_connected)).count()
                == count
        });
    }

    fn await_all_fed(&self) {
        self.await_fed(self.master(), self.count() - 1);
    }

    /// Waits until a node has applied a commit.
    pub(crate) fn await_applied(&self, index: usize, token: CommitToken) {
        self.node(index).read(seeing(token)).wait().unwrap();
    }

    /// The last position in a node's log.
    pub(crate) fn written(&self, index: usize) -> Option<Vlsn> {
        self.status(index).watermarks.written
    }

    /// A copy of the directory of a node that does not run.
    pub(crate) fn image(&self, index: usize) -> TempDir {
        let image = TempDir::new().unwrap();
        copy(&self.path(index), image.path());
        image
    }

    /// Puts an image in the place of a directory of a node that does not run.
    pub(crate) fn put_back(&self, index: usize, image: &TempDir) {
        assert!(self.nodes[index].is_none(), "a directory has one owner at a time");
        fs::remove_dir_all(self.path(index)).unwrap();
        fs::create_dir(self.path(index)).unwrap();
        copy(image.path(), &self.path(index));
    }

    fn path(&self, index: usize) -> PathBuf {
        self.directory.path().join(&self.names[index])
    }

    /// The directory of a node's log.
    pub(crate) fn log_directory(&self, index: usize) -> PathBuf {
        self.path(index).join("log")
    }

    /// The log of a node that does not run.
    pub(crate) fn log(&self, index: usize) -> LogImage {
        assert!(self.nodes[index].is_none(), "a log has one owner at a time");
        LogImage::read(&self.log_directory(index))
    }

    /// Waits until the logs of all nodes are equally long, ends the nodes and compares the logs frame by
    /// frame. Returns the one log that all of them have.
    pub(crate) fn stop_and_compare_logs(&mut self) -> LogImage {
        let master = self.master();
        let (written, others) = (self.written(master), 0..self.count());
        others.for_each(|index| eventually("a log is complete", || self.written(index) == written));
        self.stop_all();
        let first = self.log(0);
        for index in 1..self.count() {
            self.log(index).assert_same(&first, &self.names[index]);
        }
        first
    }
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir(&target).unwrap();
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Length of a file of the log, in bytes.
pub(crate) const SEGMENT_BYTES: u32 = 1 << 20;

/// The number of the node at a place.
pub(crate) fn node_id(index: usize) -> NodeId {
    NodeId::new(index as u16 + 1)
}

/// A read that sees a commit.
pub(crate) const fn seeing(token: CommitToken) -> ConsistencyPolicy {
    ConsistencyPolicy::CommitPointConsistency { token, timeout: LONG }
}

/// Waits for something that will come about by itself.
pub(crate) fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let looks = LONG.as_millis() / GLANCE.as_millis();
    assert!(
        (0..looks).any(|_| holds() || {
            thread::park_timeout(GLANCE);
            false
        }),
        "in vain: {what}"
    );
}

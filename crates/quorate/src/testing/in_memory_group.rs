use super::{InMemoryGroupBuilder, InMemoryGroupError, TestNode};
use crate::{
    ConsistencyPolicy, EngineKind, InMemoryNetwork, NodeId, NodeState, RepConfig, RepConfigBuilder,
    ReplicatedEnvironment,
};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long a test waits for a master: far longer than an election takes on any machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long one node is looked at before the next one has its turn.
const GLANCE: Duration = Duration::from_millis(50);
/// How long a majority may take to confirm a master.
const CONFIRMATION: Duration = Duration::from_millis(500);

/// A group of nodes in this process, with faults on demand: see the [module](super).
///
/// The nodes are called `node1`, `node2` and so on. Each has its log and its engine in a temporary directory
/// of its own, which outlives the node's death and goes with the group. All methods can be called from any
/// thread, so that a test can write from one and kill from another.
pub struct InMemoryGroup {
    names: Vec<String>,
    setting: Setting,
    /// By the order of the names; `None` for a node that does not run. Dropped first: the nodes need the
    /// rest.
    nodes: Mutex<Vec<Option<TestNode>>>,
    network: InMemoryNetwork,
    directory: TempDir,
}

/// What is the same for every node.
pub(crate) struct Setting {
    pub(crate) engine: EngineKind,
    pub(crate) adjust: Box<dyn Fn(RepConfigBuilder) -> RepConfigBuilder + Send + Sync>,
}

impl InMemoryGroup {
    /// Starts a group of `count` nodes with the memory engine and default settings.
    ///
    /// A new group is founded when every node has heard every other: [wait for a
    /// master](Self::wait_for_master) before the first fault, or the group stays without one for as long as
    /// the fault lasts.
    ///
    /// # Errors
    /// [`InMemoryGroupError`]; nothing runs.
    pub fn start(count: usize) -> Result<Self, InMemoryGroupError> {
        Self::builder(count).start()
    }

    /// The same with another engine or other settings.
    pub fn builder(count: usize) -> InMemoryGroupBuilder {
        InMemoryGroupBuilder::new(count)
    }

    pub(crate) fn start_with(count: usize, setting: Setting) -> Result<Self, InMemoryGroupError> {
        if count == 0 {
            return Err(InMemoryGroupError::NoNodes);
        }
        let group = Self {
            names: (1..=count).map(|number| format!("node{number}")).collect(),
            setting,
            nodes: Mutex::new(vec![None; count]),
            network: InMemoryNetwork::new().map_err(InMemoryGroupError::Network)?,
            directory: TempDir::new().map_err(InMemoryGroupError::Directory)?,
        };
        for name in &group.names {
            group.restart(name)?;
        }
        Ok(group)
    }

    /// The names of all nodes, whether they run or not.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// The nodes that run.
    #[must_use]
    pub fn nodes(&self) -> Vec<TestNode> {
        self.lock().iter().flatten().cloned().collect()
    }

    /// The node of this name.
    ///
    /// # Errors
    /// [`InMemoryGroupError::UnknownNode`]; [`InMemoryGroupError::NotRunning`].
    pub fn node(&self, name: &str) -> Result<TestNode, InMemoryGroupError> {
        let node = self.lock()[self.index(name)?].clone();
        node.ok_or_else(|| InMemoryGroupError::NotRunning { name: name.into() })
    }

    /// A node that takes itself for the master at this moment, if there is one. A master that was just cut
    /// off does so a little longer: [`wait_for_master`](Self::wait_for_master) is not misled by it.
    #[must_use]
    pub fn master(&self) -> Option<TestNode> {
        self.nodes().into_iter().find(|node| node.state() == NodeState::Master)
    }

    /// Blocks until a node leads and a majority follows it, for a minute at most.
    ///
    /// # Errors
    /// [`InMemoryGroupError::NoMaster`].
    pub fn wait_for_master(&self) -> Result<TestNode, InMemoryGroupError> {
        let start = Instant::now();
        loop {
            let nodes = self.nodes();
            if let Some(master) = nodes.iter().find(|node| is_followed(node)) {
                return Ok(master.clone());
            }
            let waited = start.elapsed();
            if nodes.is_empty() || waited > PATIENCE {
                let (running, count) = (nodes.len(), self.names.len());
                return Err(InMemoryGroupError::NoMaster { waited, running, count });
            }
        }
    }
}

/// Faults, and their end.
impl InMemoryGroup {
    /// Ends a node as a crash of its process would: nothing is synced, flushed or said to anybody, and the
    /// others learn that nobody answers at its address. What its log holds is there when it is
    /// [restarted](Self::restart).
    ///
    /// # Errors
    /// [`InMemoryGroupError::UnknownNode`]; [`InMemoryGroupError::NotRunning`].
    pub fn kill(&self, name: &str) -> Result<(), InMemoryGroupError> {
        let node = self.take(name)?;
        self.network.kill(self.id(name)?);
        node.kill();
        Ok(())
    }

    /// Ends a node in order.
    ///
    /// # Errors
    /// [`InMemoryGroupError::UnknownNode`]; [`InMemoryGroupError::NotRunning`];
    /// [`InMemoryGroupError::Stop`].
    pub fn stop(&self, name: &str) -> Result<(), InMemoryGroupError> {
        let stopped = self.take(name)?.close();
        stopped.map_err(|error| InMemoryGroupError::Stop { name: name.into(), error })
    }

    /// Starts a node that was killed or stopped, in the directory that it left.
    ///
    /// # Errors
    /// [`InMemoryGroupError::UnknownNode`]; [`InMemoryGroupError::Running`]; [`InMemoryGroupError::Open`].
    pub fn restart(&self, name: &str) -> Result<TestNode, InMemoryGroupError> {
        let index = self.index(name)?;
        let mut nodes = self.lock();
        if nodes[index].is_some() {
            return Err(InMemoryGroupError::Running { name: name.into() });
        }
        let environment = ReplicatedEnvironment::in_network(self.config(name), &self.network)
            .map_err(|error| InMemoryGroupError::Open { name: name.into(), error })?;
        let node = TestNode::new(name, environment);
        nodes[index] = Some(node.clone());
        Ok(node)
    }

    /// Cuts every node of `some` off from every node of `others`, both ways, until the partition is
    /// [healed](Self::heal). Nobody is told: what is sent across is lost. Partitions add up.
    ///
    /// # Errors
    /// [`InMemoryGroupError::UnknownNode`]; nothing was cut.
    pub fn partition(&self, some: &[&str], others: &[&str]) -> Result<(), InMemoryGroupError> {
        let ids = |names: &[&str]| names.iter().map(|name| self.id(name)).collect::<Result<Vec<_>, _>>();
        let (some, others) = (ids(some)?, ids(others)?);
        for (a, b) in some.iter().flat_map(|a| others.iter().map(move |b| (*a, *b))) {
            self.network.partition(a, b);
        }
        Ok(())
    }

    /// Ends all partitions.
    pub fn heal(&self) {
        self.network.heal();
    }

    fn take(&self, name: &str) -> Result<TestNode, InMemoryGroupError> {
        let node = self.lock()[self.index(name)?].take();
        node.ok_or_else(|| InMemoryGroupError::NotRunning { name: name.into() })
    }

    fn config(&self, name: &str) -> RepConfig {
        let base = RepConfig::builder("group", name, name).segment_bytes(1 << 20);
        let adjusted = (self.setting.adjust)(base)
            .data_dir(self.directory.path().join(name))
            .engine(self.setting.engine);
        let members =
            self.names.iter().map(|name| (name, format!("{name}:{}", RepConfig::DEFAULT_NODE_PORT)));
        members.fold(adjusted, |config, (name, address)| config.member(name, address)).build()
    }

    /// Nodes are numbered from 1 by the order of their names, in which `node10` comes before `node2`.
    fn id(&self, name: &str) -> Result<NodeId, InMemoryGroupError> {
        self.index(name)?;
        let before = self.names().filter(|other| *other < name).count();
        Ok(NodeId::new(u16::try_from(before + 1).unwrap_or(u16::MAX)))
    }

    fn index(&self, name: &str) -> Result<usize, InMemoryGroupError> {
        let unknown = || InMemoryGroupError::UnknownNode { name: name.into() };
        self.names().position(|other| other == name).ok_or_else(unknown)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Option<TestNode>>> {
        self.nodes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the node leads, and a majority has just said so.
fn is_followed(node: &TestNode) -> bool {
    node.wait_for_state(NodeState::Master, GLANCE).is_ok()
        && node.read(ConsistencyPolicy::Linearizable { timeout: CONFIRMATION }).wait().is_ok()
        && node.state() == NodeState::Master
}

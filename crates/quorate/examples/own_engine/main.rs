//! Bringing an engine of one's own: three nodes in one process replicate a map kept in an append-only file.
//!
//! In earnest each node is a process of its own, opened by `ReplicatedEngine::new`; nothing else changes.

mod file_engine;

use file_engine::{FileEngine, Map};
use quorate::{ConsistencyPolicy, InMemoryNetwork, RepConfig, ReplicatedEngine};
use std::error::Error;
use std::io;
use std::sync::Arc;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);

fn main() -> Result<(), Box<dyn Error>> {
    let (directory, network) = (tempfile::tempdir()?, InMemoryNetwork::new()?);
    let mut nodes = Vec::new();
    for name in ["node1", "node2", "node3"] {
        let config = RepConfig::builder("my_group", name, "localhost")
            .member("node1", "localhost:14001")
            .member("node2", "localhost:14002")
            .member("node3", "localhost:14003")
            .data_dir(directory.path().join(name));
        let mut map = Map::default();
        let node = ReplicatedEngine::in_network(config.build(), &network, |path| {
            let engine = FileEngine::open(path)?;
            map = Arc::clone(engine.map());
            Ok::<_, io::Error>(engine)
        })?;
        nodes.push((name, node, map));
    }

    let master = nodes[0].1.wait_for_master(PATIENCE)?;
    let (_, leader, _) = nodes.iter().find(|(name, ..)| *name == master.node).ok_or("a master of ours")?;
    leader.wait_for_state(quorate::NodeState::Master, PATIENCE)?;
    let committed = leader.propose("apples=7\npears=3").wait()?;
    println!("the engine of {} has set {} keys", master.node, String::from_utf8_lossy(&committed.result));

    for (name, node, map) in &nodes {
        let policy = ConsistencyPolicy::CommitPointConsistency { token: committed.token, timeout: PATIENCE };
        node.barrier(policy).wait()?;
        println!("{name} has {:?}", map.lock().map_err(|_| "a reader has panicked")?);
    }
    nodes.iter().try_for_each(|(_, node, _)| Ok(node.close()?))
}

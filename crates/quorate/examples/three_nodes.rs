//! Three nodes in one process: a write at any of them, the master's end, and reads that see the write.
//!
//! In earnest each node is a process of its own, on a machine of its own, opened by
//! `ReplicatedEnvironment::new`; nothing else changes.

use quorate::{ConsistencyPolicy, EngineKind, InMemoryNetwork, RepConfig, ReplicatedEnvironment};
use std::error::Error;
use std::time::Duration;

const NAMES: [&str; 3] = ["node1", "node2", "node3"];
const PATIENCE: Duration = Duration::from_secs(60);

fn main() -> Result<(), Box<dyn Error>> {
    let (directory, network) = (tempfile::tempdir()?, InMemoryNetwork::new()?);
    let mut nodes = Vec::new();
    for name in NAMES {
        let config = RepConfig::builder("my_group", name, "localhost")
            .member("node1", "localhost:14001")
            .member("node2", "localhost:14002")
            .member("node3", "localhost:14003")
            .data_dir(directory.path().join(name))
            .engine(EngineKind::Memory)
            .build();
        nodes.push(ReplicatedEnvironment::in_network(config, &network)?);
    }

    let master = nodes[0].wait_for_master(PATIENCE)?;
    println!("the nodes have elected {}", master.node);
    let (masters, replicas): (Vec<_>, Vec<_>) =
        NAMES.into_iter().zip(nodes).partition(|(name, _)| *name == master.node);
    let (_, master) = &masters[0];
    let committed = master.bytes("orders")?.put(b"42", b"three apples").wait()?;
    println!("a majority holds the write {}", committed.token);

    master.close()?;
    println!("the master is gone");
    for (name, replica) in &replicas {
        let policy = ConsistencyPolicy::CommitPointConsistency { token: committed.token, timeout: PATIENCE };
        let orders = replica.bytes("orders")?;
        let value = orders.get(b"42", policy)?.ok_or("an acknowledged write is gone")?;
        println!("{name} reads {:?}", String::from_utf8_lossy(&value));
    }
    for (_, replica) in replicas {
        replica.close()?;
    }
    Ok(())
}

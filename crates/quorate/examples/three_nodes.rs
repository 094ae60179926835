//! One node of three: the example of the README.

use quorate::{ConsistencyPolicy, NodeState, RepConfig, ReplicatedEnvironment};
use std::time::Duration;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let name = std::env::args().nth(1).ok_or("which node: node1, node2 or node3?")?;
    let config = RepConfig::builder("my_group", name, "localhost")
        .member("node1", "localhost:14001")
        .member("node2", "localhost:14002")
        .member("node3", "localhost:14003")
        .build();
    let env = ReplicatedEnvironment::new(config)?;
    env.wait_for_master(Duration::from_secs(60))?;

    let orders = env.bytes("default")?;
    if env.state() == NodeState::Master {
        let committed = orders.put(b"42", b"three apples").wait()?; // fsynced on a majority, and applied here
        println!("committed as {}", committed.token);
    }
    let policy = ConsistencyPolicy::Linearizable { timeout: Duration::from_secs(60) };
    println!("{:?}", orders.get(b"42", Some(policy))?); // on any node: the newest value
    std::io::stdin().read_line(&mut String::new())?; // serve until Enter is pressed
    Ok(env.close()?)
}

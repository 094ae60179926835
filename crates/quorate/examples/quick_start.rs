//! One node, one database, one write. Run it twice: the second run finds the count of the first.

use quorate::{NodeType, RepConfig, ReplicatedEnvironment};
use std::error::Error;
use std::time::Duration;

fn main() -> Result<(), Box<dyn Error>> {
    let config = RepConfig::builder("my_group", "node1", "localhost")
        .node_port(14_001)
        .node_type(NodeType::Electable)
        .data_dir(std::env::temp_dir().join("quorate-quick-start"))
        .build();
    let rep_env = ReplicatedEnvironment::new(config)?;
    rep_env.wait_for_master(Duration::from_secs(10))?;

    let visits = rep_env.bytes("visits")?;
    let count = visits.get(b"count", None)?.map_or(0, |count| count.first().copied().unwrap_or(0));
    let committed = visits.put(b"count", &[count.wrapping_add(1)]).wait()?;
    println!("visit {} is committed as {}", count.wrapping_add(1), committed.token);
    Ok(rep_env.close()?)
}

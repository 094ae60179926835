//! The handle at a glance: typed databases, a transaction, a snapshot of a stated consistency.

use quorate::{ConsistencyPolicy, NodeState, RepConfig, RepTransportKind, ReplicatedEnvironment};
use serde::{Deserialize, Serialize};
use std::error::Error;
use std::time::Duration;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Order {
    item: String,
    count: u32,
}

fn main() -> Result<(), Box<dyn Error>> {
    let directory = tempfile::tempdir()?;
    let config = RepConfig::builder("my_group", "node1", "localhost")
        .transport(RepTransportKind::InMemory)
        .data_dir(directory.path())
        .build();
    let env = ReplicatedEnvironment::new(config)?; // its own threads; usable from any thread, blocking or async
    env.wait_for_state(NodeState::Master, Duration::from_secs(60))?;

    let orders = env.database::<u64, Order>("orders")?; // env.bytes("orders") for raw keys and values
    let order = Order { item: "apples".to_owned(), count: 3 };
    let committed = orders.put(&42, &order).wait()?; // or .await?
    println!("committed as {}", committed.token);

    env.transact(|tx| {
        if let Some(order) = tx.get(&orders, &42)? {
            tx.put(&orders, &43, &order)?;
        }
        Ok(())
    })?;

    let policy = ConsistencyPolicy::Linearizable { timeout: Duration::from_secs(10) };
    let snapshot = env.read(policy).wait()?; // the consistency policy is checked here, once
    for row in snapshot.scan(&orders, 1..99) {
        let (id, order) = row?;
        println!("order {id}: {} {}", order.count, order.item);
    }
    assert_eq!(snapshot.get(&orders, &43)?, Some(order));
    Ok(env.close()?)
}

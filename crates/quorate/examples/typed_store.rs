//! A typed store: rows of the application's own types, ranges, prefixes, and the newest rows first.

use quorate::{NodeState, RepConfig, RepTransportKind, ReplicatedEnvironment};
use serde::{Deserialize, Serialize};
use std::error::Error;
use std::time::Duration;

#[derive(Debug, Serialize, Deserialize)]
struct Order {
    item: String,
    count: u32,
    #[serde(default)] // rows from before this field was added have none
    note: Option<String>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let directory = std::env::temp_dir().join(format!("quorate-typed-store-{}", std::process::id()));
    let config = RepConfig::builder("my_group", "node1", "localhost")
        .transport(RepTransportKind::InMemory)
        .data_dir(&directory)
        .build();
    let env = ReplicatedEnvironment::new(config)?;
    env.wait_for_state(NodeState::Master, Duration::from_secs(10))?;

    // Numbered orders: the keys sort as numbers do.
    let orders = env.database::<u64, Order>("orders")?;
    for number in 1..=12 {
        let order = Order { item: "apples".into(), count: number, note: None };
        orders.put(&u64::from(number), &order).wait()?;
    }
    let snapshot = env.read(None).wait()?; // all rows from one moment
    for row in snapshot.scan(&orders, 3..6) {
        let (number, order) = row?;
        println!("order {number}: {} {}", order.count, order.item);
    }
    if let Some(newest) = snapshot.scan(&orders, ..).next_back().transpose()? {
        println!("the newest order is number {}", newest.0);
    }

    // Several parts to a key: all rows of one shop lie together.
    let stock = env.database::<(String, u32), u64>("stock")?;
    stock.put(&("ant", 7), &20).wait()?;
    stock.put(&("ant", 9), &30).wait()?;
    stock.put(&("bee", 1), &40).wait()?;
    for row in stock.scan_prefix(&("ant",), None)? {
        let ((shop, item), count) = row?;
        println!("{shop} has {count} of item {item}");
    }

    env.close()?;
    Ok(std::fs::remove_dir_all(directory)?)
}

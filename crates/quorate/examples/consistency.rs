//! What a read on a replica may ask for, from nothing to the newest state, and what each of them promises.

use quorate::testing::InMemoryGroup;
use quorate::{ConsistencyPolicy, ReadError};
use std::error::Error;
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(10);

fn main() -> Result<(), Box<dyn Error>> {
    let group = InMemoryGroup::start(3)?;
    let master = group.wait_for_master()?;
    let replica = group.nodes().into_iter().find(|node| node.name() != master.name()).ok_or("no replica")?;
    let orders = master.database::<u64, String>("orders")?;
    let token = orders.put(&42, &"three apples".to_owned()).wait()?.token;

    let policies = [
        ("whatever it has", ConsistencyPolicy::NoConsistencyRequired),
        ("my own write", ConsistencyPolicy::CommitPointConsistency { token, timeout: TIMEOUT }),
        (
            "at most a second old",
            ConsistencyPolicy::TimeConsistency { lag: Duration::from_secs(1), timeout: TIMEOUT },
        ),
        ("all that was acknowledged", ConsistencyPolicy::Linearizable { timeout: TIMEOUT }),
    ];
    for (wish, policy) in policies {
        let snapshot = replica.read(policy).wait()?; // or .await
        println!("{wish}: {:?}, as of {:?}", snapshot.get(&orders, &42)?, snapshot.position());
    }

    // A node that is cut off serves what it has, and says so when more is asked of it.
    let others: Vec<_> = group.names().filter(|name| *name != replica.name()).collect();
    group.partition(&[replica.name()], &others)?;
    let soon = ConsistencyPolicy::Linearizable { timeout: Duration::from_millis(100) };
    match replica.read(soon).wait() {
        Err(ReadError::TimedOut { .. }) => println!("cut off, it cannot know what is newest"),
        Err(error) => return Err(error.into()),
        Ok(_) => return Err("a node that is cut off has served the newest state".into()),
    }
    println!("but it still has: {:?}", replica.read(None).wait()?.get(&orders, &42)?);
    Ok(())
}

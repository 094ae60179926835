//! How an application tests itself against failures: three nodes in its own process, killed and cut off.

use quorate::ReplicatedEnvironment;
use quorate::testing::InMemoryGroup;
use std::error::Error;

/// The application: it counts visitors.
fn visit(env: &ReplicatedEnvironment) -> Result<u64, Box<dyn Error>> {
    let counters = env.database::<String, u64>("counters")?;
    let counted = env.transact(|tx| {
        let visitors = tx.get(&counters, "visitors")?.unwrap_or(0) + 1;
        tx.put(&counters, "visitors", &visitors)?;
        Ok(visitors)
    })?;
    Ok(counted.value)
}

fn main() -> Result<(), Box<dyn Error>> {
    let group = InMemoryGroup::start(3)?;
    let master = group.wait_for_master()?.name().to_owned();
    assert_eq!(visit(&*group.node("node1")?)?, 1);

    println!("{master} leads, and its process dies");
    group.kill(&master)?;
    let successor = group.wait_for_master()?.name().to_owned();
    assert_eq!(visit(&*group.node(&successor)?)?, 2);

    println!("{successor} leads; {master} comes back and is cut off from the others");
    group.restart(&master)?;
    let others: Vec<String> = group.names().filter(|name| *name != master).map(str::to_owned).collect();
    let others: Vec<&str> = others.iter().map(String::as_str).collect();
    group.partition(&[&master], &others)?;
    assert_eq!(visit(&*group.node(&successor)?)?, 3);

    group.heal();
    assert_eq!(visit(&*group.node(&master)?)?, 4, "it has caught up, and passes its writes on");
    println!("four visitors were counted, each once");
    Ok(())
}

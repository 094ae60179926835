//! Orders on three processes: one of them takes one, and every process has it.

use quorate::{ConsistencyPolicy, OpenError, RepConfig, ReplicatedEnvironment};
use serde::{Deserialize, Serialize};
use std::io::{Write, stdin};
use std::process::{Command, Stdio};
use std::{env, error::Error, fs, path::Path, time::Duration};

const PATIENCE: Duration = Duration::from_secs(60);
#[derive(Debug, Serialize, Deserialize)]
struct Order {
    item: String,
    count: u32,
}

fn main() -> Result<(), Box<dyn Error>> {
    match &env::args().skip(1).collect::<Vec<_>>()[..] {
        [name, directory] => read_order(name, Path::new(directory)),
        _ => take_order(&env::temp_dir().join(format!("shop-{}", std::process::id()))),
    }
}

fn open(name: &str, directory: &Path) -> Result<ReplicatedEnvironment, OpenError> {
    let config = RepConfig::builder("shop", name, "localhost")
        .member("node1", "localhost:14001")
        .member("node2", "localhost:14002")
        .member("node3", "localhost:14003");
    ReplicatedEnvironment::new(config.data_dir(directory.join(name)).build())
}

fn read_order(name: &str, directory: &Path) -> Result<(), Box<dyn Error>> {
    let (env, mut token) = (open(name, directory)?, String::new());
    stdin().read_line(&mut token)?;
    let seen = ConsistencyPolicy::CommitPointConsistency { token: token.trim().parse()?, timeout: PATIENCE };
    let orders = env.database::<u64, Order>("default")?;
    println!("{name} reads {:?}", orders.get(&42, seen)?);
    Ok(env.close()?)
}

fn take_order(directory: &Path) -> Result<(), Box<dyn Error>> {
    let (env, mut others) = (open("node1", directory)?, Vec::new());
    for name in ["node2", "node3"] {
        others.push(Command::new(env::current_exe()?).arg(name).arg(directory).stdin(Stdio::piped()).spawn()?);
    }
    env.wait_for_master(PATIENCE)?; // whichever node that is
    let orders = env.database::<u64, Order>("default")?;
    let written = orders.put(&42, &Order { item: "apples".into(), count: 3 }).wait()?;
    println!("node1 reads {:?}", orders.get(&42, None)?);
    for node in &mut others {
        writeln!(node.stdin.take().ok_or("no stdin")?, "{}", written.token)?;
    }
    for mut node in others {
        node.wait()?.success().then_some(()).ok_or("a node has failed")?;
    }
    env.close()?;
    Ok(fs::remove_dir_all(directory)?)
}

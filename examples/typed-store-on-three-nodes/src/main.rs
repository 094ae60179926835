//! Orders on three processes: the master takes one, and every process has it.

use quorate::{ConsistencyPolicy, NodeState, RepConfig, ReplicatedEnvironment};
use serde::{Deserialize, Serialize};
use std::io::{BufRead, BufReader, stdin};
use std::process::{Command, Stdio};
use std::{env, error::Error, fs, path::Path, thread, time::Duration};

const PATIENCE: Duration = Duration::from_secs(60);
#[derive(Debug, Serialize, Deserialize)]
struct Order {
    item: String,
    count: u32,
}

fn main() -> Result<(), Box<dyn Error>> {
    match &env::args().skip(1).collect::<Vec<_>>()[..] {
        [name, directory] => run_node(name, Path::new(directory)),
        _ => start_three(),
    }
}

fn run_node(name: &str, directory: &Path) -> Result<(), Box<dyn Error>> {
    let config = RepConfig::builder("shop", name, "localhost")
        .member("node1", "localhost:14001")
        .member("node2", "localhost:14002")
        .member("node3", "localhost:14003")
        .data_dir(directory.join(name));
    let env = ReplicatedEnvironment::new(config.build())?;
    let orders = env.database::<u64, Order>("default")?;
    if env.wait_for_master(PATIENCE)?.node == name {
        env.wait_for_state(NodeState::Master, PATIENCE)?;
        orders.put(&42, &Order { item: "apples".into(), count: 3 }).wait()?;
    }
    let newest = ConsistencyPolicy::Linearizable { timeout: PATIENCE };
    while orders.get(&42, newest)?.is_none() {
        thread::sleep(Duration::from_millis(10)); // the master has not taken it yet
    }
    println!("{name} reads {:?}", orders.get(&42, newest)?);
    stdin().read_line(&mut String::new())?; // serve until everybody has read it
    Ok(env.close()?)
}

fn start_three() -> Result<(), Box<dyn Error>> {
    let (directory, mut nodes) = (env::temp_dir().join(format!("shop-{}", std::process::id())), Vec::new());
    for name in ["node1", "node2", "node3"] {
        let mut command = Command::new(env::current_exe()?);
        command.arg(name).arg(&directory).stdin(Stdio::piped()).stdout(Stdio::piped());
        nodes.push(command.spawn()?);
    }
    for output in nodes.iter_mut().filter_map(|node| node.stdout.take()) {
        println!("{}", BufReader::new(output).lines().next().ok_or("a node has failed")??);
    }
    for mut node in nodes {
        drop(node.stdin.take()); // it stops serving
        node.wait()?.success().then_some(()).ok_or("a node has failed")?;
    }
    Ok(fs::remove_dir_all(directory)?)
}

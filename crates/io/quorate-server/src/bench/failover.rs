//! How long a group cannot be written to when its master dies or hangs.
//!
//! ```text
//!  writers --Client--> a group of `quorate node` processes       round after round:
//!     |                    ^  kill -9, or SIGSTOP                load, the blow, load, the return, load
//!     \--> Watch           |
//!           first write, longest gap                             at the end: Audit of every node
//! ```

mod arguments;
mod audit;
mod report;
mod round;
mod watch;
mod writers;

pub use arguments::{Blow, FailoverArguments};

use super::BenchError;
use super::arguments::BenchArguments;
use super::printed::Printed;
use crate::EngineChoice;
use crate::client::{Client, ClientOptions};
use crate::demo::Cluster;
use audit::audit;
use report::{FailoverReport, Outcome};
use round::{PATIENCE, Stage};
use std::path::Path;

/// Lets the master fail `rounds` times for each engine and each number of writers.
///
/// # Errors
/// [`BenchError::Lost`] and [`BenchError::Stale`] if the group did not do what it promises; others if the
/// measurement could not be made.
pub(super) async fn measure(
    arguments: &BenchArguments,
    rounds: u32,
    workplace: &Path,
) -> Result<Printed, BenchError> {
    let mut report = FailoverReport::new(arguments);
    for engine in &arguments.engine {
        for writers in &arguments.writers {
            report.outcomes.push(measure_group(arguments, *engine, *writers, rounds, workplace).await?);
        }
    }
    report.printed()
}

/// Lets the master of a new group fail again and again, then looks for every acknowledged write on every node.
async fn measure_group(
    arguments: &BenchArguments,
    engine: EngineChoice,
    writers: u32,
    rounds: u32,
    workplace: &Path,
) -> Result<Outcome, BenchError> {
    let program = std::env::current_exe().map_err(BenchError::system("finding this program"))?;
    let home = workplace.join(format!("{}-{writers}", engine.name()));
    let cluster = Cluster::start(&program, &home, engine, "")?;
    let stage = Stage { cluster: &cluster, arguments, writers, durability: arguments.durability() };
    let (mut found, mut acknowledged) = (Vec::new(), Vec::new());
    for number in 0..rounds {
        let (round, writes) = stage.play(number).await?;
        eprintln!("[{}/{rounds}] {}, {writers} writers: {round}", number + 1, engine.name());
        found.push(round);
        acknowledged.extend(writes);
    }
    let clients = each_node(&cluster)?;
    let writes = audit(&acknowledged, &clients).await?;
    cluster.stop(PATIENCE).await?;
    std::fs::remove_dir_all(&home).map_err(BenchError::system("removing a directory"))?;
    Ok(Outcome { engine, writers, rounds: found, acknowledged: writes })
}

/// A client of each node alone.
fn each_node(cluster: &Cluster) -> Result<Vec<Client>, BenchError> {
    let options = ClientOptions { timeout: PATIENCE, durability: None };
    let client = |port: &u16| Client::with_options([format!("127.0.0.1:{port}")], options);
    let clients = cluster.client_ports().iter().map(client).collect::<Result<_, _>>();
    clients.map_err(BenchError::from)
}

//! The demonstration: three nodes, a load, `kill -9` of the master half way, and a comparison of what was
//! acknowledged with what every node holds.
//!
//! ```text
//!  Records --> Load --gRPC--> Cluster of NodeProcesses        rehearse
//!                |               ^ kill -9
//!                +-- Flight -----+
//!  Acknowledged ---------> compare <---- the stopped nodes' engines, read offline
//! ```

mod client;
mod cluster;
mod compare;
mod demo_error;
mod digest;
mod failover;
mod flight;
mod input_error;
mod load;
mod loading;
mod node_process;
mod ports;
mod records;
mod rehearsal;
mod report;
mod story;
mod workplace;

pub use client::{NodeClient, Route};
pub use cluster::{Cluster, NODES, node_name};
pub use compare::{Comparison, compare, open_store};
pub use demo_error::DemoError;
pub use digest::Digest;
pub use failover::Failover;
pub use flight::{Flight, Kill};
pub use input_error::InputError;
pub use load::{Acknowledged, Load};
pub use node_process::{Killer, NodeProcess};
pub use ports::free_ports;
pub use records::{KEY_BYTES_MAX, Records, SkippedFile, VALUE_BYTES_MAX};
pub use rehearsal::{Rehearsal, Setting};
pub use report::{Report, Times};
pub use story::Story;
pub use workplace::Workplace;

use crate::program::told_to_stop;
use crate::{DemoArguments, EngineChoice};
use std::time::Duration;
use tokio::runtime::Builder;

/// How long what still runs may take to end once the demonstration is over.
const END_TIMEOUT: Duration = Duration::from_secs(1);

/// Carries out `quorate demo`: tells the story, or prints the report as JSON.
///
/// # Errors
/// [`DemoError`]; [`DemoError::Broken`] if the demonstration came to its end and something is not as
/// promised.
pub(crate) fn run(arguments: &DemoArguments) -> Result<(), DemoError> {
    if arguments.engine == EngineChoice::Memory {
        return Err(DemoError::MemoryEngine);
    }
    let mut workplace = Workplace::new(arguments.keep.as_deref())?;
    let setting = Setting {
        program: std::env::current_exe().map_err(DemoError::system("finding this program"))?,
        records: arguments
            .input
            .as_deref()
            .map_or_else(|| Ok(Records::generated(arguments.records as usize)), Records::read)?,
        engine: arguments.engine,
        writers: usize::from(arguments.writers),
        directory: workplace.path().to_owned(),
    };
    let story = if arguments.json { Story::untold() } else { Story::told() };
    let report = perform(setting, &story, &workplace)?;
    if arguments.json {
        let json = serde_json::to_string_pretty(&report)
            .map_err(|error| DemoError::system("printing")(error.into()))?;
        println!("{json}");
    } else {
        println!("lost: {}", report.lost);
    }
    if report.passed {
        return Ok(());
    }
    workplace.keep();
    Err(DemoError::Broken { reasons: report.reasons(), kept: workplace.kept() })
}

/// Runs the rehearsal and the comparison, unless the process is told to stop first.
fn perform(setting: Setting, story: &Story, workplace: &Workplace) -> Result<Report, DemoError> {
    let runtime =
        Builder::new_multi_thread().enable_all().build().map_err(DemoError::system("starting threads"))?;
    let report = runtime.block_on(async {
        tokio::select! {
            rehearsal = Rehearsal::run(setting, story) => rehearsal?.conclude(story).await,
            signal = told_to_stop() => {
                let signal = signal.map_err(DemoError::system("catching signals"))?;
                Err(DemoError::Interrupted { signal, kept: workplace.kept() })
            }
        }
    });
    runtime.shutdown_timeout(END_TIMEOUT);
    report
}

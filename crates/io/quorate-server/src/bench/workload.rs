//! Reads and writes in given proportions on a key space that is filled before.
//!
//! ```text
//!  Mix: proportions --> Choices: what next, on which row --> load: closed loop --> Store
//!                          \-- Zipfian                        latencies apart      embedded, or over gRPC
//! ```

mod arguments;
mod choices;
mod embedded_store;
mod grpc_store;
mod load;
mod mix;
mod report;
mod store;
mod zipfian;

pub use arguments::{Workload, WorkloadArguments};
pub(in crate::bench) use embedded_store::run_embedded;
pub(in crate::bench) use load::WorkloadLoad;

use super::BenchError;
use super::arguments::{BenchArguments, NODES, Via};
use super::embedded::{self, GroupPlan};
use super::job::{FillNode, RunWorkload};
use super::key_space::KeySpace;
use super::printed::Printed;
use super::step::Step;
use super::values::Values;
use crate::EngineChoice;
use crate::client::ReadConsistency;
use report::WorkloadReport;
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::time::Duration;

/// What is to be done on a filled key space.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Plan {
    pub(super) workload: Workload,
    pub(super) step: Step,
    /// How many rows there are at the beginning.
    pub(super) rows: u64,
}

impl Plan {
    pub(super) const fn keys(&self) -> KeySpace {
        KeySpace { key_bytes: self.step.key_bytes, value_bytes: self.step.value_bytes }
    }
}

/// Measures a workload on a new group for each way to reach it, each engine and each number of writers.
///
/// # Errors
/// [`BenchError`].
pub(super) async fn measure(arguments: &BenchArguments, workplace: &Path) -> Result<Printed, BenchError> {
    let mut report = WorkloadReport::new(arguments);
    for number in 1..=arguments.repeat {
        for writers in &arguments.writers {
            for via in &arguments.via {
                for engine in &arguments.engine {
                    let home = workplace.join("group");
                    std::fs::create_dir(&home).map_err(BenchError::system("making a directory"))?;
                    let load = measure_group(arguments, *via, *engine, *writers, &home).await?;
                    eprintln!("[{number}/{}] {}, {writers} writers: {load}", arguments.repeat, engine.name());
                    report.add(*via, *engine, *writers, load);
                    std::fs::remove_dir_all(&home).map_err(BenchError::system("removing a directory"))?;
                }
            }
        }
    }
    report.printed()
}

async fn measure_group(
    arguments: &BenchArguments,
    via: Via,
    engine: EngineChoice,
    writers: u32,
    home: &Path,
) -> Result<WorkloadLoad, BenchError> {
    let step = Step {
        writers,
        warm_up: Duration::from_secs(arguments.warm_up.into()),
        span: Duration::from_secs(arguments.seconds.into()),
        key_bytes: arguments.key_bytes,
        value_bytes: arguments.value_bytes(),
        values: Values::Alike,
    };
    let WorkloadArguments { workload, .. } = arguments.workload;
    let plan = Plan { workload, step, rows: arguments.workload.rows() };
    let consistency = arguments.workload.consistency();
    match via {
        Via::Embedded => measure_embedded(arguments, plan, consistency, engine, home).await,
        Via::Grpc => grpc_store::measure(arguments.durability(), plan, consistency, engine, home).await,
    }
}

async fn measure_embedded(
    arguments: &BenchArguments,
    plan: Plan,
    consistency: ReadConsistency,
    engine: EngineChoice,
    home: &Path,
) -> Result<WorkloadLoad, BenchError> {
    let (mut nodes, _) = embedded::open(&GroupPlan::new(NODES, engine, arguments.durability()), home).await?;
    let master = embedded::wait_for_master(&mut nodes).await?;
    nodes[master].ask(FillNode { keys: plan.keys(), rows: plan.rows }).await?;
    nodes[master].ask(RunWorkload { plan, consistency: consistency.to_string() }).await
}

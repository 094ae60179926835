//! The benchmark: how many writes a group commits, next to what its disk, its network and its engine allow.
//!
//! ```text
//!  perform --> a group of its own for each step: embedded (bench-node) or over gRPC (quorate node)
//!     |           \-> load: closed-loop writers, then all nodes catch up ---> Measured
//!     +------> floor: processes that do nothing but write, sync and replicate
//!     +------> engine limit: processes that do nothing but apply
//!     +------> etcd: a cluster that somebody else has started, under the same load
//!     \------> disk, loopback: what one sync and one round trip take
//! ```
//!
//! Whatever runs in a process of its own is a [`Worker`](worker::Worker), the hidden command `bench-node`: it
//! takes a [`Job`](job::Job) a line from its standard input and answers each with a line.

mod arguments;
mod bench_error;
mod case;
mod catch_up;
mod closed_loop;
mod comparison;
mod disk;
mod embedded;
mod engine_limit;
mod etcd;
mod failover;
mod floor;
mod history;
mod host;
mod html;
mod job;
mod key_space;
mod latencies;
mod load;
mod loopback;
mod measured;
mod memory;
mod mode;
mod over_grpc;
mod perform;
mod printed;
mod processor_time;
mod reads;
mod replay;
mod report;
mod rounds;
mod step;
mod stopped;
mod table;
mod value_length;
mod values;
mod worker;
mod worker_process;
mod workload;

pub(crate) use arguments::BENCH_HELP;
pub use arguments::{BenchArguments, Via};
pub use bench_error::BenchError;
pub use catch_up::CatchUpArguments;
pub use comparison::{Comparison, ComparisonError};
pub use etcd::EtcdError;
pub use failover::{Blow, FailoverArguments};
pub use history::HistoryArguments;
pub use reads::ReadsArguments;
pub use replay::ReplayArguments;
pub use stopped::StoppedArguments;
pub use values::Values;
pub use workload::{Workload, WorkloadArguments};

use crate::program::told_to_stop;
use html::PageFile;
use mode::Mode;
use printed::Printed;
use std::path::Path;
use tokio::runtime::Builder;

/// Carries out `quorate bench`.
///
/// # Errors
/// [`BenchError`]; no process and no directory is left then.
pub(crate) fn run(arguments: &BenchArguments) -> Result<(), BenchError> {
    arguments.check()?;
    let page_file = arguments.html.as_deref().map(PageFile::prepare).transpose()?;
    let workplace = perform::workplace(arguments)?;
    let runtime =
        Builder::new_current_thread().enable_all().build().map_err(BenchError::system("starting threads"))?;
    let printed = runtime.block_on(async {
        tokio::select! {
            printed = measure(arguments, workplace.path()) => printed,
            signal = told_to_stop() => {
                Err(BenchError::Interrupted { signal: signal.map_err(BenchError::system("catching signals"))? })
            }
        }
    })?;
    if let Some(file) = page_file {
        file.write(&printed.page)?;
    }
    if arguments.json {
        println!("{}", printed.json);
    } else {
        print!("{}", printed.text);
    }
    Ok(())
}

/// Measures what is asked for.
async fn measure(arguments: &BenchArguments, workplace: &Path) -> Result<Printed, BenchError> {
    match Mode::of(arguments) {
        Mode::Writes => measure_writes(arguments, workplace).await,
        Mode::Workload => workload::measure(arguments, workplace).await,
        Mode::Failover(rounds) => failover::measure(arguments, rounds, workplace).await,
        Mode::CatchUp(entries) => catch_up::measure(arguments, entries, workplace).await,
        Mode::Replay(entries) => replay::measure(arguments, entries, workplace).await,
        Mode::Reads => reads::measure(arguments, workplace).await,
        Mode::StoppedReplica => stopped::measure(arguments, workplace).await,
        Mode::History => history::measure(arguments, workplace).await,
    }
}

async fn measure_writes(arguments: &BenchArguments, workplace: &Path) -> Result<Printed, BenchError> {
    let report = perform::perform(arguments, workplace).await?;
    let page = html::render_report(&report);
    Ok(Printed { text: table::render(&report), json: report.json()?, page })
}

/// Carries out `quorate bench-node`: serves the benchmark that has started this process, until its standard
/// input ends.
///
/// # Errors
/// [`BenchError::System`] if it cannot be heard or answered.
pub(crate) fn run_worker() -> Result<(), BenchError> {
    worker::Worker::default().serve().map_err(BenchError::system("talking to the benchmark"))
}

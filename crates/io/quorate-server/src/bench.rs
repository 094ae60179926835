//! The benchmark: how many writes a group commits, next to what its disk, its network and its engine allow.
//!
//! ```text
//!  perform --> a group of its own for each step: embedded (bench-node) or over gRPC (quorate node)
//!     |           \-> load: closed-loop writers, then all nodes catch up ---> Measured
//!     +------> floor: three processes that do nothing but write, sync and replicate
//!     +------> engine limit: three processes that do nothing but apply
//!     +------> etcd: a cluster that somebody else has started, under the same load
//!     \------> disk, loopback: what one sync and one round trip take
//! ```
//!
//! Whatever runs in a process of its own is a [`Worker`](worker::Worker), the hidden command `bench-node`: it
//! takes a [`Job`](job::Job) a line from its standard input and answers each with a line.

mod arguments;
mod bench_error;
mod comparison;
mod disk;
mod embedded;
mod engine_limit;
mod etcd;
mod floor;
mod host;
mod html;
mod job;
mod latencies;
mod load;
mod loopback;
mod measured;
mod over_grpc;
mod perform;
mod processor_time;
mod report;
mod step;
mod table;
mod worker;
mod worker_process;

pub(crate) use arguments::BENCH_HELP;
pub use arguments::{BenchArguments, Via};
pub use bench_error::BenchError;
pub use comparison::{Comparison, ComparisonError};
pub use etcd::EtcdError;

use crate::program::told_to_stop;
use html::PageFile;
use tokio::runtime::Builder;

/// Carries out `quorate bench`.
///
/// # Errors
/// [`BenchError`]; no process and no directory is left then.
pub(crate) fn run(arguments: &BenchArguments) -> Result<(), BenchError> {
    let page_file = arguments.html.as_deref().map(PageFile::prepare).transpose()?;
    let workplace = perform::workplace(arguments)?;
    let runtime =
        Builder::new_current_thread().enable_all().build().map_err(BenchError::system("starting threads"))?;
    let report = runtime.block_on(async {
        tokio::select! {
            report = perform::perform(arguments, workplace.path()) => report,
            signal = told_to_stop() => {
                Err(BenchError::Interrupted { signal: signal.map_err(BenchError::system("catching signals"))? })
            }
        }
    })?;
    if let Some(file) = page_file {
        file.write(&html::render(&report))?;
    }
    if arguments.json {
        println!("{}", report.json()?);
    } else {
        print!("{}", table::render(&report));
    }
    Ok(())
}

/// Carries out `quorate bench-node`: serves the benchmark that has started this process, until its standard
/// input ends.
///
/// # Errors
/// [`BenchError::System`] if it cannot be heard or answered.
pub(crate) fn run_worker() -> Result<(), BenchError> {
    worker::Worker::default().serve().map_err(BenchError::system("talking to the benchmark"))
}

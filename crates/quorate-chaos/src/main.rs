//! Breaks groups of real node processes, and judges what their clients saw.
//!
//! ```text
//!  isolation: namespaces of its own --> Network (bridge, one namespace per node), a small disk per node
//!
//!  Worker (gRPC) --calls--> Group of `quorate node` processes <--faults-- Nemesis --> Timeline
//!     |
//!     +--> History --> judge: linearizable registers, strictly serializable lists, nothing lost, equal copies
//! ```
#![forbid(unsafe_code)]

mod arguments;
mod chaos_error;
mod disk;
mod fault_kind;
mod group;
mod history;
mod isolation;
mod judge;
mod keys;
mod nemesis;
mod network;
mod run;
mod stall;
mod timeline;
mod worker;

use arguments::Arguments;
use chaos_error::ChaosError;
use clap::Parser;
use judge::Judgement;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};

/// Where the nodes' files lie in namespaces of our own: they go away with them.
const ISOLATED_DIRECTORY: &str = "/run/quorate-chaos";

fn main() -> ExitCode {
    match break_and_judge(&Arguments::parse()) {
        Ok(judgement) => conclude(&judgement),
        Err(error) => {
            eprintln!("quorate-chaos: {error}");
            ExitCode::FAILURE
        }
    }
}

fn break_and_judge(arguments: &Arguments) -> Result<Judgement, ChaosError> {
    if !arguments.isolated && !isolation::enter()? {
        println!("neither root nor user namespaces: links and disks are left alone");
    }
    let seed = arguments.seed.unwrap_or_else(|| fastrand::u64(..1_000_000));
    let program = program(arguments)?;
    let temporary = tempfile::tempdir().map_err(ChaosError::system("making a temporary directory"))?;
    let directory = if arguments.isolated {
        isolation::prepare()?;
        std::fs::create_dir(ISOLATED_DIRECTORY).map_err(ChaosError::system("making a directory"))?;
        Path::new(ISOLATED_DIRECTORY)
    } else {
        temporary.path()
    };
    let runtime = Runtime::new().map_err(ChaosError::system("starting threads"))?;
    let outcome = runtime.block_on(async {
        tokio::select! {
            outcome = run::run(arguments, seed, &program, directory) => outcome,
            stopped = told_to_stop() => Err(stopped),
        }
    });
    if outcome.as_ref().map_or(true, |judgement| !judgement.findings.is_empty()) {
        keep(arguments, seed, directory)?;
    }
    outcome
}

fn conclude(judgement: &Judgement) -> ExitCode {
    judgement.summary.iter().for_each(|line| println!("{line}"));
    if judgement.findings.is_empty() {
        println!("nothing is wrong");
        return ExitCode::SUCCESS;
    }
    judgement.findings.iter().for_each(|finding| println!("WRONG: {finding}"));
    ExitCode::FAILURE
}

fn program(arguments: &Arguments) -> Result<PathBuf, ChaosError> {
    match &arguments.program {
        Some(program) => Ok(program.clone()),
        None => std::env::current_exe()
            .map(|program| program.with_file_name("quorate"))
            .map_err(ChaosError::system("finding this program")),
    }
}

/// Copies what the nodes have left to where it survives.
fn keep(arguments: &Arguments, seed: u64, directory: &Path) -> Result<(), ChaosError> {
    let keep = arguments.keep.clone();
    let keep = keep.unwrap_or_else(|| std::env::temp_dir().join(format!("quorate-chaos-{seed}")));
    let (source, target) = (directory.join("."), keep.to_string_lossy());
    std::fs::create_dir_all(&keep).map_err(ChaosError::system("making the directory to keep"))?;
    isolation::run("cp", &["-r", "--sparse=always", &source.to_string_lossy(), &target])?;
    println!("the nodes' files are kept in {target}");
    Ok(())
}

async fn told_to_stop() -> ChaosError {
    let caught = async {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            _ = interrupt.recv() => Ok("SIGINT"),
            _ = terminate.recv() => Ok("SIGTERM"),
        }
    };
    match caught.await {
        Ok(signal) => ChaosError::Interrupted(signal),
        Err(source) => ChaosError::System { operation: "catching signals", source },
    }
}

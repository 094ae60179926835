//! What the program does besides running nodes: a file per command.

mod command_error;
mod export;
mod get;
mod import;
pub(crate) mod json;
mod log_dump;
mod log_verify;
mod output;
mod put;
mod scan;
mod status;
mod status_row;
mod txn;

pub(crate) use command_error::CommandError;

use crate::cli::{Cli, CompletionsArguments, LogCommand};
use crate::program::told_to_stop;
use clap::CommandFactory;
use output::Output;
use std::future::Future;
use std::io::{self, Read};
use tokio::runtime::Builder;
use tokio::task::spawn_blocking;

pub(crate) use export::export;
pub(crate) use get::get;
pub(crate) use import::import;
pub(crate) use put::{del, put};
pub(crate) use scan::scan;
pub(crate) use status::status;
pub(crate) use txn::txn;

/// Runs a command until it ends, or the process is told to stop.
pub(crate) fn run(command: impl Future<Output = Result<(), CommandError>>) -> Result<(), CommandError> {
    let runtime = Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(CommandError::system("starting threads"))?;
    let result = runtime.block_on(async {
        tokio::select! {
            result = command => result,
            signal = told_to_stop() => match signal {
                Ok(signal) => Err(CommandError::Interrupted { signal }),
                Err(error) => Err(CommandError::system("catching signals")(error)),
            },
        }
    });
    runtime.shutdown_background();
    result
}

/// All of stdin.
async fn read_stdin() -> Result<Vec<u8>, CommandError> {
    let reading = spawn_blocking(|| {
        let mut bytes = Vec::new();
        io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes)
    });
    let read = reading.await.unwrap_or_else(|error| Err(error.into()));
    read.map_err(CommandError::system("reading stdin"))
}

/// Looks into a log.
pub(crate) fn log(command: &LogCommand) -> Result<(), CommandError> {
    match command {
        LogCommand::Dump(arguments) => log_dump::run(arguments),
        LogCommand::Verify(arguments) => log_verify::run(arguments),
    }
}

/// Prints a shell's completions.
pub(crate) fn completions(arguments: &CompletionsArguments) -> Result<(), CommandError> {
    let mut script = Vec::new();
    let mut command = Cli::command();
    clap_complete::generate(arguments.shell, &mut command, "quorate", &mut script);
    let mut output = Output::stdout();
    output.write(&script)?;
    output.finish()
}

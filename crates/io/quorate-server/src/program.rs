use crate::commands::{self, CommandError};
use crate::{Cli, Command, bench, demo, node_command};
use std::fmt::Display;
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};

/// Carries out a command line and says how the process is to exit: with 0 if all went well, else with one of
/// the codes that `quorate --help` lists. The reason is on stderr then.
#[must_use]
pub fn run(cli: Cli) -> ExitCode {
    match cli.command {
        Command::Node(arguments) => exit_code(node_command::run(&arguments)),
        Command::Demo(arguments) => exit_code(demo::run(&arguments)),
        Command::Bench(arguments) => exit_code(bench::run(&arguments)),
        Command::BenchNode => exit_code(bench::run_worker()),
        Command::Put(arguments) => command(commands::run(commands::put(&arguments))),
        Command::Get(arguments) => command(commands::run(commands::get(&arguments))),
        Command::Del(arguments) => command(commands::run(commands::del(&arguments))),
        Command::Scan(arguments) => command(commands::run(commands::scan(&arguments))),
        Command::Txn(arguments) => command(commands::run(commands::txn(&arguments))),
        Command::Import(arguments) => command(commands::run(commands::import(&arguments))),
        Command::Export(arguments) => command(commands::run(commands::export(&arguments))),
        Command::Status(arguments) => command(commands::run(commands::status(&arguments))),
        Command::Log(arguments) => command(commands::log(&arguments)),
        Command::Completions(arguments) => command(commands::completions(&arguments)),
    }
}

/// Output that nobody reads to its end is no failure.
fn command(result: Result<(), CommandError>) -> ExitCode {
    match result {
        Ok(()) | Err(CommandError::PipeClosed) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("quorate: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}

fn exit_code<E: Display>(result: Result<(), E>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("quorate: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Completes when the process is told to stop: by Ctrl-C, by SIGTERM, or by the end of its terminal. Returns
/// the signal's name.
///
/// # Errors
/// If the operating system lets no signal be caught.
pub(crate) async fn told_to_stop() -> std::io::Result<&'static str> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let name = tokio::select! {
        _ = interrupt.recv() => "SIGINT",
        _ = terminate.recv() => "SIGTERM",
        _ = hangup.recv() => "SIGHUP",
    };
    Ok(name)
}

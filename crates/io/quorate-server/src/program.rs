use crate::{Cli, Command, demo, node_command};
use std::fmt::Display;
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};

/// Carries out a command line and says how the process is to exit: with 0 if all went well, with 1 otherwise.
/// The reason is on stderr then.
#[must_use]
pub fn run(cli: Cli) -> ExitCode {
    match cli.command {
        Command::Node(arguments) => exit_code(node_command::run(&arguments)),
        Command::Demo(arguments) => exit_code(demo::run(&arguments)),
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

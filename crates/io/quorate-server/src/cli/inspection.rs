use super::ConnectionArguments;
use crate::parse_duration;
use clap::{Args, Subcommand};
use clap_complete::Shell;
use std::path::PathBuf;
use std::time::Duration;

/// How to show a group.
#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub struct StatusArguments {
    /// Print a JSON array with an object per node.
    #[arg(long)]
    pub json: bool,
    /// Show it again and again, this often, until Ctrl-C.
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    #[arg(num_args = 0..=1, default_missing_value = "1s")]
    pub watch: Option<Duration>,
    /// Which group.
    #[command(flatten)]
    pub connection: ConnectionArguments,
}

/// What to do with a node's log.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum LogCommand {
    /// Prints a line for each entry: position, term, kind, when, sizes, who asked, and whether it is whole.
    Dump(LogDumpArguments),
    /// Reads all of the log and reports each damage. Changes nothing.
    Verify(LogVerifyArguments),
}

/// Which entries to print.
#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub struct LogDumpArguments {
    /// The node's data directory. The node must not be running.
    #[arg(value_name = "DIR")]
    pub data_dir: PathBuf,
    /// The first entry's position (VLSN).
    #[arg(long, value_name = "VLSN", default_value_t = 1)]
    pub from: u64,
    /// How many entries to print at most.
    #[arg(long, value_name = "N")]
    pub limit: Option<u64>,
    /// Print a JSON object per entry.
    #[arg(long)]
    pub json: bool,
}

/// Which log to verify.
#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub struct LogVerifyArguments {
    /// The node's data directory. The node must not be running.
    #[arg(value_name = "DIR")]
    pub data_dir: PathBuf,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// Which shell's completions to print.
#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub struct CompletionsArguments {
    /// The shell.
    pub shell: Shell,
}

//! The program `quorate`: runs a node of a group, and works with one from outside.
#![forbid(unsafe_code)]

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    quorate_server::run(quorate_server::Cli::parse())
}

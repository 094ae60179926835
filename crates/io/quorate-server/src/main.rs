//! The program `quorate`: `quorate node` runs one node of a group, `quorate demo` shows a failover.
#![forbid(unsafe_code)]

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    quorate_server::run(quorate_server::Cli::parse())
}

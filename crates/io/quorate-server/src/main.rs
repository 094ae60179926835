//! The program `quorate`: runs a node of a group, and works with one from outside.
#![deny(unsafe_code)]

mod allocator;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    allocator::keep_memory_down();
    quorate_server::run(quorate_server::Cli::parse())
}

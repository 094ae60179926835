//! Fixed pieces of work on the hot paths, for `cargo xtask bench`, which counts their instructions.
//!
//! Without an argument it prints the names of all. With a name it prepares that piece of work, does it once to warm up
//! and once to be counted, and prints how many operations that was. What is counted is what [`counted`] runs.
#![forbid(unsafe_code)]

mod codec;
mod commit;
mod group;
mod host;
mod vlsn;
mod workload;

use std::hint::black_box;
use std::process::ExitCode;
use workload::{WORKLOADS, Workload};

fn main() -> ExitCode {
    let Some(name) = std::env::args().nth(1) else {
        WORKLOADS.iter().for_each(|(name, _)| println!("{name}"));
        return ExitCode::SUCCESS;
    };
    let Some((_, prepare)) = WORKLOADS.iter().find(|(known, _)| *known == name) else {
        eprintln!("there is no workload {name:?}: run this program without an argument to see all");
        return ExitCode::FAILURE;
    };
    let mut workload = prepare();
    // What is looked up only once in a process, as the processor's abilities are, is looked up here.
    workload.run();
    println!("{}", counted(&mut *workload));
    ExitCode::SUCCESS
}

/// From its entry to its return instructions are counted: callgrind is told its name.
#[inline(never)]
fn counted(workload: &mut dyn Workload) -> u64 {
    // Without the black box this would end in a jump, and nothing would ever return from here.
    black_box(workload.run())
}

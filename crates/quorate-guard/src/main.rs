//! Fixed pieces of work on the hot paths, for `cargo xtask bench`, which counts their instructions.
//!
//! Without an argument it prints the names of all. With a name and a number it prepares that piece of work, does it
//! once to warm up, prints how many operations that was, and does it that many times more. Instructions are counted in
//! [`counted`]. Calls can only be counted from the beginning of the process, so that what one time takes is the
//! difference between two runs.
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

const USAGE: &str = "give the name of a workload and how often to do it, or nothing to see all names";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.as_slice() {
        [] => {
            WORKLOADS.iter().for_each(|(name, _)| println!("{name}"));
            ExitCode::SUCCESS
        }
        [name, times] => match (WORKLOADS.iter().find(|(known, _)| known == name), times.parse()) {
            (Some((_, prepare)), Ok(times)) => work(&mut *prepare(), times),
            _ => refuse(),
        },
        _ => refuse(),
    }
}

fn refuse() -> ExitCode {
    eprintln!("{USAGE}");
    ExitCode::FAILURE
}

fn work(workload: &mut dyn Workload, times: u32) -> ! {
    // What is looked up only once in a process, as the processor's abilities are, is looked up here.
    println!("{}", workload.run());
    for _ in 0..times {
        counted(workload);
    }
    // What is freed at the end differs with what was done, and is not part of it.
    std::process::exit(0)
}

/// From its entry to its return instructions are counted: callgrind is told its name.
#[inline(never)]
fn counted(workload: &mut dyn Workload) {
    // Without the black box this would end in a jump, and nothing would ever return from here.
    black_box(workload.run());
}

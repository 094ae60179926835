//! Turns a node's storage off at every operation.
#![forbid(unsafe_code)]

use clap::{Args, Parser, Subcommand};
use quorate_sim::sweep::{CrashReport, sweep_life, sweep_operation};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Sweeps over what a node keeps on its disk.
///
/// Exit codes: 0 if nothing was lost; 1 if something was, or a kind of point never occurred; 2 for wrong
/// arguments.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    sweep: Sweep,
}

#[derive(Subcommand)]
enum Sweep {
    /// Turns the machine off at every operation of a life of its storage, in three modes of loss, and again in
    /// the recovery from that, and in the recovery from that one. Then everything that was acknowledged must be there,
    /// and the node goes on. Lives follow, each from a seed of its own, until there were points enough.
    Crash(Crash),
}

#[derive(Args)]
struct Crash {
    /// How many points there are at least; the last life is lived to its end.
    #[arg(long, default_value_t = 10_000)]
    points: u64,
    /// The seed of the first life.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Turn the machine off at this operation of the first life only.
    #[arg(long)]
    operation: Option<u64>,
    /// How many lives to live at the same time.
    #[arg(long, default_value_t = 2)]
    threads: usize,
}

fn main() -> ExitCode {
    quorate_sim::report_panics_quietly();
    match Arguments::parse().sweep {
        Sweep::Crash(crash) => sweep_crashes(&crash),
    }
}

fn sweep_crashes(crash: &Crash) -> ExitCode {
    let began = Instant::now();
    let report = match crash.operation {
        Some(operation) => {
            let mut report = CrashReport::default();
            sweep_operation(crash.seed, operation, &mut report);
            report
        }
        None => sweep_lives(crash),
    };
    print!("{}", report.tally);
    println!(
        "{} points in {} lives, {} of them broke a promise, in {:.1} s",
        report.tally.total(),
        report.lives,
        report.failures.len(),
        began.elapsed().as_secs_f64()
    );
    for failure in &report.failures {
        println!(
            "FAILED: {} ({}), {}: {}\n  again: cargo xtask sweep crash --seed {} --operation {}",
            failure.activity,
            failure.operation,
            failure.mode,
            failure.broken,
            failure.seed,
            failure.operation
        );
    }
    let missing = if crash.operation.is_none() { report.tally.missing() } else { Vec::new() };
    for kind in &missing {
        println!("FAILED: there was no point of this kind: {kind}");
    }
    if report.failures.is_empty() && missing.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Lives one life after the other, several at the same time, until there were points enough.
fn sweep_lives(crash: &Crash) -> CrashReport {
    let next = AtomicU64::new(crash.seed);
    let report = Mutex::new(CrashReport::default());
    std::thread::scope(|scope| {
        for _ in 0..crash.threads.max(1) {
            scope.spawn(|| {
                loop {
                    let total = report.lock().unwrap_or_else(PoisonError::into_inner).tally.total();
                    if total >= crash.points {
                        break;
                    }
                    let life = sweep_life(next.fetch_add(1, Ordering::Relaxed), 0, 1);
                    report.lock().unwrap_or_else(PoisonError::into_inner).add(life);
                }
            });
        }
    });
    report.into_inner().unwrap_or_else(PoisonError::into_inner)
}

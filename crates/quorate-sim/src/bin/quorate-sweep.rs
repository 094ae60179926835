//! Turns a node's storage off at every operation, and damages it everywhere.
#![forbid(unsafe_code)]

use clap::{Args, Parser, Subcommand};
use quorate_sim::sweep::{Corruption, CorruptionReport, CrashReport, Outcome, sweep_life, sweep_operation};
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
    /// Turns the machine off at every operation of a life of its storage, in three modes of loss, and again
    /// in the recovery from that, and in the recovery from that one. Then everything that was acknowledged
    /// must be there, and the node goes on. Lives follow, each from a seed of its own, until there were
    /// points enough.
    Crash(Crash),
    /// Damages the files of a stopped node of three, one place at a time, and starts the group again. Each
    /// damage must be harmless, repaired, or refused by name. Groups follow, each from a seed of its own,
    /// until there were damages enough, no two of them alike in one group.
    Corruption(Damages),
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

#[derive(Args)]
struct Damages {
    /// How many damages there are at least; the last group is damaged to its end.
    #[arg(long, default_value_t = 10_000)]
    damages: u64,
    /// The seed of the first group.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Do the damage with this number, to the first group, only.
    #[arg(long)]
    number: Option<u64>,
    /// How many damages to do at the same time.
    #[arg(long, default_value_t = 2)]
    threads: u64,
}

/// One group is given so many damages at most, so that the next ones meet other logs and engines.
const NUMBERS_MAX: u64 = 1_000;

fn main() -> ExitCode {
    match Arguments::parse().sweep {
        Sweep::Crash(crash) => sweep_crashes(&crash),
        Sweep::Corruption(damages) => sweep_damages(&damages),
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
    println!(
        "{} points of {} activities in {} lives: {} broke a promise of the storage; {:.1} s",
        report.tally.total(),
        report.tally.activities(),
        report.lives,
        report.failures.len(),
        began.elapsed().as_secs_f64()
    );
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

fn sweep_damages(damages: &Damages) -> ExitCode {
    let began = Instant::now();
    quorate_sim::report_panics_quietly();
    let (report, groups) = match damages.number {
        Some(number) => (Corruption::new(damages.seed).sweep(std::iter::once(number)), 1),
        None => sweep_groups(damages),
    };
    print!("{report}");
    for failure in &report.failures {
        println!(
            "FAILED: {}: {}\n  again: cargo xtask sweep corruption --seed {} --number {}",
            failure.damage, failure.harm, failure.seed, failure.number
        );
    }
    let missing = if damages.number.is_none() { report.missing() } else { Vec::new() };
    for kind in &missing {
        println!("FAILED: there was no damage of this kind: {kind}");
    }
    let [harmless, repaired, refused] = Outcome::ALL.map(|outcome| report.ended(outcome));
    println!(
        "{} damages of {} parts in {groups} groups: {harmless} harmless, {repaired} repaired, {refused} \
         refused by name, {} undetected or worse; {:.1} s",
        report.total(),
        report.parts(),
        report.failures.len(),
        began.elapsed().as_secs_f64()
    );
    if report.failures.is_empty() && missing.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Damages one group after the other until there were damages enough; says how many groups it took.
fn sweep_groups(damages: &Damages) -> (CorruptionReport, u64) {
    let mut report = CorruptionReport::default();
    let mut groups = 0;
    while report.total() < damages.damages && groups < damages.damages {
        let left = damages.damages - report.total();
        let corruption = Corruption::new(damages.seed.wrapping_add(groups));
        report.add(sweep_group(&corruption, left.min(NUMBERS_MAX), damages.threads.max(1)));
        groups += 1;
    }
    (report, groups)
}

fn sweep_group(corruption: &Corruption, numbers: u64, threads: u64) -> CorruptionReport {
    let report = Mutex::new(CorruptionReport::default());
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let report = &report;
            scope.spawn(move || {
                let part = corruption.sweep((thread..numbers).step_by(threads as usize));
                report.lock().unwrap_or_else(PoisonError::into_inner).add(part);
            });
        }
    });
    report.into_inner().unwrap_or_else(PoisonError::into_inner)
}

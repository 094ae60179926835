//! Plays seeded histories of a simulated group and looks for broken rules.
#![forbid(unsafe_code)]

use clap::Parser;
use quorate_sim::{
    BrokenRule, FaultCounts, FaultKind, Judged, OutcomeCounts, Profile, Report, Selection, minimise,
    report_panics_quietly, run_profile,
};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Plays seeded histories of a simulated group under faults and checks every step of them.
///
/// Exit codes: 0 if every history is clean; 1 if a rule was broken, too little happened in a history however
/// long it took, or a kind of fault never happened in 50 seeds or more; 2 for wrong arguments. The last line
/// says how much was played.
#[derive(Parser)]
struct Arguments {
    /// How many seeds to play.
    #[arg(long, default_value_t = 50)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Play this seed only.
    #[arg(long, conflicts_with_all = ["seeds", "from"])]
    seed: Option<u64>,
    /// Leave in these faults of the history only: numbers and names, as a failing history prints them.
    #[arg(long, requires = "seed")]
    only: Option<Selection>,
    /// Print every event of the history.
    #[arg(long, requires = "seed")]
    trace: bool,
    /// How many histories to play at the same time.
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Break a rule on purpose, to see it noticed.
    #[arg(long, value_parser = parse_rule)]
    broken: Option<BrokenRule>,
}

fn parse_rule(name: &str) -> Result<BrokenRule, String> {
    BrokenRule::named(name).ok_or_else(|| {
        let names: Vec<&str> = BrokenRule::all().iter().map(|rule| rule.name()).collect();
        format!("there is no such rule to break: choose one of {}", names.join(", "))
    })
}

/// Of so many failing seeds the faults that they take are looked for.
const MINIMISED_MAX: usize = 3;
/// Seeds enough for every kind of fault to happen.
const SEEDS_FOR_ALL_FAULTS: u64 = 50;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    report_panics_quietly();
    let began = Instant::now();
    let reports = match arguments.seed {
        Some(seed) => vec![play(seed, &arguments)],
        None => play_all(&arguments),
    };
    let wall = began.elapsed();
    let summary = Summary::of(&reports);
    summary.print();
    let failures: Vec<&Report> = reports.iter().filter(|report| report.failure.is_some()).collect();
    for (index, report) in failures.iter().enumerate() {
        print_failure(report, &arguments, index < MINIMISED_MAX);
    }
    let missing = print_missing(&reports, &summary);
    summary.print_totals(wall);
    if failures.is_empty() && !missing { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Says what should have happened and did not; true if there is something.
fn print_missing(reports: &[Report], summary: &Summary) -> bool {
    for report in reports {
        if let Some(shortage) = &report.lacks {
            let (seed, seconds) = (report.seed, report.simulated.as_secs());
            println!("FAILED: seed {seed} has seen only {shortage} within {seconds} simulated seconds");
        }
    }
    let mut absent = Vec::new();
    if reports.len() as u64 >= SEEDS_FOR_ALL_FAULTS {
        absent.extend(summary.faults.missing().map(|kind| kind.to_string()));
        absent.extend((summary.forwarded == 0).then(|| "writes passed on by replicas".to_owned()));
    }
    for what in &absent {
        println!("FAILED: there were no {what} in {} seeds", reports.len());
    }
    summary.too_short > 0 || !absent.is_empty()
}

fn profile(seed: u64, arguments: &Arguments) -> Profile {
    let mut profile = match arguments.broken {
        Some(rule) => Profile::hunting(rule, seed),
        None => Profile::drawn(seed),
    };
    profile.only.clone_from(&arguments.only);
    profile
}

fn play(seed: u64, arguments: &Arguments) -> Report {
    run_profile(seed, profile(seed, arguments), arguments.trace)
}

/// Plays the seeds on several threads; each history has one to itself.
fn play_all(arguments: &Arguments) -> Vec<Report> {
    let next = AtomicU64::new(arguments.from);
    let end = arguments.from.saturating_add(arguments.seeds);
    let reports = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..arguments.threads.max(1) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end {
                        break;
                    }
                    let report = play(seed, arguments);
                    reports.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(report);
                }
            });
        }
    });
    let mut reports = reports.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    reports.sort_by_key(|report| report.seed);
    reports
}

/// All histories together.
struct Summary {
    seeds: usize,
    simulated: Duration,
    longest: Duration,
    violations: usize,
    too_short: usize,
    faults: FaultCounts,
    outcomes: OutcomeCounts,
    judged: Judged,
    retired: u64,
    engines_refused: u64,
    forwarded: u64,
    committed: usize,
    masters: usize,
    least_operations: u64,
    least_faults: u64,
}

impl Summary {
    fn of(reports: &[Report]) -> Self {
        let (mut faults, mut outcomes) = (FaultCounts::default(), OutcomeCounts::default());
        let mut judged = Judged::default();
        for report in reports {
            faults.add(&report.faults);
            outcomes.add(&report.outcomes);
            judged.add(&report.judged);
        }
        Self {
            seeds: reports.len(),
            simulated: reports.iter().map(|report| report.simulated).sum(),
            longest: reports.iter().map(|report| report.simulated).max().unwrap_or_default(),
            violations: reports.iter().filter(|report| report.failure.is_some()).count(),
            too_short: reports.iter().filter(|report| report.lacks.is_some()).count(),
            faults,
            outcomes,
            judged,
            engines_refused: reports.iter().map(|report| report.engines_refused).sum(),
            retired: reports.iter().map(|report| report.retired).sum(),
            forwarded: reports.iter().map(|report| report.forwarded).sum(),
            committed: reports.iter().map(|report| report.committed).sum(),
            masters: reports.iter().map(|report| report.masters).sum(),
            least_operations: reports.iter().map(|report| report.outcomes.total()).min().unwrap_or(0),
            least_faults: reports.iter().map(|report| report.faults.total()).min().unwrap_or(0),
        }
    }

    fn print(&self) {
        println!("faults");
        for kind in FaultKind::ALL {
            println!("  {kind:<28} {:>10}", self.faults.of(kind));
        }
        println!("clients were told");
        println!("{}", self.outcomes);
        println!("{} writes passed on by replicas", self.forwarded);
        println!("{} entries committed in {} terms", self.committed, self.masters);
        let Judged { calls, pending, transactions } = self.judged;
        println!(
            "judged: {calls} calls on keys, {pending} of them of unknown outcome, and {transactions} \
             transactions"
        );
        println!("{} engines refused as damaged, and filled again", self.engines_refused);
        println!("{} nodes damaged beyond their own repair, and stopped", self.retired);
    }

    /// How much was played, and how fast, in one line.
    fn print_totals(&self, wall: Duration) {
        let (simulated, wall) = (self.simulated.as_secs_f64(), wall.as_secs_f64());
        println!(
            "{} seeds: {simulated:.0} s simulated in {wall:.1} s, {:.0} times real time; each at least {} \
             operations and {} faults, the longest {} s; {} violations, {} too short",
            self.seeds,
            simulated / wall,
            self.least_operations,
            self.least_faults,
            self.longest.as_secs(),
            self.violations,
            self.too_short
        );
    }
}

fn print_failure(report: &Report, arguments: &Arguments, minimises: bool) {
    let Some(failure) = &report.failure else { return };
    println!("\nFAILED: seed {} broke a rule: {}", report.seed, failure.violation);
    println!("the last events before:");
    for line in &failure.latest {
        println!("  {line}");
    }
    let selection = minimises.then(|| minimise(&profile(report.seed, arguments), report)).flatten();
    let only = selection.as_ref().or(arguments.only.as_ref());
    println!("the faults that it takes:");
    for strike in report.strikes.iter().filter(|strike| only.is_none_or(|only| only.keeps(strike))) {
        println!("  {strike}");
    }
    let only = only.map(|only| format!(" --only {only}")).unwrap_or_default();
    let broken = arguments.broken.map(|rule| format!(" --broken {}", rule.name())).unwrap_or_default();
    println!("play it again: cargo xtask sim --seed {}{only}{broken} --trace", report.seed);
}

//! Invents inputs for the decoders of the product until one of them breaks.
#![forbid(unsafe_code)]

use clap::Parser;
use peak_alloc::PeakAlloc;
use quorate_fuzz::{Corpus, Finding, Fuzzer, Limits, TARGETS, Target, Trial, Verdict, Watchdog, hush_panics};
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Where findings are kept.
const FINDINGS: &str = "target/fuzz";

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// Gives invented bytes to every decoder, and looks for a panic, a broken promise, or too much memory or time.
///
/// Exit codes: 0 if every input was survived; 1 if one was not: it is kept in a file, and the command that
/// replays it is printed; 2 for wrong arguments.
#[derive(Parser)]
#[command(bin_name = "cargo xtask fuzz")]
struct Arguments {
    /// The target; all, one after the other, if none is named.
    #[arg(value_parser = parse_target)]
    target: Option<&'static Target>,
    /// How long each target is tried, in seconds.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Where the invention begins: the same seed gives the same inputs in the same order.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Give the target this file and nothing else.
    #[arg(long, value_name = "FILE", requires = "target")]
    replay: Option<PathBuf>,
    /// Write the inputs to begin with, as production encoders make them, into the corpus.
    #[arg(long, conflicts_with_all = ["replay", "seconds", "seed"])]
    seed_corpus: bool,
    /// Print the targets.
    #[arg(long, conflicts_with_all = ["replay", "seconds", "seed", "seed_corpus"])]
    list: bool,
}

fn parse_target(name: &str) -> Result<&'static Target, String> {
    TARGETS.iter().find(|target| target.name == name).ok_or_else(|| {
        let names: Vec<_> = TARGETS.iter().map(|target| target.name).collect();
        format!("there is no such target: choose one of {}", names.join(", "))
    })
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// False if there was a finding.
fn run(arguments: &Arguments) -> Result<bool, Box<dyn Error>> {
    let targets: Vec<&'static Target> = match arguments.target {
        Some(target) => vec![target],
        None => TARGETS.iter().collect(),
    };
    if arguments.list {
        targets.iter().for_each(|target| println!("{:16} {}", target.name, target.about));
        return Ok(true);
    }
    if arguments.seed_corpus {
        for target in targets {
            println!("{}: {} inputs", target.name, Corpus::committed().store_seeds(target)?);
        }
        return Ok(true);
    }
    hush_panics();
    if let (Some(target), Some(path)) = (arguments.target, &arguments.replay) {
        return replay(target, path);
    }
    let mut clean = true;
    for target in targets {
        clean &= fuzz(target, arguments)?;
    }
    Ok(clean)
}

fn replay(target: &'static Target, path: &Path) -> Result<bool, Box<dyn Error>> {
    let input = fs::read(path).map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
    let verdict = Trial::new(target, Limits::default(), Some(&ALLOCATOR)).run(&input);
    let survived = matches!(verdict, Verdict::Survived(_));
    println!("{}", Finding { target: target.name, input, verdict });
    Ok(survived)
}

fn fuzz(target: &'static Target, arguments: &Arguments) -> Result<bool, Box<dyn Error>> {
    let began = Instant::now();
    let until = began + Duration::from_secs(arguments.seconds);
    let watchdog = Watchdog::start(Limits::default(), &ALLOCATOR, give_up);
    let trial = Trial::new(target, Limits::default(), Some(&ALLOCATOR)).watched_by(&watchdog);
    let mut fuzzer = Fuzzer::new(target, trial, arguments.seed);
    let mut finding = fuzzer.begin_with(Corpus::committed().load(target)?);
    while finding.is_none() && Instant::now() < until {
        finding = fuzzer.step();
    }
    let (statistics, seconds) = (fuzzer.statistics(), began.elapsed().as_secs_f64());
    println!(
        "{:16} {:9} inputs in {seconds:5.1} s, {:5} kinds of behaviour: {}",
        target.name,
        statistics.runs,
        statistics.signatures,
        if finding.is_some() { "a finding" } else { "clean" }
    );
    if let Some(finding) = &finding {
        report(finding)?;
    }
    Ok(finding.is_none())
}

/// The target is lost in its input: what was found so far is all there is.
fn give_up(finding: &Finding) -> ! {
    if let Err(error) = report(finding) {
        eprintln!("error: {error}");
    }
    std::process::exit(1);
}

fn report(finding: &Finding) -> Result<(), Box<dyn Error>> {
    let path = finding.store(Path::new(FINDINGS))?;
    println!("\n{finding}");
    println!("Replay it: cargo xtask fuzz {} --replay {}\n", finding.target, path.display());
    Ok(())
}

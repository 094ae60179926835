//! Hunts for mistakes that were planted on purpose, and says how soon each is caught.
#![forbid(unsafe_code)]

use clap::Parser;
use quorate_sim::{BrokenRule, BugClass, Catch, Hunt, hunt, report_panics_quietly};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

/// Hunts for every planted mistake, from several starting points each, and prints how many seeds it took.
///
/// Exit codes: 0 if every one was caught within the bound, from every starting point; 1 if one was not, or
/// the median of all hunts is above 50 seeds; 2 for wrong arguments.
#[derive(Parser)]
struct Arguments {
    /// How many seeds are played at most for one mistake from one starting point.
    #[arg(long, default_value_t = 200)]
    seeds_max: u64,
    /// From how many starting points each mistake is hunted.
    #[arg(long, default_value_t = 5)]
    starts: u64,
    /// Hunt for this mistake only.
    #[arg(long, value_parser = parse_rule)]
    rule: Option<BrokenRule>,
    /// How many histories to play at the same time.
    #[arg(long, default_value_t = 2)]
    threads: usize,
}

fn parse_rule(name: &str) -> Result<BrokenRule, String> {
    BrokenRule::named(name).ok_or_else(|| {
        let names: Vec<&str> = BrokenRule::all().iter().map(|rule| rule.name()).collect();
        format!("there is no such rule to break: choose one of {}", names.join(", "))
    })
}

/// How far apart the starting points lie, in seeds.
const START_STEP: u64 = 1_000_000;
/// The most seeds that half of the hunts may take.
const MEDIAN_MAX: u64 = 50;

/// All hunts for one mistake.
struct Record {
    rule: BrokenRule,
    /// One for each starting point.
    catches: Vec<Option<Catch>>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    report_panics_quietly();
    let began = Instant::now();
    let records = hunt_all(&arguments);
    print_table(&records, arguments.rule.is_none());
    println!("{} hunts in {:.1} s", records.len() as u64 * arguments.starts, began.elapsed().as_secs_f64());
    if judge(&records, arguments.seeds_max) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Hunts on several threads; each hunt has one to itself.
fn hunt_all(arguments: &Arguments) -> Vec<Record> {
    let rules = BrokenRule::all().iter().copied();
    let rules: Vec<_> = rules.filter(|rule| arguments.rule.is_none_or(|only| only == *rule)).collect();
    let starts = usize::try_from(arguments.starts.max(1)).unwrap_or(usize::MAX);
    let hunts: Vec<Hunt> = rules.iter().flat_map(|rule| hunts_for(*rule, arguments)).collect();
    let next = AtomicUsize::new(0);
    let catches = Mutex::new(vec![None; hunts.len()]);
    std::thread::scope(|scope| {
        for _ in 0..arguments.threads.max(1) {
            scope.spawn(|| {
                while let number = next.fetch_add(1, Ordering::Relaxed)
                    && let Some(of) = hunts.get(number)
                {
                    let catch = hunt(*of);
                    catches.lock().unwrap_or_else(std::sync::PoisonError::into_inner)[number] = catch;
                }
            });
        }
    });
    let catches = catches.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    let each = rules.into_iter().zip(catches.chunks(starts));
    each.map(|(rule, catches)| Record { rule, catches: catches.to_vec() }).collect()
}

fn hunts_for(broken: BrokenRule, arguments: &Arguments) -> impl Iterator<Item = Hunt> {
    let seeds_max = arguments.seeds_max;
    (0..arguments.starts.max(1)).map(move |start| Hunt { broken, from: start * START_STEP, seeds_max })
}

fn print_table(records: &[Record], with_absent: bool) {
    println!("{:>5}  {:<34} {:>6} {:>6} {:>6}  caught by", "class", "mistake", "caught", "median", "worst");
    for class in BugClass::ALL {
        let here: Vec<&Record> =
            records.iter().filter(|record| record.rule.class() == class.number).collect();
        if let Some(absence) = class.absent.filter(|_| with_absent) {
            println!("{:>5}  {}: {absence}", class.number, class.mistake);
        }
        if !here.is_empty() {
            println!("{:>5}  {}", class.number, class.mistake);
        }
        here.into_iter().for_each(print_record);
    }
}

fn print_record(record: &Record) {
    let caught: Vec<Catch> = record.catches.iter().flatten().copied().collect();
    let mut seeds: Vec<u64> = caught.iter().map(|catch| catch.seeds).collect();
    seeds.sort_unstable();
    let mut by: Vec<String> = caught.iter().map(|catch| catch.by.to_string()).collect();
    by.sort_unstable();
    by.dedup();
    let of = format!("{}/{}", caught.len(), record.catches.len());
    let number = |seeds: Option<&u64>| seeds.map_or("-".to_owned(), u64::to_string);
    let (middle, worst) = (number(seeds.get(seeds.len() / 2)), number(seeds.last()));
    println!("{:>5}  {:<34} {of:>6} {middle:>6} {worst:>6}  {}", "", record.rule.name(), by.join(", "));
}

/// Says what is not as it should be.
fn judge(records: &[Record], seeds_max: u64) -> bool {
    let mut is_well = true;
    for record in records.iter().filter(|record| record.catches.contains(&None)) {
        println!("FAILED: {} was not caught within {seeds_max} seeds", record.rule.name());
        is_well = false;
    }
    let mut seeds: Vec<u64> =
        records.iter().flat_map(|record| &record.catches).flatten().map(|catch| catch.seeds).collect();
    seeds.sort_unstable();
    let Some(median) = seeds.get(seeds.len() / 2) else { return is_well };
    println!("half of all hunts took {median} seeds or fewer");
    is_well && *median <= MEDIAN_MAX
}

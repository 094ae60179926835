//! Visits every state of a small group.
#![forbid(unsafe_code)]

mod progress;

use clap::{CommandFactory, Parser, error::ErrorKind};
use progress::Progress;
use quorate_model::{Bounds, Group, Outcomes, Pace, Rule};
use signal_hook::consts::SIGINT;
use stateright::{Checker, HasDiscoveries, Model};
use std::process::ExitCode;
use std::sync::atomic::Ordering;

/// Searches elections and commits of a small group to their end, for two masters in one term, logs that do
/// not match, and committed entries that are lost.
///
/// Ctrl-C ends the search and prints what has been visited.
///
/// Exit codes: 0 if every state within the bounds was visited and is sound, or both ways to search reach
/// the same; 1 if one is not, and the steps that lead there are printed; 2 for wrong arguments; 130 if the
/// search was interrupted and found nothing until then.
#[derive(Parser)]
#[command(bin_name = "cargo xtask model")]
struct Arguments {
    /// Nodes of the group; up to 3 unless in single steps.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=7))]
    nodes: u16,
    /// Rounds of ballots; each node may propose in each.
    #[arg(long, default_value_t = 3)]
    rounds: u64,
    /// Ballots in all; unless in single steps, only those that elect a master count. As many as the rounds
    /// have, if not given.
    #[arg(long)]
    ballots: Option<u64>,
    /// Entries that applications write.
    #[arg(long, default_value_t = 2)]
    writes: u8,
    /// Crashes of each node; unless in single steps, any number but 0 stands for every number.
    #[arg(long, default_value_t = 1)]
    crashes: u8,
    /// Let every node do one thing at a time, in every order. The search else moves in strides: it takes
    /// steps together that nothing need come between, and reaches whatever single steps reach, in far fewer
    /// states.
    #[arg(long)]
    single_steps: bool,
    /// Search in single steps and in strides, and say whether the one reaches anything that the other does
    /// not.
    #[arg(long, conflicts_with_all = ["single_steps", "broken"])]
    compare: bool,
    /// How many threads search.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=64))]
    threads: u16,
    /// Leave out a rule, to see that it is missed. The steps to a loss that are printed are few, but not
    /// always the fewest.
    #[arg(long, value_parser = parse_rule)]
    broken: Option<Rule>,
}

fn parse_rule(name: &str) -> Result<Rule, String> {
    Rule::named(name).ok_or_else(|| {
        let names = Rule::ALL.map(Rule::name);
        format!("there is no such rule to leave out: choose one of {}", names.join(", "))
    })
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let Arguments { nodes, rounds, ballots, writes, crashes, .. } = arguments;
    let bounds = Bounds { nodes, rounds, ballots, writes, crashes };
    if arguments.compare {
        return compare(&group(bounds, Pace::SingleSteps, None), &group(bounds, Pace::Strides, None));
    }
    let pace = if arguments.single_steps { Pace::SingleSteps } else { Pace::Strides };
    let group = group(bounds, pace, arguments.broken);
    search(group, pace, arguments.threads.into(), arguments.broken.is_some())
}

/// Says what is searched; ends the process if it cannot be.
fn group(bounds: Bounds, pace: Pace, broken: Option<Rule>) -> Group {
    let group = Group::new(bounds, pace, broken)
        .unwrap_or_else(|error| Arguments::command().error(ErrorKind::ValueValidation, error).exit());
    let Bounds { nodes, rounds, writes, crashes, .. } = bounds;
    let (ballots, pace, crashes) = match pace {
        Pace::SingleSteps => ("ballots", "in single steps", format!("{crashes} crashes of each node")),
        Pace::Strides if crashes == 0 => ("elections", "in strides", "no crashes".to_owned()),
        Pace::Strides => ("elections", "in strides", "any number of crashes".to_owned()),
    };
    let most = bounds.ballots_max();
    println!("{nodes} nodes {pace}: {rounds} rounds, {most} {ballots}, {writes} writes, {crashes}");
    group
}

fn compare(steps: &Group, strides: &Group) -> ExitCode {
    let (steps, strides) = (Outcomes::of(steps), Outcomes::of(strides));
    println!(
        "{} outcomes of {} states in single steps, {} of {} in strides",
        steps.count(),
        steps.states(),
        strides.count(),
        strides.states()
    );
    let missed = [("strides", strides.cover(&steps)), ("single steps", steps.contain(&strides))];
    for (pace, missed) in missed {
        if let Err(missed) = missed {
            println!("\nin {pace}, {missed}");
            return ExitCode::FAILURE;
        }
    }
    println!("both reach the same: the most that is committed with each set of logs");
    ExitCode::SUCCESS
}

/// Breadth first finds a short way to a violation, depth first takes less memory.
fn search(group: Group, pace: Pace, threads: usize, breadth_first: bool) -> ExitCode {
    let stop = group.stop_flag();
    if let Err(error) = signal_hook::flag::register(SIGINT, group.stop_flag()) {
        eprintln!("Ctrl-C will end the search without a result: {error}");
    }
    let checker = group.checker().threads(threads).finish_when(HasDiscoveries::AnyFailures);
    let mut progress = Progress::default();
    match (breadth_first, pace) {
        (true, _) => drop(checker.spawn_bfs().join_and_report(&mut progress)),
        (false, Pace::SingleSteps) => drop(checker.spawn_dfs().join_and_report(&mut progress)),
        (false, Pace::Strides) => drop(checker.symmetry().spawn_dfs().join_and_report(&mut progress)),
    }
    if !progress.broken.is_empty() {
        return ExitCode::FAILURE;
    }
    if stop.load(Ordering::Relaxed) {
        println!("interrupted: nothing is known of the states that were not visited");
        return ExitCode::from(130);
    }
    ExitCode::SUCCESS
}

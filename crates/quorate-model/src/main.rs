//! Visits every state of a small group.
#![forbid(unsafe_code)]

use clap::Parser;
use quorate_model::{Bounds, Group, Rule};
use stateright::{Checker, HasDiscoveries, Model};
use std::process::ExitCode;
use std::time::Instant;

/// Searches elections and commits of a small group to their end, for two masters in one term, logs that do not
/// match, and committed entries that are lost.
///
/// Exit codes: 0 if every state within the bounds was visited and is sound; 1 if one is not, and the steps that lead
/// there are printed; 2 for wrong arguments.
#[derive(Parser)]
#[command(bin_name = "cargo xtask model")]
struct Arguments {
    /// Nodes of the group.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=7))]
    nodes: u16,
    /// Rounds of ballots; each node may propose in each.
    #[arg(long, default_value_t = 2)]
    rounds: u64,
    /// Entries that applications write.
    #[arg(long, default_value_t = 2)]
    writes: u8,
    /// Crashes of each node.
    #[arg(long, default_value_t = 1)]
    crashes: u8,
    /// How many threads search.
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Leave out a rule, to see that it is missed.
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
    let Arguments { nodes, rounds, writes, crashes, threads, broken } = Arguments::parse();
    let bounds = Bounds { nodes, rounds, writes, crashes };
    println!("{nodes} nodes, {rounds} rounds, {writes} writes, each node crashes {crashes} times at most");
    let began = Instant::now();
    let search = Group::new(bounds, broken).checker().threads(threads);
    let checker = search.finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join();
    println!(
        "{} states, {} of them different, in {:.1} s",
        checker.state_count(),
        checker.unique_state_count(),
        began.elapsed().as_secs_f64()
    );
    let broken_promises: Vec<_> = checker
        .discoveries()
        .into_iter()
        .filter(|(name, _)| checker.discovery_classification(name).to_string() == "counterexample")
        .collect();
    for (name, path) in &broken_promises {
        println!("\nbroken: {name}");
        path.clone().into_actions().iter().for_each(|step| println!("  {step:?}"));
    }
    if broken_promises.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

use clap::{Args, value_parser};

/// How to measure the catch-up of a replica.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
pub struct CatchUpArguments {
    /// Measures instead how fast a replica catches up that has missed so many writes, while writers go on in
    /// the master's process.
    #[arg(long, value_name = "ENTRIES", value_parser = value_parser!(u64).range(1..=ENTRIES_MAX))]
    #[arg(conflicts_with_all = ["via", "endpoints", "floor", "engine_limit", "seconds", "failover", "compare", "nodes"])]
    #[arg(help_heading = "Catch-up")]
    pub catch_up: Option<u64>,
}

const ENTRIES_MAX: u64 = 100_000_000;

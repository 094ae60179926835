use clap::{Args, value_parser};

/// Whether to measure logs of given lengths.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
pub struct HistoryArguments {
    /// Measures logs of so many entries instead: how long one takes to open, what its index takes on the disk
    /// and in memory, and how long it takes to find an entry. No node runs.
    #[arg(long, value_delimiter = ',', value_name = "ENTRIES,...", help_heading = "History")]
    #[arg(value_parser = value_parser!(u64).range(1..=ENTRIES_MAX))]
    #[arg(conflicts_with_all = ["via", "endpoints", "floor", "engine_limit", "compare", "nodes", "failover", "catch_up"])]
    #[arg(conflicts_with_all = ["stopped_replica", "reads", "engine", "writers", "seconds", "warm_up", "key_bytes"])]
    #[arg(conflicts_with_all = ["durability", "replay"])]
    pub history: Vec<u64>,
}

const ENTRIES_MAX: u64 = 1_000_000_000;

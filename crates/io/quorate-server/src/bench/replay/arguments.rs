use clap::{Args, value_parser};

/// Whether to measure a restart with an empty engine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
pub struct ReplayArguments {
    /// Measures a restart instead: a node, alone in its group, has so many entries in its log and none in its engine,
    /// which is removed first. Next to it, what the engine applies alone.
    #[arg(long, value_name = "ENTRIES", value_parser = value_parser!(u64).range(1..=ENTRIES_MAX))]
    #[arg(help_heading = "Replay")]
    #[arg(conflicts_with_all = ["via", "endpoints", "floor", "engine_limit", "compare", "nodes", "failover", "catch_up"])]
    #[arg(conflicts_with_all = ["stopped_replica", "reads", "writers", "seconds", "warm_up"])]
    pub replay: Option<u64>,
}

const ENTRIES_MAX: u64 = 100_000_000;

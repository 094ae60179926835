use clap::Args;

/// Whether to measure what a stopped replica costs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
pub struct StoppedArguments {
    /// Measures instead how much memory the master needs while a replica is stopped (SIGSTOP), next to what it
    /// needs while all nodes run, under the same load.
    #[arg(long, help_heading = "Stopped replica")]
    #[arg(conflicts_with_all = ["via", "endpoints", "floor", "engine_limit", "compare", "nodes", "failover", "catch_up"])]
    pub stopped_replica: bool,
}

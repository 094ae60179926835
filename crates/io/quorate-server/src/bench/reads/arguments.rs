use clap::Args;

/// Whether to measure what reads cost.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
pub struct ReadsArguments {
    /// Measures reads instead: local ones of a replica next to those of the bare engine, and linearizable ones of
    /// the master next to commits, with as many readers as writers. Of --keys rows.
    #[arg(long, help_heading = "Reads")]
    #[arg(conflicts_with_all = ["via", "endpoints", "floor", "engine_limit", "compare", "nodes", "failover", "catch_up"])]
    #[arg(conflicts_with_all = ["stopped_replica", "read_consistency"])]
    pub reads: bool,
}

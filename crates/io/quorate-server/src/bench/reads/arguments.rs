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
    /// Gives the nodes leases of this length, by which the master answers linearizable reads without asking
    /// anybody; 500 is usual. Without it each such read takes a round of heartbeats, shared with others.
    #[arg(long, value_name = "MS", help_heading = "Reads", requires = "reads")]
    pub lease_ms: Option<u64>,
}

impl ReadsArguments {
    /// How linearizable reads are answered, in a line.
    pub(super) fn lease_note(&self) -> String {
        match self.lease_ms {
            Some(lease_ms) => format!("linearizable reads by leases of {lease_ms} ms"),
            None => "linearizable reads by rounds of heartbeats".to_owned(),
        }
    }
}

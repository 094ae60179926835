use clap::{Args, ValueEnum, value_parser};

/// How to measure failovers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
pub struct FailoverArguments {
    /// Measures failovers instead: lets the master fail N times while clients write over gRPC.
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..=1000), help_heading = "Failover")]
    #[arg(conflicts_with_all = ["via", "endpoints", "floor", "engine_limit", "repeat", "key_bytes", "compare", "nodes"])]
    pub failover: Option<u32>,
    /// How the master fails.
    #[arg(long, value_enum, value_name = "HOW", default_value_t, requires = "failover")]
    #[arg(help_heading = "Failover")]
    pub failover_by: Blow,
}

/// How a master is made to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, ValueEnum, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Blow {
    /// `kill -9`; it is started again afterwards.
    #[default]
    Kill,
    /// SIGSTOP, as if it hung; SIGCONT afterwards.
    Stop,
}

use crate::client::{Client, ClientOptions, EndpointError, ReadConsistency};
use crate::parse_duration;
use clap::Args;
use quorate::CommitDurability;
use std::time::Duration;

/// Which group to call, and how long to try.
#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub struct ConnectionArguments {
    /// Nodes of the group, where they serve clients: host:port, separated by commas. Any one of them suffices
    /// to find the others.
    #[arg(long, value_name = "ADDRESSES", env = "QUORATE_ENDPOINTS", value_delimiter = ',')]
    #[arg(default_value = "127.0.0.1:14101", help_heading = "Connection")]
    pub endpoints: Vec<String>,
    /// How long to try in all, failovers included: a number and ms, s, m or h.
    #[arg(long, value_name = "TIME", env = "QUORATE_TIMEOUT", default_value = "30s")]
    #[arg(value_parser = parse_duration, help_heading = "Connection")]
    pub timeout: Duration,
}

impl ConnectionArguments {
    /// A client as the command line says.
    ///
    /// # Errors
    /// [`EndpointError`].
    pub fn client(&self, durability: Option<CommitDurability>) -> Result<Client, EndpointError> {
        Client::with_options(&self.endpoints, ClientOptions { timeout: self.timeout, durability })
    }
}

/// Where to write, and how durably.
#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub struct WriteArguments {
    /// The database.
    #[arg(long, short, value_name = "NAME", env = "QUORATE_DATABASE", default_value = "default")]
    pub database: String,
    /// Make the database if it is not there.
    #[arg(long)]
    pub create: bool,
    /// When the write counts as done: the master's copy, the replicas' copies (each sync, write-no-sync or
    /// no-sync), acknowledgements (all, majority or none). Without it as the nodes are configured.
    #[arg(long, value_name = "LOCAL,REPLICA,ACKS", env = "QUORATE_DURABILITY")]
    pub durability: Option<CommitDurability>,
}

/// Where to read, and what the read must have seen.
#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub struct ReadArguments {
    /// The database.
    #[arg(long, short, value_name = "NAME", env = "QUORATE_DATABASE", default_value = "default")]
    pub database: String,
    /// What the read must have seen: any (what the node has), time:500ms (what was answered up to then),
    /// token:TOKEN (that commit), or linearizable (all that was answered before).
    #[arg(long, value_name = "WHAT", env = "QUORATE_CONSISTENCY", default_value = "linearizable")]
    pub consistency: ReadConsistency,
}

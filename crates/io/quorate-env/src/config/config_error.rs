use quorate_core::MemberListError;
use quorate_policy::QuorumError;
use std::time::Duration;

/// What is wrong with a [`RepConfig`](crate::RepConfig), by its field.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A name is not one that a group or a node may have.
    #[error("{field}: {name:?} is no name: use 1 to {limit} bytes, without / and \\, and neither . nor ..")]
    Name {
        /// The field.
        field: &'static str,
        /// Its value.
        name: String,
        /// The longest name in bytes.
        limit: usize,
    },
    /// The host is empty.
    #[error("host: it is empty: give the name or address under which the other nodes reach this one")]
    EmptyHost,
    /// The port is 0.
    #[error("node_port: port 0 cannot be reached by the other nodes: choose one from 1 to 65535")]
    PortZero,
    /// The members are not a list that a group may have.
    #[error("members: {0}")]
    Members(#[from] MemberListError),
    /// A member's address has no host or no port.
    #[error(
        "members: the address {address:?} of {name:?} is incomplete: write host:port, ip:port or \
         [ipv6]:port, with a port from 1 to 65535"
    )]
    MemberAddress {
        /// The member's name.
        name: String,
        /// Its address as declared.
        address: String,
    },
    /// This node is not among the members.
    #[error(
        "members: {node:?} is not among the members declared ({}): declare this node like the others",
        declared.join(", ")
    )]
    NotAMember {
        /// This node's name.
        node: String,
        /// The names declared.
        declared: Vec<String>,
    },
    /// This node's own entry says something else than a field of its own.
    #[error(
        "{field}: it says {own}, and this node's entry in members says {declared}: make them agree, or \
         leave {field} out"
    )]
    Contradiction {
        /// The field.
        field: &'static str,
        /// Its value.
        own: String,
        /// What the entry says.
        declared: String,
    },
    /// The quorum rule is not safe for these members.
    #[error("quorum: {0}")]
    Quorum(#[from] QuorumError),
    /// A span of time is zero.
    #[error("{field}: it is zero: choose a longer time")]
    ZeroTime {
        /// The field.
        field: &'static str,
    },
    /// The election timeout leaves no room for a lost heartbeat.
    #[error(
        "election_timeout: {election_timeout:?} is not more than twice the heartbeat_interval of \
         {heartbeat_interval:?}: a single late heartbeat would end a master's term"
    )]
    ElectionTimeout {
        /// The election timeout.
        election_timeout: Duration,
        /// The heartbeat interval.
        heartbeat_interval: Duration,
    },
    /// A lease is so short that it runs out between heartbeats, or so long that it keeps a group without master for longer than anything else does.
    #[error(
        "lease: of {lease:?} a master may count on {held:?}, with clocks off by up to {drift_per_mille} thousandths: let that be more \
         than twice the heartbeat_interval of {heartbeat_interval:?}, and the lease at most the election_timeout of {election_timeout:?}"
    )]
    Lease {
        /// For how long a voter grants it.
        lease: Duration,
        /// For how long a master relies on it.
        held: Duration,
        /// How far clocks may be off.
        drift_per_mille: u16,
        /// The heartbeat interval.
        heartbeat_interval: Duration,
        /// The election timeout.
        election_timeout: Duration,
    },
    /// The suspicion threshold is not a number above 0.
    #[error("phi_threshold: {0} is not above 0: 8 is usual")]
    Phi(f64),
    /// A limit is out of its range.
    #[error("{field}: {found} is out of range: choose {least} to {most}")]
    OutOfRange {
        /// The field.
        field: &'static str,
        /// Its value.
        found: usize,
        /// The least that it may be.
        least: usize,
        /// The most that it may be.
        most: usize,
    },
}

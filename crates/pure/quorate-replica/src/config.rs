use core::time::Duration;
use quorate_election::LeaseTerms;

/// How one node behaves. The shell has checked it.
#[derive(Clone, Debug)]
pub struct NodeConfig {
    /// How often a master sends heartbeats, at most ([`Timing`](quorate_election::Timing)).
    pub heartbeat_interval: Duration,
    /// Without answers from a write quorum for this long, at least, a master steps down; ballots and retries are timed by it too.
    pub election_timeout: Duration,
    /// The phi at which a replica takes silence for the master's death.
    pub phi_threshold: f64,
    /// The leases by which this node, as master, answers linearizable reads without asking anybody, and which it grants as a voter: alike on all
    /// nodes, and no longer than the election timeout. Without them every such read takes a round of heartbeats.
    pub lease: Option<LeaseTerms>,
    /// How many bytes may be on their way to one replica, and how many recent ones are kept in memory.
    pub window_bytes_max: usize,
    /// How many bytes one message carries.
    pub batch_bytes_max: usize,
    /// How many committed bytes may wait for the engine before a master accepts no more.
    pub apply_lag_bytes_max: usize,
    /// Within this time entries that asked for no sync are synced all the same.
    pub relaxed_sync_interval: Duration,
    /// How often the engine is asked how far it is durable.
    pub engine_flush_interval: Duration,
    /// Seed of all randomness in the node.
    pub seed: u64,
    /// A rule to break, so that a checker can be seen to notice.
    #[cfg(feature = "mutations")]
    pub mutation: Option<crate::Mutation>,
}

impl Default for NodeConfig {
    fn default() -> Self {
        Self {
            heartbeat_interval: Duration::from_millis(100),
            election_timeout: Duration::from_millis(1000),
            phi_threshold: 8.0,
            lease: None,
            window_bytes_max: 16 << 20,
            batch_bytes_max: 1 << 20,
            apply_lag_bytes_max: 32 << 20,
            relaxed_sync_interval: Duration::from_millis(200),
            engine_flush_interval: Duration::from_millis(500),
            seed: 0,
            #[cfg(feature = "mutations")]
            mutation: None,
        }
    }
}

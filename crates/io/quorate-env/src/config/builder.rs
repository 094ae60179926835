use super::{EngineKind, RepConfig, RepTransportKind};
use quorate_core::{Compression, Member, NodeId, NodeType, QuorumPolicy};
use quorate_policy::{CommitDurability, ConsistencyPolicy};
use std::path::PathBuf;
use std::time::Duration;

/// Builds a [`RepConfig`]. Each method sets the field of its name.
#[derive(Clone, Debug)]
pub struct RepConfigBuilder(RepConfig);

macro_rules! setters {
    ($($(#[$doc:meta])* $name:ident: $type:ty $(, as $wrap:path)?;)*) => {
        $($(#[$doc])*
        #[must_use]
        pub fn $name(mut self, $name: $type) -> Self {
            self.0.$name = $($wrap)? ($name);
            self
        })*
    };
}

impl RepConfigBuilder {
    pub(super) const fn new(config: RepConfig) -> Self {
        Self(config)
    }

    setters! {
        /// The port under which the other nodes reach this one.
        node_port: u16, as Some;
        /// This node's part in the group.
        node_type: NodeType, as Some;
        /// Which of two equally good logs leads.
        priority: u32, as Some;
        /// How the members decide.
        quorum: QuorumPolicy;
        /// The storage engine.
        engine: EngineKind;
        /// How nodes reach each other.
        transport: RepTransportKind;
        /// How this node compresses the log frames that it sends.
        compression: Compression;
        /// Allows listening beyond the loopback interface, unauthenticated. **Dangerous**: see the field.
        insecure_no_auth: bool;
        /// How durable a write is, unless it says otherwise.
        durability: CommitDurability;
        /// Whether writes on a replica are passed on to the master.
        forward_writes: bool;
        /// What a read asks for, unless it says otherwise.
        consistency: ConsistencyPolicy;
        /// How often a master tells the others that it lives.
        heartbeat_interval: Duration;
        /// How long a master leads without answers from a write quorum.
        election_timeout: Duration;
        /// The suspicion at which silence is taken for the master's death.
        phi_threshold: f64;
        /// Leases for linearizable reads: for how long a voter grants one.
        lease: Duration, as Some;
        /// How far the rate of any node's clock may be off, in thousandths.
        clock_drift_per_mille: u16;
        /// How long a write waits for its acknowledgements.
        ack_timeout: Duration;
        /// How many bytes may be on their way to one replica.
        window_bytes_max: usize;
        /// How many bytes one message with entries carries.
        batch_bytes_max: usize;
        /// How many committed bytes may wait for the engine.
        apply_lag_bytes_max: usize;
        /// The largest value in bytes.
        value_bytes_max: usize;
        /// Length of a file of the log in bytes.
        segment_bytes: u32;
        /// Memory for the engine's cache in bytes.
        engine_cache_bytes: usize;
        /// How often the engine is asked how far it is durable.
        engine_flush_interval: Duration;
        /// Within which time entries that asked for no sync are synced all the same.
        relaxed_sync_interval: Duration;
        /// How many callers may be connected that have not yet said who they are.
        connections_max: usize;
        /// How long they may take to do so.
        handshake_timeout: Duration;
        /// Seed of all jitter.
        seed: u64, as Some;
    }

    /// The directory of this node's log and engine.
    #[must_use]
    pub fn data_dir(mut self, directory: impl Into<PathBuf>) -> Self {
        self.0.data_dir = Some(directory.into());
        self
    }

    /// Where this node listens, if that is not where the others reach it.
    #[must_use]
    pub fn listen(mut self, address: impl Into<String>) -> Self {
        self.0.listen = Some(address.into());
        self
    }

    /// Declares an electable node of the group with priority 1, which the others reach at `address`.
    #[must_use]
    pub fn member(self, name: impl Into<String>, address: impl Into<String>) -> Self {
        self.member_with(Member {
            id: NodeId::default(),
            name: name.into(),
            address: address.into(),
            node_type: NodeType::Electable,
            priority: 1,
        })
    }

    /// Declares a node of the group. Its number is given by its name's place among the others, whatever it
    /// is here.
    #[must_use]
    pub fn member_with(mut self, member: Member) -> Self {
        self.0.members.push(member);
        self
    }

    /// The configuration. It is checked when the environment is opened.
    #[must_use]
    pub fn build(self) -> RepConfig {
        self.0
    }
}

use super::{Member, NodeId, QuorumPolicy, RepConfig};
use crate::{CompressionChoice, EngineChoice};
use quorate::NodeType;
use serde::Deserialize;
use std::path::PathBuf;
use std::time::Duration;

/// A node's configuration file, field by field. What is left out is as the environment has it.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct NodeFile {
    pub(super) group: Option<String>,
    pub(super) node: Option<String>,
    pub(super) client: Option<String>,
    pub(super) data_dir: Option<PathBuf>,
    pub(super) listen: Option<String>,
    pub(super) metrics: Option<String>,
    pub(super) engine: EngineChoice,
    pub(super) durability: Option<String>,
    pub(super) consistency: Option<String>,
    pub(super) log: Option<String>,
    pub(super) compression: CompressionChoice,
    pub(super) insecure_no_auth: bool,
    pub(super) phi_threshold: Option<f64>,
    pub(super) members: Option<Vec<DeclaredMember>>,
    pub(super) quorum: Quorum,
    pub(super) writes: Writes,
    pub(super) timeouts: Timeouts,
    pub(super) limits: Limits,
}

/// A node of the group.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DeclaredMember {
    pub(super) name: String,
    pub(super) address: String,
    pub(super) client: Option<String>,
    #[serde(default, rename = "type")]
    node_type: DeclaredType,
    #[serde(default = "one")]
    priority: u32,
}

/// A member's part in the group.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum DeclaredType {
    #[default]
    Electable,
    Secondary,
}

/// Sizes of quorums; both or none.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Quorum {
    election: Option<u16>,
    write: Option<u16>,
}

/// What becomes of writes.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Writes {
    /// Whether a replica passes them on to the master; else it refuses them with the master's address.
    pub(super) forward: Option<bool>,
}

/// Times in milliseconds.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Timeouts {
    heartbeat_interval_ms: Option<u64>,
    election_timeout_ms: Option<u64>,
    lease_ms: Option<u64>,
    ack_timeout_ms: Option<u64>,
    engine_flush_interval_ms: Option<u64>,
    relaxed_sync_interval_ms: Option<u64>,
    handshake_timeout_ms: Option<u64>,
    pub(super) read_timeout_ms: u64,
}

/// Bounds of memory and space.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Limits {
    value_bytes_max: Option<usize>,
    window_bytes_max: Option<usize>,
    batch_bytes_max: Option<usize>,
    apply_lag_bytes_max: Option<usize>,
    connections_max: Option<usize>,
    segment_bytes: Option<u32>,
    engine_cache_bytes: Option<usize>,
    pub(super) calls_max: Option<u32>,
    pub(super) requests_bytes_max: Option<usize>,
}

impl DeclaredMember {
    /// The member as the environment declares it; it is numbered there.
    pub(super) fn member(&self) -> Member {
        let node_type = match self.node_type {
            DeclaredType::Electable => NodeType::Electable,
            DeclaredType::Secondary => NodeType::Secondary,
        };
        let (name, address) = (self.name.clone(), self.address.clone());
        Member { id: NodeId::default(), name, address, node_type, priority: self.priority }
    }
}

impl Quorum {
    /// By simple majority unless both sizes are given; one alone is too few nodes for the other, and refused.
    pub(super) fn rule(&self) -> QuorumPolicy {
        match (self.election, self.write) {
            (None, None) => QuorumPolicy::SimpleMajority,
            (election, write) => {
                QuorumPolicy::Flexible { election: election.unwrap_or(0), write: write.unwrap_or(0) }
            }
        }
    }
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            heartbeat_interval_ms: None,
            election_timeout_ms: None,
            lease_ms: None,
            ack_timeout_ms: None,
            engine_flush_interval_ms: None,
            relaxed_sync_interval_ms: None,
            handshake_timeout_ms: None,
            read_timeout_ms: 5_000,
        }
    }
}

impl Timeouts {
    pub(super) fn set(&self, config: &mut RepConfig) {
        let time = |place: &mut Duration, milliseconds: Option<u64>| {
            if let Some(milliseconds) = milliseconds {
                *place = Duration::from_millis(milliseconds);
            }
        };
        time(&mut config.heartbeat_interval, self.heartbeat_interval_ms);
        time(&mut config.election_timeout, self.election_timeout_ms);
        config.lease = self.lease_ms.map(Duration::from_millis);
        time(&mut config.ack_timeout, self.ack_timeout_ms);
        time(&mut config.engine_flush_interval, self.engine_flush_interval_ms);
        time(&mut config.relaxed_sync_interval, self.relaxed_sync_interval_ms);
        time(&mut config.handshake_timeout, self.handshake_timeout_ms);
    }
}

impl Limits {
    pub(super) fn set(&self, config: &mut RepConfig) {
        let size = |place: &mut usize, bytes: Option<usize>| {
            if let Some(bytes) = bytes {
                *place = bytes;
            }
        };
        size(&mut config.value_bytes_max, self.value_bytes_max);
        size(&mut config.window_bytes_max, self.window_bytes_max);
        size(&mut config.batch_bytes_max, self.batch_bytes_max);
        size(&mut config.apply_lag_bytes_max, self.apply_lag_bytes_max);
        size(&mut config.connections_max, self.connections_max);
        size(&mut config.engine_cache_bytes, self.engine_cache_bytes);
        if let Some(bytes) = self.segment_bytes {
            config.segment_bytes = bytes;
        }
    }
}

const fn one() -> u32 {
    1
}

mod builder;
mod check;
mod config_error;

pub use builder::RepConfigBuilder;
pub(crate) use check::Checked;
pub use config_error::ConfigError;

use quorate_codec::VALUE_BYTES_MAX_DEFAULT;
use quorate_core::{Compression, Member, NodeType, QuorumPolicy};
use quorate_policy::{CommitDurability, ConsistencyPolicy};
use std::path::PathBuf;
use std::time::Duration;

/// How one node of a replicated environment is set up: a plain value, checked when the environment is opened.
///
/// ```
/// use quorate_env::{EngineKind, RepConfig};
///
/// let config = RepConfig::builder("orders", "node1", "10.0.0.1")
///     .node_port(14_001)
///     .member("node1", "10.0.0.1:14001")
///     .member("node2", "10.0.0.2:14001")
///     .member("node3", "10.0.0.3:14001")
///     .data_dir("/var/lib/orders")
///     .engine(EngineKind::Redb)
///     .build();
/// assert_eq!(config.members.len(), 3);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct RepConfig {
    /// The group's name, the same on every node: 1 to 255 bytes, without `/` and `\`.
    pub group: String,
    /// This node's name, unique in the group: as the group's.
    pub node: String,
    /// The host under which the other nodes reach this one.
    pub host: String,
    /// The port under which they do, 1 to 65535. Default: the one in this node's entry of `members`;
    /// without members, [`DEFAULT_NODE_PORT`](Self::DEFAULT_NODE_PORT).
    pub node_port: Option<u16>,
    /// Where this node listens, if that is not where the others reach it: `host:port`, `ip:port` or
    /// `[ipv6]:port`, for a container that listens on `0.0.0.0` and is reached under a name. Default: this
    /// node's own address.
    pub listen: Option<String>,
    /// This node's part in the group. Default: the one in its entry of `members`; without members, electable.
    pub node_type: Option<NodeType>,
    /// Which of two equally good logs leads: the higher priority does. At least 1. Default: the one in this
    /// node's entry of `members`; without members, 1.
    pub priority: Option<u32>,
    /// Every node of the group, this one included; declared alike on every node (their numbers are given by
    /// their names' order, whatever they are here). Empty for a group of one. It founds the group; after
    /// that the group itself knows its members.
    pub members: Vec<Member>,
    /// How the members decide. The same on every node. Default: by simple majority.
    pub quorum: QuorumPolicy,
    /// The directory of this node's log and engine, its own alone. Default: `quorate-data/<group>/<node>`
    /// in the working directory.
    pub data_dir: Option<PathBuf>,
    /// The storage engine. Default: fjall.
    pub engine: EngineKind,
    /// How nodes reach each other. Default: TCP.
    pub transport: RepTransportKind,
    /// How this node compresses the log frames that it sends to others, over TCP. Each node says what it can
    /// read when a link is opened; one that cannot read this gets them as they stand, so nodes may differ. Worth
    /// it where the network is slower than the processor. Default: not at all.
    pub compression: Compression,
    /// Allows listening beyond the loopback interface. **Dangerous**: nobody who calls is authenticated, so
    /// whoever reaches the port and knows the names can read and write the group's data. Only for a network
    /// in which every machine is trusted. Default: false.
    pub insecure_no_auth: bool,
    /// How durable a write is, unless it says otherwise. Default: fsynced by a majority.
    pub durability: CommitDurability,
    /// Writes on a replica are passed on to the master, and answered once they are applied here too, so that
    /// whoever wrote reads its own writes on any node. False: they are refused with the master's address.
    /// Default: true.
    pub forward_writes: bool,
    /// What a read asks for, unless it says otherwise. Default: nothing; it sees some committed state, at
    /// once.
    pub consistency: ConsistencyPolicy,
    /// How often a master tells the others that it lives, at most: where a round trip to as many nodes as a commit needs takes longer, it
    /// does so once in that time. The same on every node. Default: 100 ms.
    pub heartbeat_interval: Duration,
    /// A master that has no answers from a write quorum for this long steps down, and elections are timed
    /// by it. More than twice the heartbeat interval. Shorter means that a hung master is replaced sooner,
    /// and that a node which is held up is taken for one. Over a slow network it is ten round trips, up to 20 s, where that is longer: the nodes
    /// measure them. Default: 1 s.
    pub election_timeout: Duration,
    /// The suspicion (phi) at which silence is taken for the master's death: 8 errs once in 10^8
    /// heartbeats. Above 0. Default: 8.
    pub phi_threshold: f64,
    /// Leases, by which a master answers linearizable reads without asking anybody: for so long a voter that grants one promises no other
    /// term. The same on every node; a node without them grants none. Longer than two heartbeat intervals and the drift of clocks, and no
    /// longer than the election timeout; half of that is usual. Where two round trips take longer than a lease it lapses between heartbeats, and
    /// reads take a round as they do without.
    ///
    /// Without leases such a read takes a round of heartbeats through a write quorum, and rests on no clock. With them it rests on
    /// [`clock_drift_per_mille`](Self::clock_drift_per_mille), and while anybody reads so, whoever replaces a master that has died waits for its
    /// lease, as does the first election after a node that has granted any was started. A virtual machine that is stopped or moved *together
    /// with its clocks* does not see that time has passed: do not use leases where that happens to running nodes. Default: none.
    pub lease: Option<Duration>,
    /// How far the rate of any node's clock may be off, in thousandths: 0 to 400. Quartz, and clocks that are slewed by NTP, stay far below the default;
    /// more shortens what a master makes of a lease. Read where there are leases. Default: 100.
    pub clock_drift_per_mille: u16,
    /// How long a write waits at most, for its turn and its acknowledgements together. Default: 5 s.
    pub ack_timeout: Duration,
    /// How many bytes may be on their way to one replica, may be uncommitted, and are kept in memory for
    /// replicas. At least one entry of the largest size. More lets a fast group run ahead on a slow
    /// network; each takes memory. Default: 17 MiB.
    pub window_bytes_max: usize,
    /// How many bytes one message with entries carries, unless it is a single entry. Default: 1 MiB.
    pub batch_bytes_max: usize,
    /// How many committed bytes may wait for the engine before a master takes no more. Default: 32 MiB.
    pub apply_lag_bytes_max: usize,
    /// The largest value in bytes; the same limit holds for all operations of one write together. The same
    /// on every node. At most 60 MiB. Default: 16 MiB.
    pub value_bytes_max: usize,
    /// Length of a file of the log in bytes. Space is taken and given back by this measure. 4 KiB to 1 GiB.
    /// Default: 64 MiB.
    pub segment_bytes: u32,
    /// Memory that the engine may use to cache what it reads, in bytes; the memory engine needs none.
    /// Default: 8 MiB.
    pub engine_cache_bytes: usize,
    /// How often the engine is asked how far it is durable, and made so unless it sees to that by itself; a restart
    /// replays the log from there.
    /// Default: 500 ms.
    pub engine_flush_interval: Duration,
    /// Within this time entries that asked for no sync are synced all the same. Default: 200 ms.
    pub relaxed_sync_interval: Duration,
    /// How many callers may be connected that have not yet said who they are. At least 1. Default: 256.
    pub connections_max: usize,
    /// How long they may take to do so. Default: 3 s.
    pub handshake_timeout: Duration,
    /// Seed of all jitter, so that a run can be replayed. Default: drawn at random.
    pub seed: Option<u64>,
}

/// A storage engine that Quorate brings along.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum EngineKind {
    /// An ordered map in memory. The log is on disk all the same, and replayed at every start.
    Memory,
    /// redb: a copy-on-write B-tree in one file. Reads are fast and memory use is steady.
    Redb,
    /// fjall: a log-structured merge tree in a directory. Writes are fast.
    #[default]
    Fjall,
}

/// How the nodes of a group reach each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum RepTransportKind {
    /// Over TCP.
    #[default]
    Tcp,
    /// Within one process: for an application's own tests.
    InMemory,
}

impl RepConfig {
    /// The port of a node that declares none: 14001.
    pub const DEFAULT_NODE_PORT: u16 = 14_001;

    /// A configuration with all defaults for the node called `node` of the group called `group`, which the
    /// others reach at `host`.
    #[must_use]
    pub fn builder(
        group: impl Into<String>,
        node: impl Into<String>,
        host: impl Into<String>,
    ) -> RepConfigBuilder {
        RepConfigBuilder::new(Self::new(group.into(), node.into(), host.into()))
    }

    fn new(group: String, node: String, host: String) -> Self {
        Self {
            group,
            node,
            host,
            node_port: None,
            listen: None,
            node_type: None,
            priority: None,
            members: Vec::new(),
            quorum: QuorumPolicy::SimpleMajority,
            data_dir: None,
            engine: EngineKind::default(),
            transport: RepTransportKind::default(),
            compression: Compression::None,
            insecure_no_auth: false,
            durability: CommitDurability::default(),
            forward_writes: true,
            consistency: ConsistencyPolicy::default(),
            heartbeat_interval: Duration::from_millis(100),
            election_timeout: Duration::from_secs(1),
            phi_threshold: 8.0,
            lease: None,
            clock_drift_per_mille: 100,
            ack_timeout: Duration::from_secs(5),
            window_bytes_max: VALUE_BYTES_MAX_DEFAULT + (1 << 20),
            batch_bytes_max: 1 << 20,
            apply_lag_bytes_max: 32 << 20,
            value_bytes_max: VALUE_BYTES_MAX_DEFAULT,
            segment_bytes: 64 << 20,
            engine_cache_bytes: 8 << 20,
            engine_flush_interval: Duration::from_millis(500),
            relaxed_sync_interval: Duration::from_millis(200),
            connections_max: 256,
            handshake_timeout: Duration::from_secs(3),
            seed: None,
        }
    }
}

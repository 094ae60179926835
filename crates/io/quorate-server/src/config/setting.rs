use quorate::RepConfig;
use std::ffi::OsString;

/// One setting of a node: where it stands in the file, and what it means. The command line, the environment
/// variables and the reference are made from the list of them.
#[derive(Debug)]
pub(crate) struct Setting {
    /// Its place in the file: a field, or a table and a field.
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// What holds where it is not given, in the form that it is given in; empty: something else decides.
    pub(crate) default: fn(&RepConfig) -> String,
    pub(crate) doc: &'static str,
}

/// What a setting's value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    /// A whole number.
    Number,
    Decimal,
    /// true or false.
    Switch,
    /// The list of members; in text `name=address` with `;client=ADDRESS`, `;type=secondary`, `;priority=N`,
    /// separated by commas.
    Members,
}

impl Setting {
    /// Its name on the command line, without dashes in front.
    pub(crate) fn flag(&self) -> String {
        let name = match self.name.split_once('.') {
            Some(("quorum" | "writes", _)) | None => self.name,
            Some((_, field)) => field,
        };
        name.replace(['.', '_'], "-")
    }

    /// The environment variable that gives it.
    pub(crate) fn variable(&self) -> OsString {
        format!("QUORATE_{}", self.flag().replace('-', "_").to_uppercase()).into()
    }

    /// Its value's form, for people.
    pub(crate) const fn form(&self) -> &'static str {
        match self.kind {
            Kind::Text => "TEXT",
            Kind::Number => "N",
            Kind::Decimal => "DECIMAL",
            Kind::Switch => "BOOL",
            Kind::Members => "MEMBERS",
        }
    }
}

const fn text(name: &'static str, default: fn(&RepConfig) -> String, doc: &'static str) -> Setting {
    Setting { name, kind: Kind::Text, default, doc }
}

const fn number(name: &'static str, default: fn(&RepConfig) -> String, doc: &'static str) -> Setting {
    Setting { name, kind: Kind::Number, default, doc }
}

const fn none(_: &RepConfig) -> String {
    String::new()
}

/// All settings of a node, in the order in which they are told of.
pub(crate) const SETTINGS: &[Setting] = &[
    text("group", none, "The group's name, the same on every node. Required."),
    text("node", none, "This node's name, one of the members'. Required."),
    text("client", none, "Where clients call (gRPC): host:port; port 0 takes any free port. Required."),
    text("data_dir", none, "The directory of this node's log and engine, its own alone. Required."),
    Setting {
        name: "members",
        kind: Kind::Members,
        default: none,
        doc: "Every node of the group, this one included, the same list on every node. Required. In the \
        file a table \
              [[members]] for each, with `name`, `address` (where the other nodes reach it), and, where \
              wanted, \
              `client` (where its clients reach it), `type` (electable or secondary) and `priority` (of two \
              equally \
              good logs the one with the higher leads). On the command line NAME=ADDRESS, then \
              ;client=ADDRESS, \
              ;type=secondary and ;priority=N where wanted; members are separated by commas.",
    },
    text("listen", none, "Where the other nodes call, if that is not this node's own address."),
    text(
        "metrics",
        none,
        "Where Prometheus fetches this node's metrics, at /metrics: host:port. Without it nowhere.",
    ),
    text("engine", |_| "fjall".to_owned(), "The storage engine: fjall, redb or memory."),
    text(
        "durability",
        |config| config.durability.to_string(),
        "When a write counts as done, unless it says otherwise: the master's copy, the replicas' copies \
        (each sync, \
         write-no-sync or no-sync), acknowledgements (all, majority or none).",
    ),
    text(
        "consistency",
        |_| "any".to_owned(),
        "What a read must have seen, unless it says otherwise: any, linearizable, or time: and the greatest \
        lag, such \
         as time:500ms.",
    ),
    text(
        "compression",
        |config| config.compression.name().to_owned(),
        "How this node compresses the log that it sends to the others: none, lz4 (little processor time) or \
         zstd (fewer bytes). A node that cannot read it gets it uncompressed.",
    ),
    text(
        "log",
        |_| "info".to_owned(),
        "What to log: off, error, warn, info, debug, trace, or target=level,...",
    ),
    Setting {
        name: "insecure_no_auth",
        kind: Kind::Switch,
        default: |config| config.insecure_no_auth.to_string(),
        doc: "Allows listening beyond loopback. DANGEROUS: nobody who calls is authenticated.",
    },
    Setting {
        name: "phi_threshold",
        kind: Kind::Decimal,
        default: |config| format!("{:.1}", config.phi_threshold),
        doc: "The suspicion at which silence is taken for the master's death: 8 errs once in 10^8 \
              heartbeats.",
    },
    number(
        "quorum.election",
        none,
        "How many nodes elect a master; a simple majority unless both sizes are given.",
    ),
    number(
        "quorum.write",
        none,
        "How many nodes must hold a write; with the one above more than all electable nodes.",
    ),
    Setting {
        name: "writes.forward",
        kind: Kind::Switch,
        default: |config| config.forward_writes.to_string(),
        doc: "Whether a node that is not the master passes writes on to it, or refuses them with its address.",
    },
    number(
        "timeouts.heartbeat_interval_ms",
        |config| config.heartbeat_interval.as_millis().to_string(),
        "How often the master tells that it lives, where a round trip takes no longer. The same on every node.",
    ),
    number(
        "timeouts.election_timeout_ms",
        |config| config.election_timeout.as_millis().to_string(),
        "How long a master leads without answers; more than twice the heartbeat interval. Ten round trips where \
         they take longer. The same on every node.",
    ),
    number(
        "timeouts.lease_ms",
        none,
        "How long leases are, by which the master answers linearizable reads without asking anybody; 500 is usual, \
         at most the election timeout. They rest on clocks that run: not for machines that are stopped together \
         with their clocks. Without it there are none. The same on every node.",
    ),
    number(
        "timeouts.ack_timeout_ms",
        |config| config.ack_timeout.as_millis().to_string(),
        "How long a write waits for its turn and its acknowledgements together.",
    ),
    number(
        "timeouts.read_timeout_ms",
        |_| "5000".to_owned(),
        "How long a read waits for what it must have seen, unless it says otherwise.",
    ),
    number(
        "timeouts.engine_flush_interval_ms",
        |config| config.engine_flush_interval.as_millis().to_string(),
        "How often the engine is asked how far it is durable, and made so unless it sees to that by itself; a restart replays the log from there.",
    ),
    number(
        "timeouts.relaxed_sync_interval_ms",
        |config| config.relaxed_sync_interval.as_millis().to_string(),
        "Within this time writes that asked for no sync are synced all the same.",
    ),
    number(
        "timeouts.handshake_timeout_ms",
        |config| config.handshake_timeout.as_millis().to_string(),
        "How long a node that connects may take to say who it is.",
    ),
    number(
        "limits.value_bytes_max",
        |config| config.value_bytes_max.to_string(),
        "The largest value, and all values of one write together, in bytes. At most 60 MiB. The same on every \
         node.",
    ),
    number(
        "limits.window_bytes_max",
        |config| config.window_bytes_max.to_string(),
        "What may be under way to one replica, may be uncommitted, and is kept in memory for replicas, in \
         bytes.",
    ),
    number(
        "limits.batch_bytes_max",
        |config| config.batch_bytes_max.to_string(),
        "What one message between nodes carries, unless it is a single entry, in bytes.",
    ),
    number(
        "limits.apply_lag_bytes_max",
        |config| config.apply_lag_bytes_max.to_string(),
        "What may wait for the engine before a master takes no more, in bytes.",
    ),
    number(
        "limits.segment_bytes",
        |config| config.segment_bytes.to_string(),
        "Length of a file of the log in bytes: 4 KiB to 1 GiB.",
    ),
    number(
        "limits.engine_cache_bytes",
        |config| config.engine_cache_bytes.to_string(),
        "Memory for the engine's cache, in bytes.",
    ),
    number(
        "limits.connections_max",
        |config| config.connections_max.to_string(),
        "How many nodes may be connected that have not yet said who they are.",
    ),
    number(
        "limits.calls_max",
        |_| super::NodeSettings::CALLS_MAX_DEFAULT.to_string(),
        "Calls under way at a time on one client's connection. At least 1.",
    ),
    number(
        "limits.requests_bytes_max",
        |_| super::NodeSettings::REQUESTS_BYTES_MAX_DEFAULT.to_string(),
        "What all requests under way may take together, whatever connections they come on, in bytes; at \
        least the \
         largest value and 1 MiB. What finds no room is refused as busy.",
    ),
];

use super::BenchError;
use super::catch_up::CatchUpArguments;
use super::comparison::Comparison;
use super::failover::FailoverArguments;
use super::history::HistoryArguments;
use super::mode::Mode;
use super::reads::ReadsArguments;
use super::replay::ReplayArguments;
use super::stopped::StoppedArguments;
use super::value_length;
use super::values::Values;
use super::workload::WorkloadArguments;
use crate::{CompressionChoice, EngineChoice};
use clap::builder::ArgPredicate;
use clap::{Args, ValueEnum, value_parser};
use quorate::CommitDurability;
use std::path::PathBuf;

/// How to measure.
#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub struct BenchArguments {
    /// How the writers reach the group.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "embedded", value_name = "WAY,...")]
    pub via: Vec<Via>,
    /// How many writers there are in each step. Each has one write under way at a time.
    /// Without it 1,16,64,256; with --failover or --catch-up 16, with --reads 64, with --stopped-replica 256.
    #[arg(long, value_delimiter = ',', default_value = "1,16,64,256", value_name = "N,...")]
    #[arg(default_value_if("failover", ArgPredicate::IsPresent, "16"), hide_default_value = true)]
    #[arg(default_value_if("catch_up", ArgPredicate::IsPresent, "16"))]
    #[arg(default_value_if("reads", "true", "64"), default_value_if("stopped_replica", "true", "256"))]
    #[arg(value_parser = value_parser!(u32).range(1..=WRITERS_MAX))]
    pub writers: Vec<u32>,
    /// How long each step is measured.
    #[arg(long, default_value_t = 8, value_name = "SECONDS", value_parser = value_parser!(u32).range(1..=3600))]
    pub seconds: u32,
    /// How long each step runs before it is measured.
    #[arg(long, default_value_t = 2, value_name = "SECONDS", value_parser = value_parser!(u32).range(0..=600))]
    pub warm_up: u32,
    /// Length of the keys, which are random, in bytes.
    #[arg(long, default_value_t = 16, value_name = "BYTES", value_parser = value_parser!(u32).range(1..=1024))]
    pub key_bytes: u32,
    /// Length of the values, in bytes or as 64KiB or 1MiB; several are measured one after the other.
    /// Without it 100; with --history 16.
    #[arg(long, value_delimiter = ',', default_value = "100", value_name = "BYTES,...")]
    #[arg(default_value_if("history", ArgPredicate::IsPresent, "16"), hide_default_value = true)]
    #[arg(value_parser = value_length::parse)]
    pub value_bytes: Vec<u32>,
    /// What the values are made of, where writes alone are measured; everywhere else they are alike.
    #[arg(long, value_enum, default_value_t, value_name = "WHAT")]
    #[arg(conflicts_with_all = ["workload", "failover", "catch_up", "replay", "reads", "stopped_replica", "history"])]
    pub values: Values,
    /// How many nodes the group has; several sizes are measured one after the other.
    #[arg(long, value_delimiter = ',', default_value = "3", value_name = "N,...")]
    #[arg(value_parser = value_parser!(u32).range(1..=NODES_MAX), conflicts_with_all = ["endpoints", "compare"])]
    pub nodes: Vec<u32>,
    /// How durable a write is: on the master, on the replicas, and on how many of them. Given more than once,
    /// each is measured in turn and related to the first.
    #[arg(long, default_value = "sync,sync,majority", value_name = "LOCAL,REPLICA,ACKS")]
    pub durability: Vec<CommitDurability>,
    /// The nodes' storage engine; several are measured in turn.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "fjall", value_name = "ENGINE,...")]
    pub engine: Vec<EngineChoice>,
    /// How nodes compress what they send each other, where writers are embedded; the bytes for each write are told
    /// besides.
    #[arg(long, value_enum, default_value_t, value_name = "KIND")]
    #[arg(conflicts_with_all = ["workload", "failover", "catch_up", "replay", "reads", "stopped_replica", "history"])]
    #[arg(conflicts_with_all = ["via", "endpoints"])]
    pub compression: CompressionChoice,
    /// Measures a running group instead, over gRPC: where its nodes serve clients, `host:port`. Not every node
    /// need be named, but the master must be. It gets random keys in its default database.
    #[arg(long, value_delimiter = ',', value_name = "ADDRESS,...", conflicts_with_all = ["via", "engine"])]
    pub endpoints: Vec<String>,
    /// Measures the bare loop too, in turn with the group: as many processes that write, sync and replicate, and do
    /// nothing else. Always fsynced by a majority.
    #[arg(long)]
    pub floor: bool,
    /// Measures a running etcd cluster too, in turn with the group and under the same load. All of its members are
    /// to be named, by where they serve clients. It gets random keys.
    #[arg(long, value_name = "etcd=ADDRESS,...")]
    pub compare: Option<Comparison>,
    /// Measures too how fast as many processes at once apply the group's batches to its engine, without a group.
    #[arg(long, conflicts_with = "endpoints")]
    pub engine_limit: bool,
    /// How often everything is measured; the medians are shown.
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = value_parser!(u32).range(1..=99))]
    pub repeat: u32,
    /// Where the nodes' directories are made, and removed again: the disk to be measured. Without it, the
    /// system's directory for temporary files.
    #[arg(long, value_name = "DIR")]
    pub directory: Option<PathBuf>,
    /// Writes the result to this file too, as a page that needs no network, for writes with plots. Its folder must
    /// exist.
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// What the writers do.
    #[command(flatten)]
    pub workload: WorkloadArguments,
    /// Whether to measure failovers, and how.
    #[command(flatten)]
    pub failover: FailoverArguments,
    /// Whether to measure a catch-up.
    #[command(flatten)]
    pub catch_up: CatchUpArguments,
    /// Whether to measure a restart with an empty engine.
    #[command(flatten)]
    pub replay: ReplayArguments,
    /// Whether to measure reads.
    #[command(flatten)]
    pub reads: ReadsArguments,
    /// Whether to measure what a stopped replica costs.
    #[command(flatten)]
    pub stopped: StoppedArguments,
    /// Whether to measure logs of given lengths.
    #[command(flatten)]
    pub history: HistoryArguments,
    /// Print the result as one JSON object instead of a table.
    #[arg(long)]
    pub json: bool,
}

/// How writers reach a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Via {
    /// In the master's process, as a library is used.
    Embedded,
    /// Over gRPC, from another process.
    Grpc,
}

const WRITERS_MAX: i64 = 4096;
const NODES_MAX: i64 = 9;
/// How many nodes a group has where their number cannot be chosen.
pub(super) const NODES: u32 = 3;

impl BenchArguments {
    /// The length of the values where there is one, in bytes.
    pub(super) fn value_bytes(&self) -> u32 {
        self.value_bytes[0]
    }

    /// How durable a write is where there is one way.
    pub(super) fn durability(&self) -> CommitDurability {
        self.durability[0]
    }

    /// Which rows are written and how, in a line.
    pub(super) fn rows_note(&self) -> String {
        let Self { key_bytes, seconds, warm_up, .. } = self;
        let (value_bytes, durability) = (self.value_bytes(), self.durability());
        format!(
            "keys of {key_bytes} bytes, values of {value_bytes}, {durability}, {seconds} s after {warm_up} s"
        )
    }

    /// The same as JSON.
    pub(super) fn rows_settings(&self) -> serde_json::Value {
        serde_json::json!({
            "key_bytes": self.key_bytes,
            "value_bytes": self.value_bytes(),
            "durability": self.durability().to_string(),
            "seconds": self.seconds,
            "warm_up_seconds": self.warm_up,
            "rounds": self.repeat,
        })
    }

    /// Refuses several values of an argument where one alone is measured, and what only says something of reads
    /// where there are none.
    ///
    /// # Errors
    /// [`BenchError::SeveralValues`], [`BenchError::NothingRead`].
    pub(super) fn check(&self) -> Result<(), BenchError> {
        match Mode::of(self) {
            Mode::Writes => self.workload.check(),
            Mode::Reads => self.check_single(),
            _ => self.workload.check().and_then(|()| self.check_single()),
        }
    }

    fn check_single(&self) -> Result<(), BenchError> {
        let counts = [("--value-bytes", self.value_bytes.len()), ("--durability", self.durability.len())];
        match counts.iter().find(|(_, count)| *count > 1) {
            Some((argument, _)) => Err(BenchError::SeveralValues { argument }),
            None => Ok(()),
        }
    }
}

/// What `quorate bench --help` says at its end.
pub(crate) const BENCH_HELP: &str = "\
Each step starts nodes of its own on this machine, in a temporary directory that is removed at the end, also\n\
after Ctrl-C. A write counts once it is committed and applied on the master, and the time until all nodes have\n\
applied everything belongs to the step. Latencies are those of the writers. Several values of --value-bytes,\n\
--nodes and --durability are measured in one run, each with every number of writers; the rate with a durability\n\
is related to that with the first. The memory is that of the node that has most.\n\
\n\
Embedded writers are tasks on one thread of the master's process; writers over gRPC are tasks on one thread of\n\
this process, a connection for every 64 of them. The processor time is that of all nodes and of the writers,\n\
for each write.\n\
\n\
The shares relate a step to what else was measured at as many writers in the same run: to the bare loop, and\n\
to the smaller of the memory engine's rate (where it was measured) and of the engine's limit. So does how many\n\
times etcd's rate it reached: etcd's writers are as those over gRPC, all connected to its leader.\n\
\n\
A --workload that reads fills a key space first, and its latencies of reads and of writes are told apart; a\n\
scan is a read. Reads go to the master, as writes do. Here the time in which replicas catch up does not count.\n\
\n\
With --failover the writers are clients that follow the master. It fails after --warm-up seconds of load, the\n\
load goes on for --seconds, and the master comes back; then the next round begins, in the same group. What is\n\
told: the time from the blow to the first write that a new master has acknowledged, and the longest time in\n\
which none was. At the end every acknowledged write must be on every node; otherwise the run fails.\n\
\n\
With --catch-up a replica's process is killed, the others take so many writes, and it is started again after\n\
--warm-up seconds of load, which goes on. The time counts from the start of its process until it has applied\n\
all that was there then. The engine alone is measured for as long, in one process, with batches as large.\n\
\n\
With --replay a node that is alone in its group gets so many writes and is killed, its engine is removed, and it\n\
starts again. The time counts from the moment at which it is open until all is applied.\n\
\n\
With --reads a replica reads its rows at random, as does a bare engine with the same rows in the same process,\n\
in turn, each for as long; then readers in the master's process read them linearizably, then as many write.\n\
\n\
With --stopped-replica the load runs for --seconds with all nodes, as long with a replica stopped, and with all again.\n\
\n\
With --history one process writes a log, another one opens it and looks up 100000 entries at random. The files are\n\
in the system's cache.\n\
\n\
Examples:\n  \
quorate bench --engine memory --floor\n  \
quorate bench --engine memory,fjall --floor --engine-limit --repeat 3\n  \
quorate bench --via embedded,grpc --writers 1,64 --seconds 4\n  \
quorate bench --value-bytes 16,1KiB,64KiB,1MiB --nodes 1,3,5,7 --writers 16\n  \
quorate bench --durability sync,sync,majority --durability write-no-sync,write-no-sync,majority\n  \
quorate bench --via embedded,grpc --compare etcd=127.0.0.1:12379,127.0.0.1:22379,127.0.0.1:32379\n  \
quorate bench --values text --compression zstd --writers 64\n  \
quorate bench --workload ycsb-a --via embedded,grpc --writers 16,64\n  \
quorate bench --workload read --read-consistency any --keys 1000000\n  \
quorate bench --failover 10 --seconds 2\n  \
quorate bench --failover 3 --failover-by stop --writers 1,16 --json\n  \
quorate bench --catch-up 200000 --repeat 3\n  \
quorate bench --replay 1000000 --engine memory,fjall\n  \
quorate bench --reads --repeat 3\n  \
quorate bench --stopped-replica --seconds 4\n  \
quorate bench --history 100000,1000000,10000000\n  \
quorate bench --endpoints 127.0.0.1:14101,127.0.0.1:14102,127.0.0.1:14103 --json";

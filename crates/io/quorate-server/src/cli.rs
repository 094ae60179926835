mod connection;
mod data;
mod help;
mod inspection;

pub use connection::{ConnectionArguments, ReadArguments, WriteArguments};
pub use data::{
    DelArguments, EncodingArguments, ExportArguments, GetArguments, ImportArguments, PutArguments, RowFormat,
    ScanArguments, TxnArguments,
};
pub use inspection::{
    CompletionsArguments, LogCommand, LogDumpArguments, LogVerifyArguments, StatusArguments,
};

use crate::bench::{BENCH_HELP, BenchArguments};
use crate::config::GivenSettings;
use clap::{Args, Parser, Subcommand, ValueEnum, value_parser};
use quorate::{Compression, EngineKind};
use std::path::PathBuf;

/// Replication and high availability for embedded storage engines.
///
/// A group of nodes holds copies of named databases. The nodes elect a master by themselves; a write is
/// acknowledged once a majority has it on disk; when the master dies another one takes over and no
/// acknowledged write is lost.
#[derive(Clone, Debug, PartialEq, Eq, Parser)]
#[command(name = "quorate", version, propagate_version = true, after_help = help::EXIT_CODES)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What the program can do.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Runs one node of a group until it is told to stop (Ctrl-C or SIGTERM).
    #[command(after_long_help = NODE_HELP)]
    Node(NodeArguments),
    /// Shows a failover: three nodes, a load, kill -9 of the master half way, and a comparison at the end.
    #[command(after_long_help = DEMO_HELP)]
    Demo(DemoArguments),
    /// Sets a key and prints the write's token.
    #[command(after_help = help::PUT)]
    Put(PutArguments),
    /// Prints a key's value.
    #[command(after_help = help::GET)]
    Get(GetArguments),
    /// Removes a key, if it is there, and prints the write's token.
    #[command(after_help = help::DEL)]
    Del(DelArguments),
    /// Prints a range of keys with their values.
    #[command(after_help = help::SCAN)]
    Scan(ScanArguments),
    /// Carries out a script as one transaction, exactly once.
    #[command(after_help = help::TXN)]
    Txn(TxnArguments),
    /// Writes many rows from a directory, a file or stdin.
    #[command(after_help = help::IMPORT)]
    Import(ImportArguments),
    /// Writes all rows of a database to a directory, a file or stdout.
    #[command(after_help = help::EXPORT)]
    Export(ExportArguments),
    /// Shows the group: who leads since when, and how far every node has come.
    #[command(after_help = help::STATUS)]
    Status(StatusArguments),
    /// Looks into the log of a node that is not running.
    #[command(subcommand, after_help = help::LOG)]
    Log(LogCommand),
    /// Prints a script that teaches a shell to complete this program's command lines.
    #[command(after_help = help::COMPLETIONS)]
    Completions(CompletionsArguments),
    /// Measures how many writes a group commits, and what its disk, network and engine allow.
    #[command(after_long_help = BENCH_HELP)]
    Bench(BenchArguments),
    /// A process of the benchmark.
    #[command(hide = true)]
    BenchNode,
}

/// How to run a node.
#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub struct NodeArguments {
    /// The node's configuration file (TOML). `quorate node --help` shows an example.
    #[arg(long, value_name = "FILE", env = "QUORATE_CONFIG")]
    pub config: Option<PathBuf>,
    /// Print all settings with their meanings, as Markdown, and end.
    #[arg(long, hide = true)]
    pub print_configuration_reference: bool,
    /// Settings over those of the file.
    #[command(flatten)]
    pub given: GivenSettings,
}

/// How to run the demonstration.
#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub struct DemoArguments {
    /// What to write: a directory (a record per file: key = relative path, value = content) or a file of
    /// `key<TAB>value` lines. Without it, records are generated.
    #[arg(long, value_name = "PATH", conflicts_with = "records")]
    pub input: Option<PathBuf>,
    /// How many records to generate: keys of 16 bytes, values of 100.
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    #[arg(value_parser = value_parser!(u64).range(2..=RECORDS_MAX))]
    pub records: u64,
    /// Print the result as one JSON object instead of the story.
    #[arg(long)]
    pub json: bool,
    /// The nodes' storage engine.
    #[arg(long, value_enum, default_value_t)]
    pub engine: EngineChoice,
    /// Keep the nodes' directories here: configurations, logs, data. Must not exist, or be empty. Without it
    /// a temporary directory is used, and removed unless something was lost.
    #[arg(long, value_name = "DIR")]
    pub keep: Option<PathBuf>,
    /// How many writes are under way at a time.
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = value_parser!(u16).range(1..=1024))]
    pub writers: u16,
}

/// How many records a demonstration writes at most: it keeps a few bytes of each in memory.
const RECORDS_MAX: u64 = 100_000_000;

/// A storage engine, as it is called on the command line and in configuration files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, ValueEnum, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum EngineChoice {
    /// An ordered map in memory; the log is replayed at every start.
    Memory,
    /// redb: a copy-on-write B-tree in one file.
    Redb,
    /// fjall: a log-structured merge tree.
    #[default]
    Fjall,
}

impl EngineChoice {
    /// The engine's name in a configuration file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Redb => "redb",
            Self::Fjall => "fjall",
        }
    }
}

impl From<EngineChoice> for EngineKind {
    fn from(choice: EngineChoice) -> Self {
        match choice {
            EngineChoice::Memory => Self::Memory,
            EngineChoice::Redb => Self::Redb,
            EngineChoice::Fjall => Self::Fjall,
        }
    }
}

/// How nodes compress what they send each other, as it is called on the command line and in configuration files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, ValueEnum, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CompressionChoice {
    /// Not at all.
    #[default]
    None,
    /// LZ4: little processor time.
    Lz4,
    /// Zstandard: fewer bytes.
    Zstd,
}

impl From<CompressionChoice> for Compression {
    fn from(choice: CompressionChoice) -> Self {
        match choice {
            CompressionChoice::None => Self::None,
            CompressionChoice::Lz4 => Self::Lz4,
            CompressionChoice::Zstd => Self::Zstd,
        }
    }
}

const NODE_HELP: &str = concat!(
    "An example of a configuration file, for the first of three nodes. The other two differ in `node`,\n\
     `client` and `data_dir` only.\n\n",
    include_str!("config/example.toml"),
    "\nThe command line prevails over environment variables, and those over the file.\n\n\
     When the node serves clients it prints one line to stdout:\n\n  \
     ready: node node1 of group orders, clients at 127.0.0.1:14101, nodes at 127.0.0.1:14001\n\n\
     It exits with 0 when it was told to stop, and with 1 and a text that says what to do if it could not\n\
     start or had to stop serving."
);

const DEMO_HELP: &str = "\
It exits with 0 only if every record was acknowledged, writes were under way when the master was killed,\n\
and each of the three nodes holds every acknowledged record with its value; otherwise with 1, and says why.";

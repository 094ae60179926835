//! The quorate program: a node that serves gRPC, a client of a group, and commands for both.
//!
//! ```text
//!  main --> run --> node_command: config --> ReplicatedEnvironment <-- service (gRPC) <-- client
//!               |                              metrics, health                              ^
//!               |-> commands: put, get, del, scan, txn, import, export, status -------------+
//!               |             log dump, log verify --> a stopped node's files
//!               |-> bench: a load on a group of its own; the bare loop and the engine alone beside it
//!               \-> demo: three `quorate node` processes <-- load (gRPC); kill -9; compare their engines
//! ```
//!
//! - [`Cli`] is the command line, [`run`] carries it out.
//! - [`NodeSettings`] is what a node's configuration file, the environment variables and the command line say,
//!   checked; [`configuration_reference`] tells of every setting.
//! - [`QuorateService`] answers gRPC calls from an open environment; [`v1`] is the protocol, generated.
//!   [`RequestBudget`] bounds the memory that requests take.
//! - [`client`] is for Rust programs that use a group without being a node of it: it follows the master, and
//!   its writes take effect once.
//! - [`rows`] and [`script`] read what `quorate import` and `quorate txn` are given.
//! - [`demo`] is the demonstration in parts, so that its last step, the comparison, can be tested by spoiling
//!   the data before it.
//!
//! This crate knows nothing of elections or of how nodes talk to each other.
#![forbid(unsafe_code)]

mod bench;
mod budget;
mod cli;
pub mod client;
mod commands;
mod config;
pub mod demo;
mod duration;
mod encoding;
mod generated;
mod health;
mod listener;
mod metrics;
mod node_command;
mod program;
pub mod rows;
pub mod script;
mod service;
mod state_watch;

pub use bench::{
    BenchArguments, BenchError, Blow, CatchUpArguments, Comparison, ComparisonError, EtcdError,
    FailoverArguments, HistoryArguments, ReadsArguments, ReplayArguments, StoppedArguments, Values, Via,
    Workload, WorkloadArguments,
};
pub use budget::{Budgeted, RequestBudget};
pub use cli::{
    Cli, Command, CompletionsArguments, CompressionChoice, ConnectionArguments, DelArguments, DemoArguments,
    EncodingArguments, EngineChoice, ExportArguments, GetArguments, ImportArguments, LogCommand,
    LogDumpArguments, LogVerifyArguments, NodeArguments, PutArguments, ReadArguments, RowFormat,
    ScanArguments, StatusArguments, TxnArguments, WriteArguments,
};
pub use config::{GivenSettings, NodeSettings, SettingsError, configuration_reference};
pub use duration::{DurationError, parse_duration};
pub use encoding::{Encoding, EncodingError};
pub use generated::{DESCRIPTORS, v1};
pub use listener::{Audience, ListenError, listen};
pub use program::run;
pub use service::{FAILURE_TRAILER, QuorateService, failure_of};

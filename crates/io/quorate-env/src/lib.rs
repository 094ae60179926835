//! The event loop of one node and the handle that an application holds.
//!
//! [`Environment::open`] puts a node together from a [`RepConfig`] and its [`Parts`]: a store for the
//! engine and a transport, both seen through the traits of `quorate-core`. The crate `quorate` brings both
//! along; most applications use that.
//!
//! - The handle: [`Environment`], [`Database`], [`BytesDatabase`], [`Commit`], [`Snapshot`], [`Rows`],
//!   [`Transaction`], [`ClientSession`].
//! - What it is told and tells: [`RepConfig`], [`RepStats`], [`GroupStatus`], [`StateChangeListener`], and
//!   an error type for each operation.
//! - The single-threaded types that the event loop is made of, with no clock and no thread in them:
//!   [`Applier`], [`CommitWaiters`], [`Conflicts`], [`Forwards`], [`ReadWaiters`].
//!
//! # Tracing
//!
//! At the level `TRACE` each step of a commit's way is told by the `tracing` crate, a batch at a time; the
//! positions (VLSN) tell which batch. Nothing is done for it while nobody asks.
//!
//! | name | fields | the step |
//! |---|---|---|
//! | span `propose` | `count`, `first` | writes are given their positions |
//! | span `append` | `last`, `bytes` | the log file takes entries up to `last` |
//! | span `sync` | `last` | entries up to `last` are durable here |
//! | event `committed` | `last` | entries up to `last` are known to be committed, and go to the engine |
//! | span `apply` | `bytes`, `last` | the engine takes entries up to `last` |
#![forbid(unsafe_code)]

#[macro_use]
mod mutation;

mod admission;
mod applier;
mod block_on;
mod bytes_database;
mod clock;
mod close_error;
mod commit;
mod commit_waiters;
mod config;
mod conflicts;
mod core;
mod create_database;
mod database;
mod database_error;
mod decode_error;
mod directory;
mod environment;
pub mod forward_outcome;
mod forwards;
mod freshness;
mod handle;
mod import;
mod key;
mod kill_switch;
pub mod kv;
mod limits;
mod master_address;
mod metrics;
mod open_error;
mod parts;
mod pauses;
mod payloads;
mod read;
mod read_error;
mod read_lease;
mod read_waiters;
mod replicated_engine;
mod role;
mod rows;
mod session;
mod session_pool;
mod shell;
mod slot;
mod snapshot;
mod state_change;
mod status;
mod tally;
mod transact;
mod transaction;
mod typed_rows;
mod value;
mod wait_error;
mod write_error;
mod write_queue;
mod write_request;
mod write_ticket;

pub use applier::{Applied, Applier};
pub use bytes_database::BytesDatabase;
pub use clock::{WallClock, system_wall_clock};
pub use close_error::CloseError;
pub use commit::{Commit, CommitExtent, CommitResult, Committed};
pub use commit_waiters::{CommitOutcome, CommitWaiters, Resolved};
pub use config::{ConfigError, EngineKind, RepConfig, RepConfigBuilder, RepTransportKind};
pub use conflicts::{Conflicts, Obstacle};
pub use create_database::CreateDatabase;
pub use database::Database;
pub use database_error::DatabaseError;
pub use decode_error::DecodeError;
pub use environment::Environment;
pub use forwards::Forwards;
pub use import::{ImportError, ImportOptions, ImportRow, Imported};
pub use key::{Key, KeyError, KeyForm, KeyPrefix, KeyRange, encode_key};
pub use master_address::MasterAddress;
#[cfg(feature = "mutations")]
pub use mutation::Mutation;
pub use open_error::OpenError;
pub use parts::{EngineOpener, EngineParts, PartError, Parts, StoreOpener, TransportPlan, TransportStarter};
pub use quorate_codec::{DatabaseId, ReadSet, Session, WriteBatch};
pub use read::PendingRead;
pub use read_error::ReadError;
pub use read_waiters::{ReadOutcome, ReadWaiters, ResolvedReads};
pub use replicated_engine::{Barrier, ReplicatedEngine};
pub use rows::Rows;
pub use session::{ClientSession, OpenSession};
pub use snapshot::Snapshot;
pub use state_change::{StateChangeEvent, StateChangeListener};
pub use status::{GroupStatus, MemberStatus, ReplicaStatus};
pub use tally::{Figure, RepStats};
pub use transact::{TransactError, TransactOptions, Transacted};
pub use transaction::{Transaction, TransactionError, TransactionRows};
pub use typed_rows::TypedRows;
pub use wait_error::WaitError;
pub use write_error::{Outcome, WriteError};
pub use write_request::WriteRequest;

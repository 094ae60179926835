//! Replication and high availability for embedded storage engines.
//!
//! An application that keeps its data in an embedded store opens a [`ReplicatedEnvironment`] on each of its
//! machines instead. One of the nodes is the master and takes writes; the others hold copies, serve reads,
//! and replace a master that is gone. A write that was acknowledged is not lost, and nothing that could
//! still be lost is ever shown.
//!
//! # Quick start
//!
//! A group of one node, which is its own majority:
//!
//! ```
//! # let directory = tempfile::tempdir().unwrap();
//! # std::env::set_current_dir(&directory).unwrap();
//! use quorate::{ReplicatedEnvironment, RepConfig, NodeType};
//!
//! let config = RepConfig::builder("my_group", "node1", "localhost")
//!     .node_port(14_001)
//!     .node_type(NodeType::Electable)
//!     .build();
//! let rep_env = ReplicatedEnvironment::new(config).unwrap();
//!
//! rep_env.wait_for_master(std::time::Duration::from_secs(10)).unwrap();
//! let orders = rep_env.bytes("orders").unwrap();
//! let committed = orders.put(b"42", b"three apples").wait().unwrap();
//! println!("durable as {}", committed.token);
//! assert_eq!(orders.get(b"42", None).unwrap().as_deref(), Some(&b"three apples"[..]));
//! rep_env.close().unwrap();
//! ```
//!
//! # Three nodes
//!
//! Each node declares the same members, itself included; the first start of all of them founds the group:
//!
//! ```no_run
//! use quorate::{RepConfig, ReplicatedEnvironment};
//!
//! let name = std::env::args().nth(1).expect("node1, node2 or node3");
//! let config = RepConfig::builder("my_group", name, "localhost")
//!     .member("node1", "localhost:14001")
//!     .member("node2", "localhost:14002")
//!     .member("node3", "localhost:14003")
//!     .build();
//! let rep_env = ReplicatedEnvironment::new(config)?;
//! # Ok::<(), quorate::OpenError>(())
//! ```
//!
//! The [manual] goes on from here. `use quorate::prelude::*` brings the names that an application needs.
//!
//! # Outcomes
//!
//! A write ends in one of three ways, told apart by type: *done*, with a [`CommitToken`]; *not done*; or
//! *unknown*, with the token to ask later ([`WriteError::outcome`]). A read says what it asks for: nothing,
//! to see a certain commit, or to be linearizable ([`ConsistencyPolicy`]).
//!
//! # Present data
//!
//! What an application has in a redb file or a fjall directory is taken into a new group by
//! [`import`](Environment::import); the module `quorate::import` reads those stores.
//!
//! # Features
//!
//! They only add: none changes what there is without it.
//!
//! | feature | brings | default |
//! |---|---|---|
//! | `redb` | [`EngineKind::Redb`], a copy-on-write B-tree in one file | yes |
//! | `fjall` | [`EngineKind::Fjall`], a log-structured merge tree in a directory | yes |
//! | `lz4` | [`Compression::Lz4`] of what nodes send each other | yes |
//! | `zstd` | [`Compression::Zstd`] of it; building it needs a C compiler | no |
//! | `testing` | `quorate::testing`: a group of nodes inside a test | no |
//! | `conformance` | `quorate::conformance`, `quorate::engine_conformance!`: suites for engines of one's own | no |
//!
//! The memory engine is always there.
#![forbid(unsafe_code)]

pub mod engine;
#[cfg(any(feature = "redb", feature = "fjall"))]
pub mod import;
pub mod manual;
mod parts;
pub mod prelude;
mod rep_error;
mod replicated_engine;
mod replicated_environment;
#[cfg(feature = "testing")]
pub mod testing;

pub use parts::PartsError;
pub use quorate_core::{
    Compression, EntryId, GroupUuid, KvOperation, KvSnapshot, KvStore, Member, NodeId, NodeState, NodeType,
    QuorumPolicy, Term, Vlsn, Watermarks,
};
#[cfg(feature = "conformance")]
pub use quorate_core::{conformance, engine_conformance};
pub use quorate_election::PhiAccrualDetector;
pub use quorate_env::{
    Barrier, BytesDatabase, ClientSession, CloseError, Commit, CommitExtent, Committed, ConfigError,
    CreateDatabase, Database, DatabaseError, DatabaseId, DecodeError, EngineKind, EngineOpener, EngineParts,
    Environment, Figure, GroupStatus, ImportError, ImportOptions, ImportRow, Imported, Key, KeyError,
    KeyForm, KeyPrefix, KeyRange, MasterAddress, MemberStatus, OpenError, OpenSession, Outcome, PartError,
    Parts, PendingRead, ReadError, ReadSet, RepConfig, RepConfigBuilder, RepStats, RepTransportKind,
    ReplicaStatus, Rows, Session, Snapshot, StateChangeEvent, StateChangeListener, TransactError,
    TransactOptions, Transacted, Transaction, TransactionError, TransactionRows, TypedRows, WaitError,
    WallClock, WriteBatch, WriteError, WriteRequest, encode_key, system_wall_clock,
};
pub use quorate_policy::{CommitDurability, CommitToken, ConsistencyPolicy, ReplicaAckPolicy, SyncPolicy};
pub use quorate_transport::{
    InMemoryNetwork, InMemoryTransport, Listener, ListenerConfig, ListenerStats, TransportError,
};
pub use rep_error::RepError;
pub use replicated_engine::ReplicatedEngine;
pub use replicated_environment::ReplicatedEnvironment;

/// The README's example compiles.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;

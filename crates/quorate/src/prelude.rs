//! The names that an application uses every day: `use quorate::prelude::*`.
//!
//! ```
//! use quorate::prelude::*;
//!
//! # let directory = tempfile::tempdir()?;
//! let config = RepConfig::builder("shop", "node1", "localhost").data_dir(directory.path().join("node1"));
//! let env = ReplicatedEnvironment::new(config.transport(RepTransportKind::InMemory).build())?;
//! let stock: Database<String, u32> = env.database("stock")?;
//! let token: CommitToken = stock.put("apples", &3).wait()?.token;
//! let policy = ConsistencyPolicy::CommitPointConsistency { token, timeout: std::time::Duration::from_secs(5) };
//! assert_eq!(stock.get("apples", policy)?, Some(3));
//! env.close()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub use crate::{
    BytesDatabase, Commit, CommitDurability, CommitToken, ConsistencyPolicy, Database, EngineKind, NodeState,
    NodeType, Outcome, ReadError, RepConfig, RepTransportKind, ReplicaAckPolicy, ReplicatedEnvironment,
    Snapshot, StateChangeEvent, StateChangeListener, SyncPolicy, TransactError, TransactOptions, Transaction,
    TransactionError, WriteBatch, WriteError,
};

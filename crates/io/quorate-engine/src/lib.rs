//! Storage engines under a replicated environment: memory, redb, fjall.
//!
//! A *store* is an ordered map of bytes: [`MemoryStore`], [`RedbStore`] and [`FjallStore`] implement
//! [`quorate_core::KvStore`], each with snapshots that never block the writer.
//!
//! [`import`] reads the stores that an application has already.
//!
//! This crate knows nothing of the network, of the log's files, or of who leads.
#![forbid(unsafe_code)]

mod cow_tree;
#[cfg(any(feature = "redb", feature = "fjall"))]
mod directory;
#[cfg(feature = "fjall")]
mod fjall_store;
#[cfg(any(feature = "redb", feature = "fjall"))]
pub mod import;
mod memory_store;
#[cfg(any(feature = "redb", feature = "fjall"))]
mod open_error;
mod range;
#[cfg(feature = "redb")]
mod redb_store;

#[cfg(feature = "fjall")]
pub use fjall_store::{FjallConfig, FjallStore};
pub use memory_store::MemoryStore;
#[cfg(any(feature = "redb", feature = "fjall"))]
pub use open_error::OpenError;
#[cfg(feature = "redb")]
pub use redb::StorageBackend;
#[cfg(feature = "redb")]
pub use redb_store::{RedbConfig, RedbFiles, RedbStore};

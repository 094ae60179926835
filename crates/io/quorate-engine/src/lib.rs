//! Storage engines under a replicated environment: memory, redb, fjall.
//!
//! ```text
//!  committed entries --> KvEngine --write--> KvStore: MemoryStore | RedbStore | FjallStore
//!                                               |
//!  readers          <-- DatabaseSnapshot <-- KvReader
//! ```
//!
//! - A *store* is an ordered map of bytes: [`MemoryStore`], [`RedbStore`] and [`FjallStore`] implement
//!   [`quorate_core::KvStore`].
//! - [`KvEngine`] makes an [`Engine`](quorate_core::Engine) of any store: it applies write batches to named
//!   databases, together with the position that they bring the store to.
//! - [`KvReader`] reads those databases on any thread, or offline.
//!
//! This crate knows nothing of the network, of the log's files, or of who leads.
#![forbid(unsafe_code)]

mod catalog;
mod cow_tree;
#[cfg(any(feature = "redb", feature = "fjall"))]
mod directory;
#[cfg(feature = "fjall")]
mod fjall_store;
mod kv_engine;
mod kv_reader;
mod layout;
mod memory_store;
#[cfg(any(feature = "redb", feature = "fjall"))]
mod open_error;
mod outcome;
mod plan;
mod range;
#[cfg(feature = "redb")]
mod redb_store;

pub use catalog::{DATABASES_MAX, DEFAULT_DATABASE, DEFAULT_DATABASE_NAME};
#[cfg(feature = "fjall")]
pub use fjall_store::{FjallConfig, FjallStore};
pub use kv_engine::{KEY_BYTES_MAX, KvEngine, SCHEMA_VERSION};
pub use kv_reader::{DatabaseSnapshot, KvReader};
pub use memory_store::MemoryStore;
#[cfg(any(feature = "redb", feature = "fjall"))]
pub use open_error::OpenError;
pub use outcome::{Outcome, Refusal};
#[cfg(feature = "redb")]
pub use redb_store::{RedbConfig, RedbStore};

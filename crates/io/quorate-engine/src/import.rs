//! What an application has in a store of its own, as rows for an import into a replicated environment.
//!
//! The stores are opened as the application left them, in whatever tables and types; nothing is changed in
//! them that opening does not change.

mod error;
#[cfg(feature = "fjall")]
mod fjall_keyspaces;
#[cfg(feature = "redb")]
mod redb_table;

pub use error::SourceError;
#[cfg(feature = "fjall")]
pub(crate) use fjall_keyspaces::MARKER as FJALL_MARKER;
#[cfg(feature = "fjall")]
pub use fjall_keyspaces::{FjallKeyspaces, fjall_keyspaces};
/// The version of redb whose table definitions [`redb_table`] takes.
#[cfg(feature = "redb")]
pub use redb;
#[cfg(feature = "redb")]
pub use redb_table::{RedbTable, redb_table};

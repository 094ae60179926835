//! The key-value state machine that an environment runs over any store.
//!
//! ```text
//!  committed entries --> KvEngine --write--> KvStore (memory, redb, fjall, or your own)
//!                                               |
//!  readers          <-- DatabaseSnapshot <-- KvReader
//! ```
//!
//! [`KvEngine`] applies write batches to named databases, together with the position that they bring the
//! store to; [`KvReader`] reads those databases on any thread, or offline.

mod catalog;
mod engine;
mod layout;
mod outcome;
mod plan;
mod reader;
mod request;
mod sessions;

pub use catalog::{DATABASES_MAX, DEFAULT_DATABASE, DEFAULT_DATABASE_NAME};
pub use engine::{KEY_BYTES_MAX, KvEngine, SCHEMA_VERSION};
pub use outcome::{Outcome, Refusal};
pub use reader::{DatabaseSnapshot, KvReader};
pub(crate) use request::check_payload;
pub use sessions::{SESSION_DATABASES_MAX, SESSION_IDLE_ENTRIES, SESSIONS_MAX};

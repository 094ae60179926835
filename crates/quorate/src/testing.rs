//! A group of nodes inside a test: real nodes with real logs, which find each other in memory.
//!
//! Switch on the feature `testing` for your tests alone:
//!
//! ```toml
//! [dev-dependencies]
//! quorate = { version = "0.1", features = ["testing"] }
//! ```
//!
//! A write that was acknowledged survives the death of the master that took it:
//!
//! ```
//! use quorate::ConsistencyPolicy;
//! use quorate::testing::InMemoryGroup;
//! use std::time::Duration;
//!
//! let group = InMemoryGroup::start(3)?;
//! let master = group.wait_for_master()?;
//! let token = master.bytes("orders")?.put(b"42", b"three apples").wait()?.token;
//!
//! group.kill(master.name())?;
//! let successor = group.wait_for_master()?;
//! assert_ne!(successor.name(), master.name());
//! let policy = ConsistencyPolicy::CommitPointConsistency { token, timeout: Duration::from_secs(60) };
//! let found = successor.bytes("orders")?.get(b"42", policy)?;
//! assert_eq!(found.as_deref(), Some(&b"three apples"[..]));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A master that is cut off from the others takes no writes, and follows again once it reaches them:
//!
//! ```
//! use quorate::testing::InMemoryGroup;
//!
//! let group = InMemoryGroup::start(3)?;
//! let master = group.wait_for_master()?;
//! let others: Vec<_> = group.names().filter(|name| *name != master.name()).collect();
//! group.partition(&[master.name()], &others)?;
//! assert_ne!(group.wait_for_master()?.name(), master.name());
//! group.heal();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod builder;
mod error;
mod in_memory_group;
mod test_node;

pub use builder::InMemoryGroupBuilder;
pub use error::InMemoryGroupError;
pub use in_memory_group::InMemoryGroup;
pub use test_node::TestNode;

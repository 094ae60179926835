//! Trying one's own failover.
//!
//! `quorate::testing::InMemoryGroup`, behind the feature `testing`, is a group of real nodes with real logs in
//! one process, which find each other in memory. A test kills, restarts and partitions them:
//!
//! ```
//! use quorate::testing::InMemoryGroup;
//! use quorate::{Outcome, ReplicatedEnvironment};
//! use std::time::Duration;
//!
//! /// The application: it counts an order, and says whether it may be told to the customer.
//! fn take_order(env: &ReplicatedEnvironment, number: u64) -> Result<(), Outcome> {
//!     let orders = env.database::<u64, String>("orders").map_err(|_| Outcome::NotDone)?;
//!     orders.put(&number, &"apples".into()).wait().map(|_| ()).map_err(|error| error.outcome())
//! }
//!
//! let group = InMemoryGroup::start(3)?;
//! let first = group.wait_for_master()?;
//! take_order(&first, 1).expect("all is well");
//!
//! group.kill(first.name())?;
//! let second = group.wait_for_master()?;
//! take_order(&second, 2).expect("two of three are enough");
//!
//! group.kill(second.name())?;
//! let last = &group.nodes()[0];
//! assert!(take_order(last, 3).is_err(), "one of three is not");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! - `wait_for_master` waits for a node that a majority follows, and is not misled by a master that was just
//!   cut off.
//! - `partition` cuts nodes off from each other and tells nobody; `heal` ends all partitions.
//! - `builder` chooses another engine, shorter timeouts, other durability.
//!
//! Wait for conditions (`wait_for_state`, a read with a token), never for a while.

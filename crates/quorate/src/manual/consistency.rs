//! What a read may show.
//!
//! Every node serves reads, and no node ever shows what is not committed: what was read is never undone. How
//! *new* it must be is said by each read, or by the environment's configuration where a read says `None`.
//!
//! | policy | the read sees | costs |
//! |---|---|---|
//! | [`NoConsistencyRequired`](crate::ConsistencyPolicy::NoConsistencyRequired) | some committed state | nothing |
//! | [`CommitPointConsistency`](crate::ConsistencyPolicy::CommitPointConsistency) | that commit, and all before it | waiting for it, if it is not here yet |
//! | [`TimeConsistency`](crate::ConsistencyPolicy::TimeConsistency) | all that the master had at most `lag` ago | a question to the master, shared by many reads |
//! | [`Linearizable`](crate::ConsistencyPolicy::Linearizable) | every commit acknowledged before it began | a round through a majority |
//!
//! The lag is measured on the reading node's own clock; clocks of two machines are never compared.
//!
//! # Reading one's own writes, anywhere
//!
//! The token of a commit is text for a cookie or a header. Whoever comes back with it, to any node, sees at
//! least that commit:
//!
//! ```
//! use quorate::testing::InMemoryGroup;
//! use quorate::{CommitToken, ConsistencyPolicy};
//! use std::time::Duration;
//!
//! let group = InMemoryGroup::start(3)?;
//! let orders = group.wait_for_master()?.bytes("orders")?;
//! let cookie = orders.put(b"42", b"three apples").wait()?.token.to_string();
//!
//! let token: CommitToken = cookie.parse()?;
//! for node in group.nodes() {
//!     let policy = ConsistencyPolicy::CommitPointConsistency { token, timeout: Duration::from_secs(60) };
//!     assert_eq!(node.bytes("orders")?.get(b"42", policy)?.as_deref(), Some(&b"three apples"[..]));
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Several reads of one moment
//!
//! The policy is checked once, by [`read`](crate::Environment::read); the [`Snapshot`](crate::Snapshot) that it
//! gives never changes and blocks no writer:
//!
//! ```
//! use quorate::ConsistencyPolicy;
//! use quorate::testing::InMemoryGroup;
//! use std::time::Duration;
//!
//! let group = InMemoryGroup::start(1)?;
//! let node = group.wait_for_master()?;
//! let orders = node.database::<u64, String>("orders")?;
//! for number in 1..=3 {
//!     orders.put(&number, &format!("order {number}")).wait()?;
//! }
//! let newest = ConsistencyPolicy::Linearizable { timeout: Duration::from_secs(60) };
//! let snapshot = node.read(newest).wait()?;
//! for row in snapshot.scan(&orders, 2..).rev() {
//!     let (number, order) = row?;
//!     println!("{number}: {order}");
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

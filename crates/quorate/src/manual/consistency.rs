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
//! | [`Linearizable`](crate::ConsistencyPolicy::Linearizable) | every commit acknowledged before it began | a round through a majority; with leases mostly nothing |
//!
//! The lag is measured on the reading node's own clock; clocks of two machines are never compared.
//!
//! # Linearizable reads without a round
//!
//! Where linearizable reads are many, [`RepConfig::lease`](crate::RepConfig::lease) spares them the round. While anybody reads so, the
//! voters grant the master leases, for which they promise nothing to anybody else; the master reads by them at once, and a replica
//! after one exchange with the master. Give it to every node alike, say half of the election timeout:
//!
//! ```
//! use quorate::RepConfig;
//! use std::time::Duration;
//!
//! let config = RepConfig::builder("orders", "node1", "10.0.0.1").lease(Duration::from_millis(500)).build();
//! # assert_eq!(config.lease, Some(Duration::from_millis(500)));
//! ```
//!
//! It is off by default, since it has two prices. Everything else here is right whatever clocks do; reads by leases are right as
//! long as no clock runs wrong by more than a tenth ([`RepConfig::clock_drift_per_mille`](crate::RepConfig::clock_drift_per_mille)) and
//! none stands still, as that of a virtual machine may which is stopped or moved with its clocks. And a master that dies while anybody reads so
//! is replaced only when its lease is over; one that is closed gives its lease back first, if that message still gets through.
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

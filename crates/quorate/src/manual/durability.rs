//! What it means that a write is done.
//!
//! A write is a handle, [`Commit`](crate::Commit): wait for it, or await it, on any executor. It is under way
//! whether or not anybody waits, so that many can be begun before the first is waited for.
//!
//! # Three outcomes
//!
//! | outcome | how it shows | what to do |
//! |---|---|---|
//! | done | `Ok`, with a token | nothing; the token names the commit for good |
//! | not done | an error whose [`outcome`](crate::WriteError::outcome) is `NotDone` | try again |
//! | unknown | an error whose outcome is `Unknown`, mostly with a token | ask by the token, or by a session |
//!
//! With the default durability a write that is done is held, fsynced, by a majority, and applied where it was
//! asked for: its caller reads it there at once, and no failover and no power loss takes it back.
//!
//! # Asking for less, or for more
//!
//! [`CommitDurability`](crate::CommitDurability) says what the master does with its own copy, what a replica
//! does before it acknowledges, and whose acknowledgements the caller waits for: for the environment by its
//! configuration, for one write by `put_with`.
//!
//! ```
//! use quorate::testing::InMemoryGroup;
//! use quorate::{CommitDurability, CommitExtent};
//!
//! let group = InMemoryGroup::start(3)?;
//! let orders = group.wait_for_master()?.bytes("orders")?;
//! let everybody: CommitDurability = "sync,sync,all".parse()?;
//! let committed = orders.put_with(b"42", b"three apples", everybody).wait()?;
//! assert_eq!(committed.extent, CommitExtent::Committed);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | part | values | means |
//! |---|---|---|
//! | local, replica | `sync` | fsynced before the copy counts |
//! | | `write-no-sync`, `no-sync` | written: survives the process, and power loss only by luck |
//! | acks | `all`, `majority` | the caller waits for these copies |
//! | | `none` | the caller waits for the master's own copy: *written*, which a failover can lose |
//!
//! The acknowledgements never change what is committed, only when the caller is released. A write that asks
//! for nobody's says [`Written`](crate::CommitExtent::Written), and is seen by nobody before it is committed.
//!
//! # When acknowledgements are missing
//!
//! Before a write is taken the master looks whether enough nodes can be reached: if not, nothing was written
//! ([`InsufficientReplicas`](crate::WriteError::InsufficientReplicas)). If they go later, the write stands in
//! the log and may still be committed ([`InsufficientAcks`](crate::WriteError::InsufficientAcks), with its
//! token). A read with that token tells: it is served once the write is there, and refused with
//! [`CommitLost`](crate::ReadError::CommitLost) once it never will be.

//! Several reads and writes as one.
//!
//! [`transact`](crate::Environment::transact) runs a function on a snapshot, sends what it has read and what it
//! wants to write to the master, and the master writes it only if nothing that was read has been written
//! since. Otherwise the function runs again, on a newer snapshot. So transactions are serializable: what each
//! does happens as if at one moment.
//!
//! ```
//! use quorate::testing::InMemoryGroup;
//!
//! let group = InMemoryGroup::start(3)?;
//! group.wait_for_master()?;
//! let node = group.node("node2")?; // any node: a replica passes it on
//! let stock = node.database::<String, u64>("stock")?;
//! stock.put("apples", &7).wait()?;
//!
//! let sold = node.transact(|tx| {
//!     let apples = tx.get(&stock, "apples")?.unwrap_or(0);
//!     let sold = apples.min(3);
//!     tx.put(&stock, "apples", &(apples - sold))?;
//!     Ok(sold)
//! })?;
//! assert_eq!(sold.value, 3);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What the function may do
//!
//! It may run several times, so it must have no effect but through the transaction. It reads its own writes.
//! If it returns an error, nothing is written.
//!
//! # Exactly once
//!
//! If the master is lost while it commits, the outcome of that attempt is settled before the function runs
//! again: whatever happens, the writes take effect once. If that cannot be settled in time the error says so:
//! [`TransactError::outcome`](crate::TransactError::outcome) tells *not done* from *unknown*.
//!
//! # How long it is tried
//!
//! Other writes that come between, a lost master, replicas that are missing for what is asked: after each the
//! function runs again, for as long as [`TransactOptions::timeout`](crate::TransactOptions) says.
//!
//! # Sessions
//!
//! A caller that retries single writes itself, over another process's death for example, numbers them within
//! a session ([`open_session`](crate::Environment::open_session), [`WriteRequest`](crate::WriteRequest)): a
//! request that was carried out already is not carried out again, and gets the first one's token.

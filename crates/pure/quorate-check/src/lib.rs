//! Checkers of recorded histories: linearizability, and strict serializability of list-append transactions.
//!
//! A test that breaks a system while clients use it ends with one question: can what the clients saw be
//! explained by a system that does one thing at a time? The crate answers it, from what the clients wrote down.
//!
//! - [`linearizable`] judges calls on one object, whose meaning a [`Model`] gives. [`Register`] is the model of
//!   one key that is read, written and compared-and-set; [`by_key`] judges each key of a store by itself.
//! - [`list_append`] judges transactions that append to lists and read them. A list that is read tells the
//!   order of the appends to it, so the check needs no search: it finds lost appends, forks, aborted reads and
//!   cycles, real time included.
//!
//! A call whose outcome nobody knows is *pending*: it may have taken effect at any time after it began, or
//! never. A client that gives up on an answer records it so, and calls nothing "failed" that may yet happen.
//!
//! The crate needs no other part of Quorate and knows nothing of replication. It has no clock: times are
//! numbers from any clock that does not go backwards.
//!
//! ```
//! use quorate_check::{Call, Register, RegisterOperation::*, RegisterOutcome::*, Verdict, linearizable};
//!
//! let stale_read = [
//!     Call { client: 1, began: 0, ended: Some(5), operation: Write(Some("new")), outcome: Some(Written) },
//!     Call { client: 2, began: 6, ended: Some(9), operation: Read, outcome: Some(Value(None)) },
//! ];
//! assert!(matches!(
//!     linearizable::<Register<&str>>(&stale_read, 1_000),
//!     Verdict::NotLinearizable { .. }
//! ));
//! ```
//!
//! `examples/check_a_store.rs` records a small store's history and has it judged.
#![no_std]
#![forbid(unsafe_code)]
extern crate alloc;

mod bits;
mod call;
mod configurations;
mod keys;
mod linearizable;
pub mod list_append;
mod model;
mod register;
mod verdict;

pub use call::Call;
pub use keys::{KeyVerdict, by_key};
pub use linearizable::linearizable;
pub use model::Model;
pub use register::{Register, RegisterCall, RegisterOperation, RegisterOutcome};
pub use verdict::Verdict;

//! Strict serializability of transactions that append to lists and read them.
//!
//! Each element is appended once to one key. A list that a transaction reads then tells which appends came
//! before the read and in which order, and the rest follows without a search, as in the checker Elle: what
//! must have come before what is a graph, and a cycle in it is a history that no order explains.
//!
//! ```
//! use quorate_check::list_append::{Fate, Step, Transaction, check};
//!
//! let append = |client, began, element| Transaction {
//!     client,
//!     began,
//!     ended: Some(began + 1),
//!     fate: Fate::Committed,
//!     steps: vec![Step::Append { key: "x", element }],
//! };
//! let read = Transaction {
//!     steps: vec![Step::Read { key: "x", list: Some(vec![2]) }],
//!     ..append(3, 10, 0)
//! };
//! let history = [append(1, 0, 1), append(2, 5, 2), read];
//! let anomalies = check(&history);
//! assert_eq!(anomalies[0].to_string(), "\"x\": 1, appended by transaction 0, is lost: transaction 2, which \
//!                                       began later, reads a list without it");
//! ```

mod anomaly;
mod cycles;
mod dependencies;
mod graph;
mod lists;
mod transaction;

pub use anomaly::{Anomaly, Dependency, Phenomenon};
pub use transaction::{Fate, Step, Transaction};

use alloc::vec::Vec;

/// All anomalies of a history. Without any, one order of the committed transactions explains what each has
/// read, and it is the order of time wherever one transaction ended before another began.
///
/// Numbers of transactions in the anomalies are places in the history.
#[must_use]
pub fn check<K: Ord, E: Ord>(history: &[Transaction<K, E>]) -> Vec<Anomaly<'_, K, E>> {
    let (lists, mut anomalies) = lists::Lists::gather(history);
    let graph = dependencies::gather(history, &lists);
    let cycles = cycles::find(&graph).into_iter();
    anomalies.extend(cycles.map(|(phenomenon, cycle)| Anomaly::Cycle { phenomenon, cycle }));
    anomalies
}

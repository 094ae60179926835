//! Sweeps over a node's storage: it is turned off at every operation, and damaged everywhere.
//!
//! Both run production code over a simulated disk: [`Log`](quorate_log::Log),
//! [`HardStateFile`](quorate_log::HardStateFile), and the key-value engine over a redb store.

mod activity;
mod contents;
mod corruption;
mod crash;
mod damage;
mod fixture;
mod group;
mod inspection;
mod ledger;
mod life;
mod member;
mod storage;
mod tally;

pub use activity::Activity;
pub use corruption::{Corruption, CorruptionFailure, CorruptionReport, Outcome};
pub use crash::{CrashFailure, CrashReport, sweep_life, sweep_operation};
pub use damage::{Method, Part};
pub use tally::{LossMode, Tally};

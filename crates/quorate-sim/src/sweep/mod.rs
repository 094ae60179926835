//! Sweeps over a node's storage: it is turned off at every operation, and damaged everywhere.
//!
//! Both run production code over a simulated disk: [`Log`](quorate_log::Log),
//! [`HardStateFile`](quorate_log::HardStateFile), and the key-value engine over a redb store.

mod activity;
mod crash;
mod inspection;
mod ledger;
mod life;
mod storage;
mod tally;

pub use activity::Activity;
pub use crash::{CrashFailure, CrashReport, sweep_life, sweep_operation};
pub use tally::{LossMode, Tally};

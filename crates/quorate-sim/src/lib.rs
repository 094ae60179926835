//! A seeded simulator of a whole group: faults, checkers, scripts.
//!
//! It runs production code: the nodes' protocol, their logs over a simulated disk, their hard state, the
//! apply path, the waiters of commits and reads. Around them everything is played: time, the network,
//! threads, disks, clients, and what goes wrong with them.
//!
//! ```text
//!  seed --> Profile --> World: event queue, network, nemesis, clients
//!                         |
//!                       Machine (disk, engine's disk) --> Process: Node, Log, HardStateFile, Applier, ...
//!                         |
//!                       Checker: after every step, against dumb models
//! ```
//!
//! One seed is one history, byte for byte: there are no threads, no clocks and no ambient randomness in it.
//! [`run_seed`] plays one; [`script`] plays short ones written down as text, message by message.
#![forbid(unsafe_code)]

mod apply_worker;
mod checker;
mod client;
mod engine_disk;
mod engine_file;
mod faults;
mod history;
mod host;
mod links;
mod log_scan;
mod log_writer;
mod machine;
mod minimise;
mod mutants;
mod nemesis;
mod network;
mod operation;
mod peace;
mod process;
mod profile;
mod queue;
mod records;
mod rehearsal;
mod report;
pub mod script;
mod selection;
mod shortage;
mod sim_time;
pub mod sweep;
mod trace;
mod words;
mod world;

pub use checker::{Rule, Violation};
pub use client::OutcomeCounts;
pub use faults::{FaultCounts, FaultKind};
pub use minimise::minimise;
pub use mutants::{Absence, BrokenRule, BugClass, Catch, Hunt, hunt};
pub use nemesis::Strike;
pub use profile::Profile;
pub use records::Judged;
pub use rehearsal::Rehearsal;
pub use report::{Failure, Report, report_panics_quietly, run_profile, run_seed, trace_of};
pub use selection::{Selection, SelectionError};
pub use shortage::Shortage;
pub use sim_time::SimTime;

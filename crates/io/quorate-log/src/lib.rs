//! A replicated log on disk: segments, group commit, recovery that tells damage from a torn tail.
//!
//! - [`Log`] is the log of one node, a [`LogStore`](quorate_core::LogStore); its readers work on any thread.
//! - [`LogInspection`] looks into the log of a node that is not running, and changes nothing.
//! - [`HardStateFile`] keeps what a node must never forget besides, a
//!   [`StateStore`](quorate_core::StateStore).
//! - [`vfs`] holds the trait through which both reach their files, and with the feature `simulated` a disk
//!   in memory that tears, loses and corrupts what was written, as a seed says.
//!
//! A log's directory:
//!
//! ```text
//!  segment-0000000000000007.log    groups of frames; the one with the highest number is being written
//!  segment-0000000000000007.index  where its entries stand; rebuilt if missing
//!  spare                           the next segment's space, taken ahead of need
//!  rollback-120-125-0.log          entries that a truncation dropped, for people to look at
//!  unfinished                      a file that is being written; found after a crash, it is removed
//!  log.lock                        keeps other processes out
//! ```
//!
//! What a segment looks like inside:
//!
//! ```text
//!  +----------------+--------------+-----------------+--------------+-----------------+-- ... --+--------
//!  | segment header | group header | frame frame ... | group header | frame frame ... |         | zeros,
//!  | (twice)        | durable: 4   | 5     6         | durable: 6   | 7     8         |         | or old
//!  +----------------+--------------+-----------------+--------------+-----------------+-- ... --+--------
//! ```
//!
//! A write is assumed to harm no byte outside its range, even when the power goes (what a disk vendor calls
//! powersafe overwrite).
#![deny(unsafe_code)]

#[macro_use]
mod mutation;

mod boot;
mod config;
mod cut;
mod damage;
mod directory;
mod error;
mod fields;
mod group_header;
mod hard_state;
mod index_file;
mod inspect;
mod log;
mod maintain;
mod map;
mod names;
mod reader;
mod recovery;
mod repair;
mod rollback;
mod scan;
mod segment;
mod segment_header;
mod space;
mod state;
pub mod vfs;

pub use boot::boot_id;
pub use config::LogConfig;
pub use directory::DirectoryLock;
pub use hard_state::HardStateFile;
pub use inspect::{InspectError, InspectedEntry, InspectedSegment, LogInspection, SegmentPlace};
pub use log::Log;
#[cfg(feature = "mutations")]
pub use mutation::Mutation;
pub use rollback::RollbackFile;
#[cfg(feature = "simulated")]
pub use segment_header::first_entry_of;

//! A replicated log on disk: segments, group commit, recovery that tells damage from a torn tail.
#![deny(unsafe_code)]

mod map;
pub mod vfs;

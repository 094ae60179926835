//! The program from outside: real processes, real sockets and disks.
#![forbid(unsafe_code)]

mod acknowledgements;
mod bad_settings;
mod benchmark;
mod calls;
mod commands;
mod common;
mod comparison;
mod demonstration;
mod failover;
mod fake_etcd;
mod increments;
mod linearizable;
mod log_commands;
mod memory;
mod node;
mod observation;
mod refusals;
mod rows;
mod same_words;
mod scans;
mod sessions;
mod silent_node;
mod terminal;

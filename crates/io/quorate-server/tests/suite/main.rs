//! The program from outside: real processes, real sockets and disks.
#![forbid(unsafe_code)]

mod bad_settings;
mod benchmark;
mod calls;
mod common;
mod demonstration;
mod failover;
mod node;
mod refusals;

//! The transports, from outside.

mod common;
mod conformance;
mod in_memory;
mod listener;
mod tcp;
mod tcp_hostile;
mod tcp_start;

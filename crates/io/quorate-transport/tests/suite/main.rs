//! The transports, from outside.

mod by_hand;
mod common;
mod compression;
mod conformance;
mod in_memory;
mod listener;
mod tcp;
mod tcp_hostile;
mod tcp_start;

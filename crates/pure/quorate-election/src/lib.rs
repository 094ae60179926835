//! Who leads: ranked ballots with canvass, a phi-accrual failure detector, and heartbeat rounds.
//!
//! [`Election`] decides what one voter promises and when it proposes; [`HeartbeatRounds`] tells a master whether a write quorum still
//! answers it; [`PhiAccrualDetector`] turns heartbeats into suspicion. None of them reads a clock or sends anything: time is an argument, and
//! what is to be persisted or sent comes out of [`Election::poll`] in the order in which it must be carried out.
#![no_std]
#![forbid(unsafe_code)]
extern crate alloc;

mod ballot;
mod detector;
mod election;
mod message;
mod rounds;

pub use ballot::{Candidate, choose, is_certificate};
pub use detector::PhiAccrualDetector;
#[cfg(feature = "mutations")]
pub use election::Mutation;
pub use election::{Election, ElectionConfig, ElectionEvent, Output, Standing};
pub use message::{ElectionMessage, Promise};
pub use rounds::{HeartbeatRounds, ReadRound};

//! Who leads: ranked ballots with canvass, a phi-accrual failure detector, and heartbeat rounds.
//!
//! [`Election`] decides what one voter promises and when it proposes; [`HeartbeatRounds`] tells a master whether a write quorum still
//! answers it; [`PhiAccrualDetector`] turns heartbeats into suspicion; [`Timing`] is how patient they are on the links there are. None of them reads a clock or sends anything: time is an argument, and
//! what is to be persisted or sent comes out of [`Election::poll`] in the order in which it must be carried out.
//!
//! # Alone
//!
//! The crate needs no other part of Quorate: whatever must agree on one leader can drive an [`Election`], with a clock, a network and a file for
//! its promise of its own. The words that it speaks in come along.
//!
//! ```
//! use quorate_election::{Election, ElectionConfig, NodeId, Term, Time};
//! use std::time::Duration;
//!
//! let mut election = Election::new(ElectionConfig::new(NodeId::new(1), 7), Term::ZERO, Time::ZERO);
//! let deadline = election.deadline().expect("nobody leads yet, so there is something to do");
//! assert!(deadline <= Time::ZERO + Duration::from_millis(200));
//! assert_eq!(election.poll(), None);
//! ```
//!
//! `examples/three_machines.rs` is the whole loop: three machines elect a master, lose it, and elect another.
#![no_std]
#![forbid(unsafe_code)]
extern crate alloc;

#[macro_use]
mod mutation;

mod ballot;
mod detector;
mod election;
mod lease;
mod message;
mod rounds;
mod timing;

pub use ballot::{Candidate, choose, is_certificate};
pub use detector::PhiAccrualDetector;
pub use election::{Election, ElectionConfig, ElectionEvent, Output, Standing};
pub use lease::LeaseTerms;
pub use message::{ElectionMessage, Promise};
#[cfg(feature = "mutations")]
pub use mutation::Mutation;
pub use quorate_core::{EntryId, NodeId, NodeSet, QuorumSystem, Term, Time};
pub use rounds::{HeartbeatRounds, ReadRound};
pub use timing::{ROUND_TRIP_MAX, Timing};

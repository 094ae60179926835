//! One node of a replicated group as one deterministic machine.
//!
//! [`Node`] holds a node's whole protocol: founding, elections, the stream, the commit rule, recovery. It reads no clock and touches no
//! file or socket. The shell around it puts events in and carries effects out:
//!
//! ```text
//! loop {
//!     wait for an event, or until node.deadline()
//!     node.handle(now, input)              // or node.propose(..), node.read(..)
//!     while let Some(output) = node.poll() { carry it out, in this order }
//! }
//! ```
//!
//! An output is *done* before the next one is begun where that matters: [`Output::StoreHardState`] is durable before any later
//! [`Output::Send`] leaves; everything else may be queued, as long as each queue keeps its order.
#![no_std]
#![forbid(unsafe_code)]
extern crate alloc;

#[macro_use]
mod mutation;

mod applying;
mod config;
mod following;
mod forwarding;
mod founding;
mod io;
mod leading;
mod leasing;
mod links;
mod local_log;
mod messages;
mod node;
mod progress;
mod reads;
mod repairing;
mod tail;
mod voting;
mod wire;

pub use config::NodeConfig;
pub use io::{Event, Halt, Input, LogReadFor, Opened, Output, Proposal, ProposeError, ReadFailure, ReadId};
pub use messages::{ForwardedWrite, Heartbeat, HeartbeatReply, Message, RequestId};
#[cfg(feature = "mutations")]
pub use mutation::Mutation;
pub use node::Node;
pub use progress::{Counters, PeerProgress, Progress};
pub use quorate_election::{ElectionEvent, ElectionMessage, LeaseTerms, Promise};
pub use quorate_stream::Holds;
pub use quorate_stream::{StreamId, StreamMessage, SyncupAnswer};
pub use wire::{Envelope, WireError, decode_roster, encode_roster};

//! Channels between the nodes of a group: in memory and over TCP.
//!
//! Both transports implement [`Transport`](quorate_core::Transport) and speak to an
//! [`Inbox`](quorate_core::Inbox); nothing else in the workspace needs to know which of them it uses.
//!
//! ```text
//!   node a                                            node b
//!   Transport::send --> outbox --link (control)--> reader --> Inbox::receive
//!                   --> outbox --link (stream) --> reader --> Inbox::receive
//!   Inbox::receive  <-- reader <--link (control)-- outbox <-- Transport::send
//!   Inbox::receive  <-- reader <--link (stream) -- outbox <--
//! ```
//!
//! A link carries packets one way and is dialled by the node that sends on it. Both ends introduce themselves
//! before the first packet; whoever does not belong to the group is turned away, and both sides are told why.
//!
//! * [`TcpTransport`] connects processes. All groups of a process can share one port, a [`Listener`]. It does not authenticate anybody: it refuses to listen beyond the
//!   loopback interface unless it is told in so many words that the network is trusted.
//! * [`InMemoryNetwork`] connects nodes of one process, and can partition, delay and kill them: for an
//!   application's own tests.
#![forbid(unsafe_code)]

mod backoff;
mod compression;
mod error;
mod introduction;
mod memory;
mod tcp;

pub use error::TransportError;
pub use memory::{InMemoryNetwork, InMemoryTransport};
pub use tcp::{Listener, ListenerConfig, ListenerStats, TcpConfig, TcpLimits, TcpTransport, TransportStats};

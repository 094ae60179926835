//! Links over TCP, driven by one thread of their own.

mod accept;
mod config;
mod dial;
mod greeting;
mod link;
mod listen;
mod outbox;
mod packet;
mod shared;
mod stats;
mod transport;

pub use config::{TcpConfig, TcpLimits};
pub use stats::TransportStats;
pub use transport::TcpTransport;

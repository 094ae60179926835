//! Links over TCP. A port is listened at, and all links of its groups are driven, by one thread.

mod accept;
mod config;
mod dial;
mod greeting;
mod link;
mod listen;
mod listener;
mod outbox;
mod packet;
mod port;
mod press;
mod router;
mod shared;
mod stats;
mod tasks;
mod transport;
mod turn;

pub use config::{ListenerConfig, TcpConfig, TcpLimits};
pub use listener::Listener;
pub use stats::{ListenerStats, TransportStats};
pub use transport::TcpTransport;

//! Links between nodes of one process, with faults on demand.

mod dispatcher;
mod hub;
mod network;
mod transport;

pub use network::InMemoryNetwork;
pub use transport::InMemoryTransport;

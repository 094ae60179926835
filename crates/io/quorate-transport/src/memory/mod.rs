//! Links between nodes of one process, with faults on demand.

mod dispatcher;
mod group;
mod hub;
mod transport;

pub use group::InMemoryGroup;
pub use transport::InMemoryTransport;

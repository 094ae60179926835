use crate::parts::{self, Network};
use quorate_env::{Environment, OpenError, Parts, RepConfig};
use quorate_transport::{InMemoryNetwork, Listener};
use std::ops::Deref;

/// An [`Environment`] made of the engine and the transport that its configuration names. Everything that
/// can be done with it is there.
pub struct ReplicatedEnvironment(Environment);

impl ReplicatedEnvironment {
    /// Opens a node.
    ///
    /// It returns as soon as the node runs; [`wait_for_master`](Environment::wait_for_master) tells when
    /// writes can be sent somewhere.
    ///
    /// # Errors
    /// [`OpenError`]; nothing runs. [`OpenError::Transport`] if the configuration asks for the in-memory
    /// transport and names other members: use [`in_network`](Self::in_network).
    pub fn new(config: RepConfig) -> Result<Self, OpenError> {
        Self::open(config, Network::AsConfigured)
    }

    /// Opens a node of one more group in this process, reached over TCP at a port that the process's groups
    /// share: the one that the other members know as this node's.
    ///
    /// The listener's own settings hold instead of the configuration's `listen`, `insecure_no_auth` and
    /// `connections_max`. Closing the environment leaves the listener and its other groups alone.
    ///
    /// # Errors
    /// [`OpenError`]; nothing runs. [`OpenError::Transport`] if the group is open on that listener already.
    pub fn on(config: RepConfig, listener: &Listener) -> Result<Self, OpenError> {
        Self::open(config, Network::On(listener))
    }

    /// Opens a node within `network`, which is one in this process, whatever transport the configuration names:
    /// for an application's own tests.
    ///
    /// # Errors
    /// [`OpenError`]; nothing runs.
    pub fn in_network(config: RepConfig, network: &InMemoryNetwork) -> Result<Self, OpenError> {
        Self::open(config, Network::Within(network))
    }

    /// Opens a node on a store or a transport of the application's own.
    ///
    /// # Errors
    /// [`OpenError`]; nothing runs.
    pub fn with_parts(config: RepConfig, parts: Parts<'_>) -> Result<Self, OpenError> {
        Environment::open(config, parts).map(Self)
    }

    fn open(config: RepConfig, network: Network<'_>) -> Result<Self, OpenError> {
        let parts = parts::of(&config, network);
        Self::with_parts(config, parts)
    }
}

impl Deref for ReplicatedEnvironment {
    type Target = Environment;

    fn deref(&self) -> &Environment {
        &self.0
    }
}

use crate::parts::{self, Network};
use quorate_core::Engine;
use quorate_env::{EngineParts, OpenError, PartError, RepConfig, system_wall_clock};
use quorate_log::vfs::OsVfs;
use quorate_transport::{InMemoryNetwork, Listener};
use std::ops::Deref;
use std::path::Path;
use std::sync::Arc;

/// One node of a group that replicates an application's own [`Engine`], over the transport that its
/// configuration names. Everything that can be done with it is on the type that it derefs to.
///
/// `open` opens the engine at a path that is the engine's own: nothing is there at the first start, and its
/// parent exists. The configuration's `engine` and `engine_cache_bytes` are not the application's engine's and
/// have no part in it.
pub struct ReplicatedEngine(quorate_env::ReplicatedEngine);

impl ReplicatedEngine {
    /// Opens a node. It returns as soon as the node runs.
    ///
    /// # Errors
    /// [`OpenError`]; nothing runs. [`OpenError::Store`] is what `open` says.
    pub fn new<E: Engine + 'static, X: Into<PartError>>(
        config: RepConfig,
        open: impl FnOnce(&Path) -> Result<E, X>,
    ) -> Result<Self, OpenError> {
        Self::open(config, Network::AsConfigured, open)
    }

    /// Opens a node of one more group in this process, at a port that the process's groups share: as
    /// [`ReplicatedEnvironment::on`](crate::ReplicatedEnvironment::on).
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn on<E: Engine + 'static, X: Into<PartError>>(
        config: RepConfig,
        listener: &Listener,
        open: impl FnOnce(&Path) -> Result<E, X>,
    ) -> Result<Self, OpenError> {
        Self::open(config, Network::On(listener), open)
    }

    /// Opens a node within a network in this process, whatever transport the configuration names: for an
    /// application's own tests.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn in_network<E: Engine + 'static, X: Into<PartError>>(
        config: RepConfig,
        network: &InMemoryNetwork,
        open: impl FnOnce(&Path) -> Result<E, X>,
    ) -> Result<Self, OpenError> {
        Self::open(config, Network::Within(network), open)
    }

    fn open<E: Engine + 'static, X: Into<PartError>>(
        config: RepConfig,
        network: Network<'_>,
        open: impl FnOnce(&Path) -> Result<E, X>,
    ) -> Result<Self, OpenError> {
        let parts = EngineParts {
            engine: Box::new(|path| open(path).map(|engine| Box::new(engine) as _).map_err(Into::into)),
            transport: parts::transport(&config, network),
            vfs: Arc::new(OsVfs),
            wall_clock: system_wall_clock(),
        };
        quorate_env::ReplicatedEngine::open(config, parts).map(Self)
    }
}

impl Deref for ReplicatedEngine {
    type Target = quorate_env::ReplicatedEngine;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

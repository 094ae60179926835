//! The parts that a configuration names.

use quorate_core::{Inbox, KvStore, NodeId, Packet, SendError, Service, Transport};
use quorate_engine::MemoryStore;
use quorate_env::{
    EngineKind, PartError, Parts, RepConfig, RepTransportKind, TransportPlan, TransportStarter,
    system_wall_clock,
};
use quorate_log::vfs::OsVfs;
use quorate_transport::{
    InMemoryNetwork, InMemoryTransport, Listener, ListenerConfig, TcpConfig, TcpLimits, TcpTransport,
};
use std::path::Path;
use std::sync::Arc;

/// Why a part that the configuration names cannot be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PartsError {
    /// The engine was left out when the crate was built.
    #[error(
        "engine: {engine:?} is not part of this build: switch on the feature {feature:?} of the crate quorate"
    )]
    EngineMissing {
        /// The engine configured.
        engine: EngineKind,
        /// The feature that brings it along.
        feature: &'static str,
    },
    /// The in-memory transport finds other members only within an [`InMemoryNetwork`].
    #[error(
        "transport: the {count} members find each other in memory only within one network: use \
         ReplicatedEnvironment::in_network"
    )]
    NoNetwork {
        /// How many members are declared.
        count: usize,
    },
}

/// Where a node finds the others.
pub(crate) enum Network<'a> {
    AsConfigured,
    Within(&'a InMemoryNetwork),
    On(&'a Listener),
}

/// What an environment of this configuration is made of.
pub(crate) fn of<'a>(config: &RepConfig, network: Network<'a>) -> Parts<'a> {
    let (engine, cache_bytes) = (config.engine, config.engine_cache_bytes);
    Parts {
        store: Box::new(move |path| open_store(engine, path, cache_bytes)),
        transport: transport(config, network),
        vfs: Arc::new(OsVfs),
        wall_clock: system_wall_clock(),
    }
}

/// The transport that a configuration names, where it is to find the others.
pub(crate) fn transport<'a>(config: &RepConfig, network: Network<'a>) -> TransportStarter<'a> {
    let kind = config.transport;
    Box::new(move |plan, inbox| match (network, kind) {
        (Network::Within(network), _) => Ok(Arc::new(network.start(plan.me, plan.members, inbox)?)),
        (Network::On(listener), _) => Ok(Arc::new(TcpTransport::on(listener, tcp_config(plan), inbox)?)),
        (Network::AsConfigured, RepTransportKind::InMemory) => start_alone(plan, inbox),
        (Network::AsConfigured, _) => start_tcp(plan, inbox),
    })
}

fn open_store(engine: EngineKind, path: &Path, cache_bytes: usize) -> Result<Arc<dyn KvStore>, PartError> {
    match engine {
        EngineKind::Memory => Ok(Arc::new(MemoryStore::new())),
        EngineKind::Redb => open_redb(path, cache_bytes),
        _ => open_fjall(path, cache_bytes),
    }
}

#[cfg(feature = "redb")]
fn open_redb(path: &Path, cache_bytes: usize) -> Result<Arc<dyn KvStore>, PartError> {
    let config = quorate_engine::RedbConfig { cache_bytes, ..quorate_engine::RedbConfig::default() };
    Ok(Arc::new(quorate_engine::RedbStore::open(path, &config)?))
}

#[cfg(not(feature = "redb"))]
fn open_redb(_path: &Path, _cache_bytes: usize) -> Result<Arc<dyn KvStore>, PartError> {
    Err(PartsError::EngineMissing { engine: EngineKind::Redb, feature: "redb" }.into())
}

#[cfg(feature = "fjall")]
fn open_fjall(path: &Path, cache_bytes: usize) -> Result<Arc<dyn KvStore>, PartError> {
    let config = quorate_engine::FjallConfig {
        cache_bytes: cache_bytes as u64,
        ..quorate_engine::FjallConfig::default()
    };
    Ok(Arc::new(quorate_engine::FjallStore::open(path, &config)?))
}

#[cfg(not(feature = "fjall"))]
fn open_fjall(_path: &Path, _cache_bytes: usize) -> Result<Arc<dyn KvStore>, PartError> {
    Err(PartsError::EngineMissing { engine: EngineKind::Fjall, feature: "fjall" }.into())
}

/// A listener of its own for one group.
fn start_tcp(plan: TransportPlan, inbox: Arc<dyn Inbox>) -> Result<Arc<dyn Transport>, PartError> {
    let listener = ListenerConfig {
        address: plan.listen.clone(),
        insecure_no_auth: plan.insecure_no_auth,
        connections_max: plan.connections_max,
        handshake_timeout: plan.handshake_timeout,
    };
    Ok(Arc::new(TcpTransport::start(&listener, tcp_config(plan), inbox)?))
}

fn tcp_config(plan: TransportPlan) -> TcpConfig {
    let limits = TcpLimits {
        handshake_timeout: plan.handshake_timeout,
        send_queue_bytes_max: plan.send_queue_bytes_max,
        ..TcpLimits::default()
    };
    let compression = plan.compression;
    TcpConfig { me: plan.me, members: plan.members, seed: plan.seed, compression, limits }
}

/// A network of its own for a group of one.
fn start_alone(plan: TransportPlan, inbox: Arc<dyn Inbox>) -> Result<Arc<dyn Transport>, PartError> {
    let count = plan.members.members().len();
    if count > 1 {
        return Err(PartsError::NoNetwork { count }.into());
    }
    let network = InMemoryNetwork::new()?;
    let transport = network.start(plan.me, plan.members, inbox)?;
    Ok(Arc::new(Alone { transport, _network: network }))
}

/// A transport that keeps its network alive.
struct Alone {
    transport: InMemoryTransport,
    _network: InMemoryNetwork,
}

impl Transport for Alone {
    fn send(&self, to: NodeId, service: Service, packet: Packet) -> Result<(), SendError> {
        self.transport.send(to, service, packet)
    }

    fn close(&self) {
        self.transport.close();
    }
}

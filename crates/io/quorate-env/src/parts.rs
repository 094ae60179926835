use crate::WallClock;
use quorate_core::{Compression, Engine, Inbox, KvStore, MemberList, NodeId, Transport};
use quorate_log::vfs::Vfs;
use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// What an environment is made of besides its configuration. The umbrella crate `quorate` puts them
/// together by the configuration; whoever brings a store or a transport of their own does so here.
pub struct Parts<'a> {
    /// Opens the engine's store at a path that is the store's own; its parent exists.
    pub store: StoreOpener<'a>,
    /// Starts the transport.
    pub transport: TransportStarter<'a>,
    /// The files of the log and of the hard state.
    pub vfs: Arc<dyn Vfs>,
    /// The time of day.
    pub wall_clock: WallClock,
}

/// What a node that replicates an application's own engine is made of besides its configuration.
pub struct EngineParts<'a> {
    /// Opens the engine at a path that is the engine's own; its parent exists.
    pub engine: EngineOpener<'a>,
    /// Starts the transport.
    pub transport: TransportStarter<'a>,
    /// The files of the log and of the hard state.
    pub vfs: Arc<dyn Vfs>,
    /// The time of day.
    pub wall_clock: WallClock,
}

/// What a node stands on in its machine.
pub(crate) struct Machine {
    pub(crate) vfs: Arc<dyn Vfs>,
    pub(crate) wall_clock: WallClock,
}

/// Where a node's engine comes from.
pub(crate) enum EngineSource<'a> {
    /// The engine of an environment, over this store.
    Store(StoreOpener<'a>),
    /// The application's own.
    Application(EngineOpener<'a>),
}

/// An error of a part that this crate does not know.
pub type PartError = Box<dyn Error + Send + Sync>;
/// Opens a store at a path.
pub type StoreOpener<'a> = Box<dyn FnOnce(&Path) -> Result<Arc<dyn KvStore>, PartError> + 'a>;
/// Opens an application's own engine at a path. It is found at the last entry that it has made durable, or at
/// none.
pub type EngineOpener<'a> = Box<dyn FnOnce(&Path) -> Result<Box<dyn Engine>, PartError> + 'a>;
/// Starts a transport.
pub type TransportStarter<'a> =
    Box<dyn FnOnce(TransportPlan, Arc<dyn Inbox>) -> Result<Arc<dyn Transport>, PartError> + 'a>;

/// What a transport is told when it is started.
#[derive(Clone, Debug)]
pub struct TransportPlan {
    /// This node.
    pub me: NodeId,
    /// The group's members.
    pub members: MemberList,
    /// Where this node listens.
    pub listen: String,
    /// Listening beyond the loopback interface is allowed.
    pub insecure_no_auth: bool,
    /// How many callers may be connected that have not yet said who they are.
    pub connections_max: usize,
    /// How long they may take to do so.
    pub handshake_timeout: Duration,
    /// How many bytes may wait for one link: more than a full window.
    pub send_queue_bytes_max: usize,
    /// How log frames are to be compressed for the peers that can read them so.
    pub compression: Compression,
    /// Seed of the transport's jitter.
    pub seed: u64,
}

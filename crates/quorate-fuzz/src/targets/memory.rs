//! Real nodes over nothing but memory.

use quorate::{OpenError, Parts, RepConfig, ReplicatedEnvironment};
use quorate_core::{NodeId, Packet, SendError, Service, Transport};
use quorate_engine::MemoryStore;
use quorate_env::TransportStarter;
use quorate_log::vfs::MemoryVfs;
use std::sync::{Arc, Mutex, PoisonError};

/// Opens the node that a configuration describes: its files on a disk in memory, its engine in memory too.
pub(super) fn open(
    config: RepConfig,
    disk: &MemoryVfs,
    transport: TransportStarter<'_>,
) -> Result<ReplicatedEnvironment, OpenError> {
    let parts = Parts {
        store: Box::new(|_| Ok(Arc::new(MemoryStore::new()))),
        transport,
        vfs: Arc::new(disk.clone()),
        wall_clock: Arc::new(|| 1_700_000_000_000_000),
    };
    ReplicatedEnvironment::with_parts(config, parts)
}

/// A transport that reaches nobody.
pub(super) fn nobody() -> TransportStarter<'static> {
    Box::new(|_, _| Ok(Arc::new(Nobody)))
}

struct Nobody;

impl Transport for Nobody {
    fn send(&self, _: NodeId, _: Service, _: Packet) -> Result<(), SendError> {
        Err(SendError::NotConnected)
    }

    fn close(&self) {}
}

/// What is costly to open, kept from one input to the next. One that an input has broken is not kept, and no
/// more than so many inputs share one, so that it does not grow for ever.
pub(super) struct Kept<T> {
    open: fn() -> T,
    place: Mutex<Option<(T, u32)>>,
}

/// So many inputs share what is kept.
const USES_MAX: u32 = 2_000;

impl<T> Kept<T> {
    pub(super) const fn new(open: fn() -> T) -> Self {
        Self { open, place: Mutex::new(None) }
    }

    pub(super) fn with<R>(&self, work: impl FnOnce(&T) -> R) -> R {
        let place = || self.place.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = place().take();
        let (kept, uses) = kept.unwrap_or_else(|| ((self.open)(), 0));
        let result = work(&kept);
        if uses < USES_MAX {
            *place() = Some((kept, uses + 1));
        }
        result
    }
}

/// Panics if a node has stopped serving, which nothing that it is told may make it do.
pub(super) fn assert_serves(environment: &ReplicatedEnvironment) {
    let status = environment.status().expect("the node's loop runs");
    assert_eq!(status.halted, None);
}

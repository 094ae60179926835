use crate::ReadError;
use crate::core::Core;
use crate::slot::Slot;
use crate::snapshot::Snapshot;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// A read that waits until this node may serve it: wait for it with [`wait`](Self::wait), or as a future.
#[must_use = "a read does nothing until it was waited for"]
pub struct PendingRead {
    core: Arc<Core>,
    slot: Slot<Result<(), ReadError>>,
}

impl PendingRead {
    pub(crate) const fn new(core: Arc<Core>, slot: Slot<Result<(), ReadError>>) -> Self {
        Self { core, slot }
    }

    /// Blocks until this node may serve the read: at most as long as its policy says.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn wait(self) -> Result<Snapshot, ReadError> {
        finish(&self.core, self.slot.wait())
    }
}

impl Future for PendingRead {
    type Output = Result<Snapshot, ReadError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.slot.poll(context).map(|answer| finish(&self.core, answer))
    }
}

/// The event loop has ended if there was no answer.
fn finish(core: &Core, answer: Option<Result<(), ReadError>>) -> Result<Snapshot, ReadError> {
    answer.unwrap_or_else(|| Err(core.ended().map_or(ReadError::Closed, ReadError::from)))?;
    core.snapshot()
}

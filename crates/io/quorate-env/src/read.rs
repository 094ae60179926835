use crate::ReadError;
use crate::admission::Admission;
use crate::core::Core;
use crate::snapshot::Snapshot;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A read that waits until this node may serve it: wait for it with [`wait`](Self::wait), or as a future.
#[must_use = "a read does nothing until it was waited for"]
pub struct PendingRead(Admission);

impl PendingRead {
    pub(crate) const fn new(admission: Admission) -> Self {
        Self(admission)
    }

    /// Blocks until this node may serve the read: at most as long as its policy says.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn wait(self) -> Result<Snapshot, ReadError> {
        self.0.wait(Core::snapshot)
    }
}

impl Future for PendingRead {
    type Output = Result<Snapshot, ReadError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.poll(context, Core::snapshot)
    }
}

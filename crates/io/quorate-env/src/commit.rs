use crate::WriteError;
use crate::slot::Slot;
use bytes::Bytes;
use quorate_policy::CommitToken;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A write under way: wait for it with [`wait`](Self::wait), or as a future.
///
/// It is under way whether or not it is waited for, so many can be begun before the first is waited for.
/// Dropping it forgets the outcome, not the write.
#[must_use = "whether the write succeeded is known only once it was waited for"]
pub struct Commit(Slot<CommitResult>);

/// What a write comes to.
pub type CommitResult = Result<Committed, WriteError>;

/// A write that was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// Names the write: a read at any node can wait for it.
    pub token: CommitToken,
    /// What is known of it.
    pub extent: CommitExtent,
    /// What the engine said of it; empty where it is only written.
    pub result: Bytes,
}

/// How much a success says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CommitExtent {
    /// The write is committed and applied here: it cannot be lost, and reads on this node see it.
    Committed,
    /// The master has written it, as durably as asked, and asked nobody else. It is visible once it is
    /// committed; a change of master before that loses it.
    Written,
}

impl Commit {
    pub(crate) const fn new(slot: Slot<CommitResult>) -> Self {
        Self(slot)
    }

    /// A write that was refused before it was begun.
    pub(crate) fn refused(error: WriteError) -> Self {
        Self(crate::slot::answered(Err(error)))
    }

    /// Blocks until the write's outcome is known: at most about the timeout for acknowledgements.
    ///
    /// # Errors
    /// [`WriteError`]; [`WriteError::outcome`] tells whether the write may have taken effect.
    pub fn wait(mut self) -> Result<Committed, WriteError> {
        self.0.wait().unwrap_or_else(interrupted)
    }
}

impl Future for Commit {
    type Output = Result<Committed, WriteError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.poll(context).map(|outcome| outcome.unwrap_or_else(interrupted))
    }
}

fn interrupted() -> CommitResult {
    Err(WriteError::Interrupted { token: None })
}

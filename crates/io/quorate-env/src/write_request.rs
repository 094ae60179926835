use quorate_codec::{ReadSet, Session, WriteBatch};
use quorate_policy::CommitDurability;

/// A write with everything that can be asked of it, for [`Environment::submit`](crate::Environment::submit).
#[derive(Clone, Debug)]
pub struct WriteRequest {
    pub(crate) batch: WriteBatch,
    pub(crate) durability: Option<CommitDurability>,
    pub(crate) session: Option<Session>,
    pub(crate) reads: Option<ReadSet>,
}

impl WriteRequest {
    /// Operations that take effect together or not at all, as durably as the environment says.
    ///
    /// A batch without operations is taken with a [`session`](Self::session) only, as a *fence*: it takes its
    /// number, so that a write with the same number that is still on its way will have no effect.
    #[must_use]
    pub const fn new(batch: WriteBatch) -> Self {
        Self { batch, durability: None, session: None, reads: None }
    }

    /// As durable as this.
    #[must_use]
    pub const fn durability(mut self, durability: CommitDurability) -> Self {
        self.durability = Some(durability);
        self
    }

    /// At most once: of all writes with the same client and number one has an effect at most, and each of
    /// them is answered as that one was.
    #[must_use]
    pub const fn session(mut self, session: Session) -> Self {
        self.session = Some(session);
        self
    }

    /// Only if nothing that was read has been written since.
    ///
    /// A request like this whose outcome is unknown must not simply be sent again: its own first attempt may
    /// be what has written since. Settle it by a fence first.
    #[must_use]
    pub fn reads(mut self, reads: ReadSet) -> Self {
        self.reads = Some(reads);
        self
    }
}

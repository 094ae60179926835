use crate::DecodeError;
use bytes::Bytes;
use quorate_core::{EngineError, EntryId};
use quorate_policy::CommitToken;
use std::sync::Arc;
use std::time::Duration;

/// Why a read could not be served. Nothing was changed by it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// What the policy asks for did not come about in time.
    #[error(
        "the read could not be served as its policy asks within {timeout:?}: try again, or another node, \
         or a weaker policy"
    )]
    TimedOut {
        /// The policy's timeout.
        timeout: Duration,
    },
    /// The commit that the policy names was rolled back in a change of master: it never took effect, and
    /// never will.
    #[error(
        "the write {token} was rolled back: entry {by} was committed in its stead; it may be tried again"
    )]
    CommitLost {
        /// The commit named.
        token: CommitToken,
        /// A committed entry that excludes it.
        by: EntryId,
    },
    /// The commit that the policy names is so old that this node no longer knows whether it ever was one.
    #[error("the write {token} is older than this node's log: read without the token")]
    TokenTooOld {
        /// The commit named.
        token: CommitToken,
    },
    /// The commit that the policy names is another group's.
    #[error("the write {token} belongs to another group: use tokens of this group only")]
    ForeignGroup {
        /// The commit named.
        token: CommitToken,
    },
    /// Too many reads wait already.
    #[error("{limit} reads wait already: wait for some of them, then try again")]
    Busy {
        /// How many may wait at a time.
        limit: usize,
    },
    /// The environment is closed.
    #[error("the environment is closed")]
    Closed,
    /// The node has stopped serving after a failure.
    #[error("this node has stopped serving: {reason}")]
    Halted {
        /// What happened and what to do.
        reason: String,
    },
    /// A row is not what the types of the database say: it was written as another type, or by other means.
    #[error("row {} of the database {database:?} cannot be decoded: {error}", key.escape_ascii())]
    Decode {
        /// The database.
        database: Arc<str>,
        /// The row's key as it is stored.
        key: Bytes,
        /// What is wrong with the row.
        error: DecodeError,
    },
    /// The engine failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl ReadError {
    pub(crate) fn decode(database: &Arc<str>, key: &[u8], error: DecodeError) -> Self {
        Self::Decode { database: Arc::clone(database), key: Bytes::copy_from_slice(key), error }
    }
}

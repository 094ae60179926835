use crate::MasterAddress;
use crate::kv::Refusal;
use quorate_codec::DatabaseId;
use quorate_policy::CommitToken;

/// Why a write did not succeed. [`outcome`](Self::outcome) tells whether it may have taken effect.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// This node does not lead, or not yet. Nothing was written.
    #[error("this node is not the master{}", MasterAddress::advice(master.as_ref()))]
    NotMaster {
        /// Who leads, as far as this node knows.
        master: Option<MasterAddress>,
    },
    /// Too few replicas are connected for the acknowledgements asked for. Nothing was written.
    #[error(
        "the write needs the copies of {needed} nodes, this one included, and {available} can be \
         reached: bring nodes back, or ask for fewer acknowledgements"
    )]
    InsufficientReplicas {
        /// How many nodes must hold the write, this one included.
        needed: usize,
        /// How many can be reached, this one included.
        available: usize,
    },
    /// Too many writes wait already, or waited too long for their turn. Nothing was written.
    #[error("the master is busy: wait for some of the writes under way, then try again")]
    Busy,
    /// The write will never be committed: another master's entry was, in its stead. It was never visible.
    #[error("the write {token} was rolled back in a change of master: it may be tried again")]
    RolledBack {
        /// Names the write.
        token: CommitToken,
    },
    /// A key is empty. Nothing was written.
    #[error("a key is empty: keys have at least 1 byte")]
    EmptyKey,
    /// A key is too long. Nothing was written.
    #[error("a key has {bytes} bytes, the limit is {limit}")]
    KeyTooLong {
        /// Length of the key in bytes.
        bytes: usize,
        /// The longest key in bytes.
        limit: usize,
    },
    /// A value is too long. Nothing was written.
    #[error(
        "a value has {bytes} bytes, the limit is {limit}: raise value_bytes_max on every node, or cut \
         the value up"
    )]
    ValueTooLong {
        /// Length of the value in bytes.
        bytes: usize,
        /// The longest value in bytes.
        limit: usize,
    },
    /// A value of a typed database cannot be encoded. Nothing was written.
    #[error("a value of type {type_name} cannot be encoded: {detail}")]
    ValueEncoding {
        /// The value's type.
        type_name: &'static str,
        /// What its serialisation said.
        detail: String,
    },
    /// The operations of one write are too long together. Nothing was written.
    #[error(
        "the write has {bytes} bytes, the limit is {limit}: split it, or raise value_bytes_max on every node"
    )]
    BatchTooLong {
        /// Length of the write in bytes.
        bytes: usize,
        /// The longest write in bytes.
        limit: usize,
    },
    /// The write has no operation. Nothing was written.
    #[error("the write is empty: add an operation")]
    EmptyBatch,
    /// A database's name is empty or too long. Nothing was written.
    #[error("a database's name has {bytes} bytes: use 1 to {limit}")]
    DatabaseName {
        /// Length of the name in bytes.
        bytes: usize,
        /// The longest name in bytes.
        limit: usize,
    },
    /// An operation names a database that does not exist. The whole write had no effect.
    #[error("there is no database number {database}: create it first")]
    UnknownDatabase {
        /// The database's number.
        database: DatabaseId,
    },
    /// No more databases can be made. The whole write had no effect.
    #[error("there are {limit} databases already: use fewer, with longer keys")]
    TooManyDatabases {
        /// How many there may be.
        limit: u32,
    },
    /// Something that the transaction has read was written since. Nothing was written.
    #[error("what was read has been written by {by} since: read again as of that token, then try again")]
    Conflict {
        /// Names the write that came between.
        by: CommitToken,
    },
    /// The transaction has read from a snapshot that the master can no longer compare with. Nothing was
    /// written.
    #[error("what was read is too old to be checked: read again as of {oldest} at least, then try again")]
    SnapshotTooOld {
        /// Names the oldest entry as of which can be read.
        oldest: CommitToken,
    },
    /// The transaction has read too many single keys. Nothing was written.
    #[error(
        "the keys that were read have {bytes} bytes, the limit is {limit}: read fewer, or ranges instead"
    )]
    ReadsTooLong {
        /// Length of what was read, as it is told to the master, in bytes.
        bytes: usize,
        /// The greatest length in bytes.
        limit: usize,
    },
    /// The session is unknown: it was never opened, or not used for so long that it was given up. The write
    /// had no effect; whether an earlier attempt with the same number had is not known any more.
    #[error("the session is unknown or was not used for too long: open another one")]
    SessionExpired,
    /// The session has used a higher number already. The write had no effect; whether an earlier attempt
    /// with the same number had is not known any more.
    #[error("the session has used a higher number already: use numbers in order, one at a time")]
    StaleSequence,
    /// The write asks a session for too many databases at once. The whole write had no effect.
    #[error("a write of a session makes {limit} databases at most: split it")]
    TooManyCreated {
        /// How many there may be.
        limit: usize,
    },
    /// The master cannot understand the write. Nothing was written.
    #[error("the master cannot understand the write: {detail}; run the same version on every node")]
    Malformed {
        /// What is wrong.
        detail: String,
    },
    /// The environment is closed. Nothing was written.
    #[error("the environment is closed")]
    Closed,
    /// The node has stopped serving after a failure. Nothing was written.
    #[error("this node has stopped serving: {reason}")]
    Halted {
        /// What happened and what to do.
        reason: String,
    },
    /// The acknowledgements did not come in time. The write is in the master's log and may still be
    /// committed.
    #[error(
        "{received} of {needed} nodes have acknowledged the write {token} in time: it may still be \
         committed; a read that waits for this token tells"
    )]
    InsufficientAcks {
        /// How many nodes must hold the write, the master included.
        needed: usize,
        /// How many are known to.
        received: usize,
        /// Names the write.
        token: CommitToken,
    },
    /// The write was under way when the environment was closed, its node failed, or the master to which it
    /// had been passed on was lost or did not answer in time. It may have been committed, or may still be.
    #[error(
        "the outcome of the write was not heard of, since a node stopped or did not answer: it may have been \
         done{}", ask_by_token(token.as_ref())
    )]
    Interrupted {
        /// Names the write; `None` if this node had not heard its name. A write that was passed on and is
        /// known to be committed, but was not applied here in time, has one.
        token: Option<CommitToken>,
    },
}

/// The end of a sentence that says how to find out.
fn ask_by_token(token: Option<&CommitToken>) -> String {
    match token {
        Some(token) => format!("; a read that waits for the token {token} tells"),
        None => ", and has no token by which to ask: read what it would have changed".to_owned(),
    }
}

/// Whether a write that did not succeed may have taken effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It has not, and never will.
    NotDone,
    /// It has, or will, or never will.
    Unknown {
        /// To ask for it later, by a read with
        /// [`CommitPointConsistency`](quorate_policy::ConsistencyPolicy); `None` if the write was never
        /// named.
        token: Option<CommitToken>,
    },
}

impl WriteError {
    /// Whether the write may have taken effect.
    #[must_use]
    pub const fn outcome(&self) -> Outcome {
        match self {
            Self::InsufficientAcks { token, .. } => Outcome::Unknown { token: Some(*token) },
            Self::Interrupted { token } => Outcome::Unknown { token: *token },
            _ => Outcome::NotDone,
        }
    }

    /// What the engine's refusal of a committed write is to its caller.
    #[must_use]
    pub fn refused(refusal: Refusal) -> Self {
        match refusal {
            Refusal::UnknownDatabase(database) => Self::UnknownDatabase { database },
            Refusal::KeyTooLong => {
                Self::KeyTooLong { bytes: crate::kv::KEY_BYTES_MAX + 1, limit: crate::kv::KEY_BYTES_MAX }
            }
            Refusal::NameTooLong => {
                let limit = quorate_codec::DATABASE_NAME_BYTES_MAX;
                Self::DatabaseName { bytes: limit + 1, limit }
            }
            Refusal::TooManyDatabases => Self::TooManyDatabases { limit: crate::kv::DATABASES_MAX },
            Refusal::SessionExpired => Self::SessionExpired,
            Refusal::StaleSequence => Self::StaleSequence,
            Refusal::TooManyCreated => Self::TooManyCreated { limit: crate::kv::SESSION_DATABASES_MAX },
        }
    }
}

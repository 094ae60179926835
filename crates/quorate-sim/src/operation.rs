use bytes::Bytes;
use quorate_codec::{Envelope, PayloadKind, ReadSet, Session, WriteBatch};
use quorate_core::{EntryId, NodeId};
use quorate_env::kv::{DEFAULT_DATABASE, SCHEMA_VERSION};
use quorate_env::{CommitExtent, CommitResult, Committed, Outcome, ReadOutcome, WriteError};
use quorate_policy::{CommitDurability, CommitToken};
use quorate_replica::{ProposeError, RequestId};
use std::time::Duration;

/// Names one operation of one client; each attempt at it has a name of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct OperationId(pub(crate) u64);

/// A write on its way into a node.
#[derive(Clone, Debug)]
pub(crate) struct Write {
    pub(crate) id: OperationId,
    pub(crate) request: Request,
    pub(crate) durability: CommitDurability,
}

/// What a write asks for.
#[derive(Clone, Debug)]
pub(crate) enum Request {
    /// To open a session.
    OpenSession { client: u128 },
    /// To set keys, or delete them where there is no value.
    Set {
        rows: Vec<(Vec<u8>, Option<Vec<u8>>)>,
        /// At most once, by this number.
        session: Option<Session>,
        /// Only if nothing of this was written since it was read.
        reads: Option<ReadSet>,
    },
}

impl Write {
    /// A plain write of one key; `None` deletes it.
    pub(crate) fn plain(
        id: OperationId,
        key: Vec<u8>,
        value: Option<Vec<u8>>,
        durability: CommitDurability,
    ) -> Self {
        Self {
            id,
            request: Request::Set { rows: vec![(key, value)], session: None, reads: None },
            durability,
        }
    }

    pub(crate) const fn reads(&self) -> Option<&ReadSet> {
        match &self.request {
            Request::Set { reads, .. } => reads.as_ref(),
            Request::OpenSession { .. } => None,
        }
    }

    /// The payload of its entry.
    pub(crate) fn payload(&self) -> Vec<u8> {
        let mut operations = WriteBatch::new();
        let (kind, session) = match &self.request {
            Request::OpenSession { client } => {
                (PayloadKind::OpenSession, Some(Session { client: *client, sequence: 0 }))
            }
            Request::Set { rows, session, .. } => {
                for (key, value) in rows {
                    match value {
                        Some(value) => operations.put(DEFAULT_DATABASE, key, value),
                        None => operations.delete(DEFAULT_DATABASE, key),
                    }
                }
                (PayloadKind::WriteBatch, *session)
            }
        };
        let encoded = operations.encoded();
        let body = if kind == PayloadKind::OpenSession { &[][..] } else { encoded };
        let mut payload = Vec::new();
        Envelope { kind, schema_version: SCHEMA_VERSION, session, body }.encode_into(&mut payload);
        payload
    }
}

/// How a write waits for its outcome.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WriteTicket {
    pub(crate) asker: Asker,
    pub(crate) durability: CommitDurability,
}

/// Who asked for a write.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Asker {
    /// A client of this node.
    Client(OperationId),
    /// A replica that passed it on.
    Replica { node: NodeId, request: RequestId },
}

/// How a read waits until it may be served.
#[derive(Clone, Debug)]
pub(crate) struct ReadTicket {
    pub(crate) id: OperationId,
    pub(crate) key: Vec<u8>,
    /// What must be true of what it shows.
    pub(crate) promise: ReadPromise,
}

/// What a read promises to show.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ReadPromise {
    /// Anything that was once committed.
    Anything,
    /// What this commit has left, or something later.
    Commit(CommitToken),
    /// What had been acknowledged so long ago, by the clock of the node that serves it.
    AtMostOld(Duration),
    /// So many entries at least: what had been acknowledged before it began.
    Everything { floor: u64 },
}

/// What a transaction reads, all of it as of one moment.
#[derive(Clone, Debug)]
pub(crate) struct SnapshotTicket {
    pub(crate) id: OperationId,
    pub(crate) keys: Vec<Vec<u8>>,
}

/// What a client is told.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// Committed and acknowledged as asked.
    Done(CommitToken),
    /// Written by the master, which was all that was asked.
    Written,
    /// It will never be committed.
    Lost,
    /// Committed, and without effect.
    WithoutEffect,
    /// It was not taken.
    Refused(ProposeError),
    /// It was not taken: what it has read was written since, or can no longer be judged.
    Conflict,
    /// Nobody can say.
    Unknown(Option<CommitToken>),
    /// What a read shows.
    Value(Option<Bytes>),
    /// What a transaction reads, and the last entry that it sees.
    Snapshot { at: Option<EntryId>, values: Vec<Option<Bytes>> },
    /// A read is not served.
    NotServed(ReadOutcome),
    /// The node, or its process, is gone.
    Gone,
}

impl Reply {
    /// What a client is told of a write. `master` is who leads, as far as the node knows that was asked.
    pub(crate) fn of(result: CommitResult, master: Option<NodeId>) -> Self {
        match result {
            Ok(Committed { token, extent: CommitExtent::Committed, .. }) => Self::Done(token),
            Ok(Committed { extent: CommitExtent::Written, .. }) => Self::Written,
            Err(WriteError::RolledBack { .. }) => Self::Lost,
            Err(WriteError::SessionExpired | WriteError::StaleSequence) => Self::WithoutEffect,
            Err(WriteError::Conflict { .. } | WriteError::SnapshotTooOld { .. }) => Self::Conflict,
            Err(WriteError::NotMaster { .. }) => Self::Refused(ProposeError::NotMaster { master }),
            Err(WriteError::InsufficientReplicas { needed, available }) => {
                Self::Refused(ProposeError::InsufficientReplicas { needed, available })
            }
            Err(error) => match error.outcome() {
                Outcome::Unknown { token } => Self::Unknown(token),
                Outcome::NotDone => Self::Refused(ProposeError::Busy),
            },
        }
    }

    /// The master that a refusal names.
    pub(crate) const fn master(&self) -> Option<NodeId> {
        match self {
            Self::Refused(ProposeError::NotMaster { master }) => *master,
            _ => None,
        }
    }

    /// Whether what was asked for may yet take effect, or may have.
    pub(crate) const fn is_in_doubt(&self) -> bool {
        matches!(self, Self::Unknown(_) | Self::Written)
    }
}

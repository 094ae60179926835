use quorate_codec::{Envelope, PayloadKind, WriteBatch};
use quorate_core::NodeId;
use quorate_env::ReadOutcome;
use quorate_env::kv::{DEFAULT_DATABASE, SCHEMA_VERSION};
use quorate_policy::{CommitDurability, CommitToken};
use quorate_replica::ProposeError;

/// Names one operation of one client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct OperationId(pub(crate) u64);

/// A write on its way into a node.
#[derive(Clone, Debug)]
pub(crate) struct Write {
    pub(crate) id: OperationId,
    pub(crate) key: Vec<u8>,
    /// `None` deletes the key.
    pub(crate) value: Option<Vec<u8>>,
    pub(crate) durability: CommitDurability,
}

impl Write {
    /// The payload of its entry.
    pub(crate) fn payload(&self) -> Vec<u8> {
        let mut operations = WriteBatch::new();
        match &self.value {
            Some(value) => operations.put(DEFAULT_DATABASE, &self.key, value),
            None => operations.delete(DEFAULT_DATABASE, &self.key),
        }
        let body = operations.encoded();
        let mut payload = Vec::new();
        Envelope { kind: PayloadKind::WriteBatch, schema_version: SCHEMA_VERSION, session: None, body }
            .encode_into(&mut payload);
        payload
    }
}

/// How a write waits for its outcome.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WriteTicket {
    pub(crate) id: OperationId,
    pub(crate) durability: CommitDurability,
}

/// How a read waits until it may be served.
#[derive(Clone, Debug)]
pub(crate) struct ReadTicket {
    pub(crate) id: OperationId,
    pub(crate) key: Vec<u8>,
    /// The commit that a read at a commit point asks for.
    pub(crate) token: Option<CommitToken>,
    /// What a linearizable read must see.
    pub(crate) floor: Option<u64>,
}

/// What a client is told.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Reply {
    /// Committed and acknowledged as asked.
    Done(CommitToken),
    /// Written by the master, which was all that was asked.
    Written,
    /// It will never be committed.
    Lost,
    /// It was not taken.
    Refused(ProposeError),
    /// Nobody can say.
    Unknown(Option<CommitToken>),
    /// A read ended.
    Read(ReadOutcome),
    /// The node, or its process, is gone.
    Gone,
}

impl Reply {
    /// The master that a refusal names.
    pub(crate) const fn master(&self) -> Option<NodeId> {
        match self {
            Self::Refused(ProposeError::NotMaster { master }) => *master,
            _ => None,
        }
    }
}

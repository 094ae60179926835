use super::convert::token_of;
use crate::NodeSettings;
use crate::v1::failure::Reason;
use crate::v1::{
    Busy, Conflict, ConsistencyTimeout, Failure, Master, NotMaster, OutcomeUnknown, SessionExpired,
    Shortfall, SnapshotTooOld, StaleSequence,
};
use prost::Message;
use quorate::{MasterAddress, ReadError, Vlsn, WriteError};
use std::collections::HashMap;
use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;
use tonic::metadata::MetadataValue;
use tonic::{Code, Status};

/// The trailer of a failed call that holds an encoded [`Failure`].
pub const FAILURE_TRAILER: &str = "quorate-failure-bin";

/// Why a call failed, for programs, if the server said so.
#[must_use]
pub fn failure_of(status: &Status) -> Option<Failure> {
    let trailer = status.metadata().get_bin(FAILURE_TRAILER)?.to_bytes().ok()?;
    Failure::decode(trailer).ok()
}

/// Puts errors into the words of the protocol.
#[derive(Clone, Debug)]
pub(super) struct Refusals(Arc<HashMap<String, Contact>>);

/// How clients are told of a member.
#[derive(Clone, Debug)]
struct Contact {
    id: u32,
    client_address: String,
}

impl Refusals {
    /// Knows the members as they are declared: they are numbered in the order of their names.
    pub(super) fn new(settings: &NodeSettings) -> Self {
        let mut names: Vec<&String> =
            settings.environment.members.iter().map(|member| &member.name).collect();
        names.sort();
        let contact = |(name, id): (&String, u32)| {
            let client_address = settings.client_addresses.get(name).cloned().unwrap_or_default();
            (name.clone(), Contact { id, client_address })
        };
        Self(Arc::new(names.into_iter().zip(1..).map(contact).collect()))
    }

    /// The master as clients are told of it.
    pub(super) fn master(&self, master: &MasterAddress) -> Master {
        let contact = self.0.get(&master.node);
        Master {
            id: contact.map_or(0, |contact| contact.id),
            name: master.node.clone(),
            client_address: self.client_address(&master.node),
            address: master.address.clone(),
        }
    }

    /// Where a member serves clients; empty if that is not declared.
    pub(super) fn client_address(&self, node: &str) -> String {
        self.0.get(node).map_or_else(String::new, |contact| contact.client_address.clone())
    }

    /// A write that did not succeed.
    pub(super) fn write(&self, error: &WriteError) -> Status {
        let reason = match error {
            WriteError::NotMaster { master } => Some(Reason::NotMaster(NotMaster {
                master: master.as_ref().map(|master| self.master(master)),
            })),
            WriteError::InsufficientReplicas { needed, available } => {
                Some(Reason::InsufficientReplicas(shortfall(*needed, *available)))
            }
            WriteError::InsufficientAcks { needed, received, token } => {
                let (needed, received) = (count(*needed), count(*received));
                let token = Some(token_of(token));
                Some(Reason::OutcomeUnknown(OutcomeUnknown { token, needed, received }))
            }
            WriteError::Interrupted { token } => {
                let token = token.as_ref().map(token_of);
                Some(Reason::OutcomeUnknown(OutcomeUnknown { token, needed: 0, received: 0 }))
            }
            WriteError::Conflict { by } => Some(Reason::Conflict(Conflict { by: Some(token_of(by)) })),
            WriteError::SnapshotTooOld { oldest } => {
                Some(Reason::SnapshotTooOld(SnapshotTooOld { oldest: Some(token_of(oldest)) }))
            }
            WriteError::SessionExpired => Some(Reason::SessionExpired(SessionExpired {})),
            WriteError::StaleSequence => Some(Reason::StaleSequence(StaleSequence {})),
            WriteError::Busy => Some(Reason::Busy(Busy {})),
            WriteError::RolledBack { token } => Some(Reason::CommitLost(token_of(token))),
            _ => None,
        };
        failed(write_code(error), error, reason)
    }

    /// A read that could not be served as it asked, after it had `waited`, at a node that has applied
    /// everything up to `applied`.
    pub(super) fn read(&self, error: &ReadError, waited: Duration, applied: Option<Vlsn>) -> Status {
        let applied = Vlsn::number(applied);
        let waited_ms = u64::try_from(waited.as_millis()).unwrap_or(u64::MAX);
        let (code, reason) = match error {
            ReadError::TimedOut { .. } => {
                let reason = Reason::ConsistencyTimeout(ConsistencyTimeout { waited_ms, applied });
                (Code::DeadlineExceeded, Some(reason))
            }
            ReadError::CommitLost { token, .. } | ReadError::ForeignGroup { token } => {
                (Code::DataLoss, Some(Reason::CommitLost(token_of(token))))
            }
            ReadError::TokenTooOld { token } => {
                (Code::OutOfRange, Some(Reason::TokenTooOld(token_of(token))))
            }
            ReadError::Busy { .. } => (Code::ResourceExhausted, Some(Reason::Busy(Busy {}))),
            ReadError::Closed | ReadError::Halted { .. } => (Code::Unavailable, None),
            _ => (Code::Internal, None),
        };
        failed(code, error, reason)
    }

    /// A read whose demand was met and whose data could not be read.
    pub(super) fn read_failed(&self, error: &ReadError) -> Status {
        self.read(error, Duration::ZERO, None)
    }

    /// A database that is not there.
    pub(super) fn no_such_database(&self, name: &str) -> Status {
        let text = format!(
            "there is no database {name:?} on this node: make it with CreateDatabase; if that was done, wait \
             until this node has applied it"
        );
        failed(Code::NotFound, &text, Some(Reason::NoSuchDatabase(name.to_owned())))
    }
}

/// A node that takes on no more for now, in the words of `text`.
pub(crate) fn busy(text: &str) -> Status {
    failed(Code::ResourceExhausted, &text, Some(Reason::Busy(Busy {})))
}

fn write_code(error: &WriteError) -> Code {
    match error {
        WriteError::NotMaster { .. }
        | WriteError::InsufficientReplicas { .. }
        | WriteError::Closed
        | WriteError::Halted { .. } => Code::Unavailable,
        WriteError::Busy | WriteError::TooManyDatabases { .. } => Code::ResourceExhausted,
        WriteError::RolledBack { .. } | WriteError::Conflict { .. } | WriteError::SnapshotTooOld { .. } => {
            Code::Aborted
        }
        WriteError::SessionExpired | WriteError::StaleSequence => Code::FailedPrecondition,
        WriteError::EmptyKey
        | WriteError::KeyTooLong { .. }
        | WriteError::ValueTooLong { .. }
        | WriteError::BatchTooLong { .. }
        | WriteError::EmptyBatch
        | WriteError::ReadsTooLong { .. }
        | WriteError::TooManyCreated { .. }
        | WriteError::DatabaseName { .. } => Code::InvalidArgument,
        WriteError::UnknownDatabase { .. } => Code::NotFound,
        WriteError::InsufficientAcks { .. } | WriteError::Interrupted { .. } => Code::DeadlineExceeded,
        _ => Code::Internal,
    }
}

fn failed(code: Code, error: &impl Display, reason: Option<Reason>) -> Status {
    let mut status = Status::new(code, error.to_string());
    if let Some(reason) = reason {
        let trailer = Failure { reason: Some(reason) }.encode_to_vec();
        status.metadata_mut().insert_bin(FAILURE_TRAILER, MetadataValue::from_bytes(&trailer));
    }
    status
}

fn shortfall(needed: usize, available: usize) -> Shortfall {
    Shortfall { needed: count(needed), available: count(available) }
}

/// Numbers of nodes are small.
fn count(nodes: usize) -> u32 {
    u32::try_from(nodes).unwrap_or(u32::MAX)
}

//! What became of a write, on its way from the master to the replica that has passed it on.

use crate::commit::{CommitExtent, CommitResult, Committed};
use crate::{Outcome, WriteError};
use bytes::Bytes;
use prost::Message as _;
use quorate_codec::DatabaseId;
use quorate_core::{EntryId, GroupUuid, Term, Vlsn};
use quorate_policy::CommitToken;

#[derive(Clone, PartialEq, prost::Message)]
struct Wire {
    #[prost(
        oneof = "Kind",
        tags = "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23"
    )]
    kind: Option<Kind>,
}

/// The variants of a success and of [`WriteError`]; one that says nothing but its name is true.
#[derive(Clone, PartialEq, prost::Oneof)]
enum Kind {
    #[prost(message, tag = "1")]
    Committed(WireCommitted),
    #[prost(message, tag = "2")]
    Written(WireEntry),
    /// The node asked does not take the write, and it was not written.
    #[prost(bool, tag = "3")]
    NotMaster(bool),
    #[prost(message, tag = "4")]
    InsufficientReplicas(WirePair),
    #[prost(bool, tag = "5")]
    Busy(bool),
    #[prost(message, tag = "6")]
    RolledBack(WireEntry),
    #[prost(bool, tag = "7")]
    EmptyKey(bool),
    #[prost(message, tag = "8")]
    KeyTooLong(WirePair),
    #[prost(message, tag = "9")]
    ValueTooLong(WirePair),
    #[prost(message, tag = "10")]
    BatchTooLong(WirePair),
    #[prost(bool, tag = "11")]
    EmptyBatch(bool),
    #[prost(message, tag = "12")]
    DatabaseName(WirePair),
    #[prost(uint32, tag = "13")]
    UnknownDatabase(u32),
    #[prost(uint32, tag = "14")]
    TooManyDatabases(u32),
    #[prost(message, tag = "15")]
    Conflict(WireEntry),
    #[prost(message, tag = "16")]
    SnapshotTooOld(WireEntry),
    #[prost(message, tag = "17")]
    ReadsTooLong(WirePair),
    #[prost(bool, tag = "18")]
    SessionExpired(bool),
    #[prost(bool, tag = "19")]
    StaleSequence(bool),
    #[prost(uint64, tag = "20")]
    TooManyCreated(u64),
    #[prost(string, tag = "21")]
    Malformed(String),
    #[prost(message, tag = "22")]
    InsufficientAcks(WireAcks),
    /// Without an entry the write was never named.
    #[prost(message, tag = "23")]
    Interrupted(WireEntry),
}

#[derive(Clone, PartialEq, prost::Message)]
struct WireCommitted {
    #[prost(message, required, tag = "1")]
    entry: WireEntry,
    #[prost(bytes = "bytes", tag = "2")]
    result: Bytes,
}

#[derive(Clone, Copy, PartialEq, prost::Message)]
struct WireEntry {
    #[prost(uint64, tag = "1")]
    term: u64,
    #[prost(uint64, tag = "2")]
    vlsn: u64,
}

/// What there is, or would be needed, and what limits it.
#[derive(Clone, Copy, PartialEq, prost::Message)]
struct WirePair {
    #[prost(uint64, tag = "1")]
    first: u64,
    #[prost(uint64, tag = "2")]
    second: u64,
}

#[derive(Clone, Copy, PartialEq, prost::Message)]
struct WireAcks {
    #[prost(uint64, tag = "1")]
    needed: u64,
    #[prost(uint64, tag = "2")]
    received: u64,
    #[prost(message, required, tag = "3")]
    entry: WireEntry,
}

/// The outcome as it is sent. Both ends belong to one group, so tokens travel without it.
#[must_use]
pub fn encode(result: CommitResult) -> Bytes {
    let kind = match result {
        Ok(Committed { token, extent: CommitExtent::Written, .. }) => Kind::Written(entry(token)),
        Ok(Committed { token, result, .. }) => Kind::Committed(WireCommitted { entry: entry(token), result }),
        Err(error) => error_kind(error),
    };
    Bytes::from(Wire { kind: Some(kind) }.encode_to_vec())
}

/// An outcome that was received.
///
/// # Errors
/// What the master answered instead of a success. An outcome that cannot be understood leaves the write
/// unknown: [`WriteError::Interrupted`].
pub fn decode(bytes: Bytes, group: GroupUuid) -> CommitResult {
    let kind = Wire::decode(bytes).ok().and_then(|wire| wire.kind);
    kind.and_then(|kind| result_of(kind, group)).unwrap_or(Err(WriteError::Interrupted { token: None }))
}

/// A master that closes or has stopped serving is no master to the replica.
fn error_kind(error: WriteError) -> Kind {
    match error {
        WriteError::NotMaster { .. } | WriteError::Closed | WriteError::Halted { .. } => {
            Kind::NotMaster(true)
        }
        WriteError::InsufficientReplicas { needed, available } => {
            Kind::InsufficientReplicas(pair(needed, available))
        }
        WriteError::Busy => Kind::Busy(true),
        WriteError::RolledBack { token } => Kind::RolledBack(entry(token)),
        WriteError::EmptyKey => Kind::EmptyKey(true),
        WriteError::KeyTooLong { bytes, limit } => Kind::KeyTooLong(pair(bytes, limit)),
        WriteError::ValueTooLong { bytes, limit } => Kind::ValueTooLong(pair(bytes, limit)),
        WriteError::BatchTooLong { bytes, limit } => Kind::BatchTooLong(pair(bytes, limit)),
        WriteError::EmptyBatch => Kind::EmptyBatch(true),
        WriteError::DatabaseName { bytes, limit } => Kind::DatabaseName(pair(bytes, limit)),
        WriteError::UnknownDatabase { database } => Kind::UnknownDatabase(database.as_u32()),
        WriteError::TooManyDatabases { limit } => Kind::TooManyDatabases(limit),
        WriteError::Conflict { by } => Kind::Conflict(entry(by)),
        WriteError::SnapshotTooOld { oldest } => Kind::SnapshotTooOld(entry(oldest)),
        WriteError::ReadsTooLong { bytes, limit } => Kind::ReadsTooLong(pair(bytes, limit)),
        WriteError::SessionExpired => Kind::SessionExpired(true),
        WriteError::StaleSequence => Kind::StaleSequence(true),
        WriteError::TooManyCreated { limit } => Kind::TooManyCreated(limit as u64),
        WriteError::Malformed { detail } => Kind::Malformed(detail),
        WriteError::InsufficientAcks { needed, received, token } => {
            let (needed, received) = (needed as u64, received as u64);
            Kind::InsufficientAcks(WireAcks { needed, received, entry: entry(token) })
        }
        // What is refused before it is sent, by any node, is at least told whether it was done.
        other => match other.outcome() {
            Outcome::NotDone => Kind::Malformed(other.to_string()),
            Outcome::Unknown { token } => Kind::Interrupted(token.map_or_else(WireEntry::default, entry)),
        },
    }
}

fn result_of(kind: Kind, group: GroupUuid) -> Option<CommitResult> {
    let token = |entry: WireEntry| entry.token(group);
    Some(Err(match kind {
        Kind::Committed(WireCommitted { entry, result }) => {
            let (token, extent) = (token(entry)?, CommitExtent::Committed);
            return Some(Ok(Committed { token, extent, result }));
        }
        Kind::Written(entry) => {
            let (token, extent) = (token(entry)?, CommitExtent::Written);
            return Some(Ok(Committed { token, extent, result: Bytes::new() }));
        }
        Kind::NotMaster(_) => WriteError::NotMaster { master: None },
        Kind::InsufficientReplicas(pair) => {
            WriteError::InsufficientReplicas { needed: pair.first(), available: pair.second() }
        }
        Kind::Busy(_) => WriteError::Busy,
        Kind::RolledBack(entry) => WriteError::RolledBack { token: token(entry)? },
        Kind::EmptyKey(_) => WriteError::EmptyKey,
        Kind::KeyTooLong(pair) => WriteError::KeyTooLong { bytes: pair.first(), limit: pair.second() },
        Kind::ValueTooLong(pair) => WriteError::ValueTooLong { bytes: pair.first(), limit: pair.second() },
        Kind::BatchTooLong(pair) => WriteError::BatchTooLong { bytes: pair.first(), limit: pair.second() },
        Kind::EmptyBatch(_) => WriteError::EmptyBatch,
        Kind::DatabaseName(pair) => WriteError::DatabaseName { bytes: pair.first(), limit: pair.second() },
        Kind::UnknownDatabase(number) => WriteError::UnknownDatabase { database: DatabaseId::new(number) },
        Kind::TooManyDatabases(limit) => WriteError::TooManyDatabases { limit },
        Kind::Conflict(entry) => WriteError::Conflict { by: token(entry)? },
        Kind::SnapshotTooOld(entry) => WriteError::SnapshotTooOld { oldest: token(entry)? },
        Kind::ReadsTooLong(pair) => WriteError::ReadsTooLong { bytes: pair.first(), limit: pair.second() },
        Kind::SessionExpired(_) => WriteError::SessionExpired,
        Kind::StaleSequence(_) => WriteError::StaleSequence,
        Kind::TooManyCreated(limit) => WriteError::TooManyCreated { limit: count(limit) },
        Kind::Malformed(detail) => WriteError::Malformed { detail },
        Kind::InsufficientAcks(WireAcks { needed, received, entry }) => {
            let (needed, received) = (count(needed), count(received));
            WriteError::InsufficientAcks { needed, received, token: token(entry)? }
        }
        Kind::Interrupted(entry) => WriteError::Interrupted { token: token(entry) },
    }))
}

const fn pair(first: usize, second: usize) -> WirePair {
    WirePair { first: first as u64, second: second as u64 }
}

fn count(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

const fn entry(token: CommitToken) -> WireEntry {
    WireEntry { term: token.term.as_u64(), vlsn: token.vlsn.as_u64() }
}

impl WirePair {
    fn first(self) -> usize {
        count(self.first)
    }

    fn second(self) -> usize {
        count(self.second)
    }
}

impl WireEntry {
    fn token(self, group: GroupUuid) -> Option<CommitToken> {
        let (term, vlsn) = (Term::from_u64(self.term), Vlsn::new(self.vlsn)?);
        Some(CommitToken::new(group, EntryId { term, vlsn }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GROUP: GroupUuid = GroupUuid(7);

    fn every_outcome() -> Vec<CommitResult> {
        let token = entry_token(5);
        let (bytes, limit, result) = (70_000, 65_000, Bytes::from_static(b"result"));
        let mut outcomes = vec![
            Ok(Committed { token, extent: CommitExtent::Committed, result }),
            Ok(Committed { token, extent: CommitExtent::Written, result: Bytes::new() }),
        ];
        let errors = [
            WriteError::NotMaster { master: None },
            WriteError::InsufficientReplicas { needed: 3, available: 2 },
            WriteError::Busy,
            WriteError::RolledBack { token },
            WriteError::EmptyKey,
            WriteError::KeyTooLong { bytes, limit },
            WriteError::ValueTooLong { bytes, limit },
            WriteError::BatchTooLong { bytes, limit },
            WriteError::EmptyBatch,
            WriteError::DatabaseName { bytes, limit },
            WriteError::UnknownDatabase { database: DatabaseId::new(9) },
            WriteError::TooManyDatabases { limit: 9 },
            WriteError::Conflict { by: token },
            WriteError::SnapshotTooOld { oldest: token },
            WriteError::ReadsTooLong { bytes, limit },
            WriteError::SessionExpired,
            WriteError::StaleSequence,
            WriteError::TooManyCreated { limit },
            WriteError::Malformed { detail: "why".to_owned() },
            WriteError::InsufficientAcks { needed: 3, received: 2, token },
            WriteError::Interrupted { token: Some(token) },
            WriteError::Interrupted { token: None },
        ];
        outcomes.extend(errors.map(Err));
        outcomes
    }

    fn entry_token(vlsn: u64) -> CommitToken {
        WireEntry { term: 3, vlsn }.token(GROUP).unwrap()
    }

    #[test]
    fn every_outcome_survives_the_wire() {
        for outcome in every_outcome() {
            assert_eq!(decode(encode(outcome.clone()), GROUP), outcome);
        }
    }

    #[test]
    fn a_master_that_ends_is_none_and_has_written_nothing() {
        for error in [WriteError::Closed, WriteError::Halted { reason: "why".to_owned() }] {
            let heard = decode(encode(Err(error)), GROUP).unwrap_err();
            assert_eq!(heard, WriteError::NotMaster { master: None });
            assert_eq!(heard.outcome(), Outcome::NotDone);
        }
    }

    #[test]
    fn an_outcome_that_cannot_be_understood_is_unknown() {
        let nowhere = Wire { kind: Some(Kind::RolledBack(WireEntry::default())) }.encode_to_vec();
        for bytes in [&b""[..], b"\xff\xff", &nowhere] {
            let heard = decode(Bytes::copy_from_slice(bytes), GROUP).unwrap_err();
            assert_eq!(heard.outcome(), Outcome::Unknown { token: None });
        }
    }
}

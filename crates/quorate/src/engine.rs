//! The words of an engine: what an application implements that brings its own.
//!
//! [`Engine`] is for a state machine whose payloads are its own affair; [`KvStore`] is for an ordered store of
//! bytes, which then carries the databases of a [`ReplicatedEnvironment`](crate::ReplicatedEnvironment) like
//! any other.

pub use bytes::Bytes;
pub use quorate_core::{
    Committed, Engine, EngineError, EntryId, EntryKind, KvOperation, KvRow, KvScan, KvSnapshot, KvStore,
    Term, Vlsn,
};

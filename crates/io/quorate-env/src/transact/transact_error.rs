use crate::{Outcome, ReadError, TransactionError, WriteError};
use quorate_policy::CommitToken;
use std::time::Duration;

/// Why a transaction did not succeed. `E` is the error of the function that was run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TransactError<E = TransactionError> {
    /// The function returned an error. Nothing was written.
    #[error("the transaction was given up: {0}")]
    Aborted(E),
    /// Its snapshot could not be taken. Nothing was written.
    #[error(transparent)]
    Read(ReadError),
    /// Its writes were refused, for a reason that trying again does not cure. Nothing was written.
    #[error(transparent)]
    Refused(WriteError),
    /// No attempt has succeeded in time. Nothing was written.
    #[error(
        "the transaction was not done within {timeout:?}, in {attempts} attempts{}: try again later, or \
         have transactions read and write less that others write too",
        last.as_ref().map(|error| format!(" (the last: {error})")).unwrap_or_default()
    )]
    TimedOut {
        /// How long it was tried.
        timeout: Duration,
        /// How often.
        attempts: u32,
        /// Why the last attempt failed, if there was one.
        last: Option<WriteError>,
    },
    /// Whether the last attempt has taken effect could not be found out in time. No other one has, or will.
    #[error("whether the transaction was done could not be found out in time: {source}")]
    Unknown {
        /// What was last heard of it.
        source: WriteError,
    },
}

impl<E> TransactError<E> {
    /// Whether the transaction may have taken effect.
    #[must_use]
    pub const fn outcome(&self) -> Outcome {
        match self {
            Self::Unknown { source } => Outcome::Unknown { token: token_of(source) },
            _ => Outcome::NotDone,
        }
    }
}

const fn token_of(error: &WriteError) -> Option<CommitToken> {
    match error.outcome() {
        Outcome::Unknown { token } => token,
        Outcome::NotDone => None,
    }
}

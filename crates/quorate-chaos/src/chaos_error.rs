use quorate_server::client::{ClientError, EndpointError};
use std::io;
use std::time::Duration;

/// Why a run could not be carried out. What a run finds out is no error.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChaosError {
    /// The operating system refused.
    #[error("{operation} failed: {source}")]
    System {
        /// What was tried.
        operation: &'static str,
        /// What it said.
        source: io::Error,
    },
    /// A program of the operating system failed.
    #[error("`{command}` failed: {output}")]
    Command {
        /// The program and its arguments.
        command: String,
        /// What it said.
        output: String,
    },
    /// No client could be made.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// The group did not come up, or did not heal.
    #[error("waited {waited:.0?} {what}; {last}")]
    TimedOut {
        /// For what.
        what: &'static str,
        /// How long.
        waited: Duration,
        /// How things stood.
        last: String,
    },
    /// The last reads failed, of a group that is whole.
    #[error("reading everything at the end failed: {0}")]
    LastRead(ClientError),
    /// The run was stopped from outside.
    #[error("stopped by {0}")]
    Interrupted(&'static str),
}

impl ChaosError {
    /// For `map_err`: what was tried.
    pub(crate) fn system(operation: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::System { operation, source }
    }
}

use crate::EncodingError;
use crate::client::{ClientError, EndpointError};
use crate::rows::RowError;
use crate::script::ScriptError;
use quorate_log::InspectError;
use std::io;
use std::path::PathBuf;

/// Why a command did not do what it was told.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum CommandError {
    /// Whoever read the output has closed it: a clean end.
    #[error("the output was closed")]
    PipeClosed,
    /// The key is not there.
    #[error("there is no such key")]
    NoSuchKey,
    /// The group could not do it.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The endpoints are none.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// A word of the command line is not in the encoding that it is said to be in.
    #[error(transparent)]
    Encoding(#[from] EncodingError),
    /// A script is none.
    #[error(transparent)]
    Script(#[from] ScriptError),
    /// A script's expectation does not hold.
    #[error("line {line}: {found}; nothing was done")]
    Expectation {
        /// The script's line, from 1.
        line: usize,
        /// What was found.
        found: String,
    },
    /// A row cannot be read or written as it is.
    #[error(transparent)]
    Row(#[from] RowError),
    /// An import has ended early.
    #[error("{source}; of the rows before it {rows} are written for certain")]
    Import {
        /// How many rows are written for certain.
        rows: u64,
        /// What happened.
        source: Box<CommandError>,
    },
    /// What is to be written is there already.
    #[error("{} exists: name a place that does not, or remove it", path.display())]
    Exists {
        /// The file or directory.
        path: PathBuf,
    },
    /// A directory was asked for on a stream.
    #[error("a directory cannot be read from stdin or written to stdout: name its path")]
    DirectoryStream,
    /// No node has answered.
    #[error("no node has answered: check --endpoints, and that the nodes run")]
    NobodyAnswers,
    /// A log cannot be looked into.
    #[error(transparent)]
    Inspect(#[from] InspectError),
    /// A log is damaged.
    #[error(
        "the log is damaged in {damages} places: start the node with its group, from which it fetches what \
        is \
         missing, or give it an empty directory"
    )]
    Damaged {
        /// In how many places.
        damages: usize,
    },
    /// The process was told to stop.
    #[error("ended by {signal}")]
    Interrupted {
        /// The signal.
        signal: &'static str,
    },
    /// The operating system refused.
    #[error("{operation} failed: {source}")]
    System {
        /// What was tried.
        operation: String,
        /// What the operating system said.
        source: io::Error,
    },
}

impl CommandError {
    /// What the operating system said to `operation`; a closed pipe is told apart.
    pub(crate) fn system(operation: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let operation = operation.into();
        move |source| match source.kind() {
            io::ErrorKind::BrokenPipe => Self::PipeClosed,
            _ => Self::System { operation, source },
        }
    }

    /// What the process exits with, as `--help` tells.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::PipeClosed => 0,
            Self::Endpoint(_) | Self::Encoding(_) | Self::Script(_) | Self::DirectoryStream => 2,
            Self::NoSuchKey | Self::Client(ClientError::NoSuchDatabase { .. }) => 3,
            Self::Client(ClientError::OutcomeUnknown { .. }) => 4,
            Self::Client(ClientError::TimedOut { .. }) | Self::NobodyAnswers => 5,
            Self::Expectation { .. } => 6,
            Self::Client(ClientError::CommitLost { .. }) => 7,
            Self::Damaged { .. } => 8,
            Self::Import { source, .. } => source.exit_code(),
            Self::Client(_)
            | Self::Row(_)
            | Self::Exists { .. }
            | Self::Inspect(_)
            | Self::Interrupted { .. }
            | Self::System { .. } => 1,
        }
    }
}

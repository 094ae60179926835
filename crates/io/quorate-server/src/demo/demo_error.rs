use super::InputError;
use bytes::Bytes;
use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;
use tonic::Status;

/// Why a demonstration did not come to its end, or did not end well.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DemoError {
    /// The engine keeps nothing that could be compared.
    #[error(
        "the memory engine keeps nothing once its node has stopped, so nothing could be compared: use \
        --engine redb or fjall"
    )]
    MemoryEngine,
    /// The input cannot be written.
    #[error(transparent)]
    Input(#[from] InputError),
    /// The directory to keep holds something else.
    #[error(
        "{} is not empty: give --keep a directory that is, or one that does not exist",
        directory.display()
    )]
    DirectoryInUse {
        /// The directory.
        directory: PathBuf,
    },
    /// The operating system refused.
    #[error("{operation} failed: {source}")]
    System {
        /// What was tried.
        operation: &'static str,
        /// What the operating system said.
        source: io::Error,
    },
    /// A node's process ended though nobody had asked it to.
    #[error("{node} has ended by itself ({status}); the end of its log:\n{log}")]
    NodeDied {
        /// The node.
        node: String,
        /// How it ended.
        status: ExitStatus,
        /// The end of its log.
        log: String,
    },
    /// A node did not stop as it should.
    #[error("{node} did not stop cleanly ({status}); the end of its log:\n{log}")]
    UncleanStop {
        /// The node.
        node: String,
        /// How it ended.
        status: ExitStatus,
        /// The end of its log.
        log: String,
    },
    /// Something did not happen in time.
    #[error("waited {timeout:?} {what}, in vain: {last}")]
    TimedOut {
        /// What was waited for.
        what: &'static str,
        /// How long.
        timeout: Duration,
        /// What the nodes said at the end.
        last: String,
    },
    /// A write was refused for good.
    #[error("the write of {key:?} was refused: {} ({:?})", refusal.message(), refusal.code())]
    Refused {
        /// The record's key.
        key: Bytes,
        /// The refusal.
        refusal: Status,
    },
    /// A write found nobody to acknowledge it.
    #[error(
        "no node has acknowledged {key:?} within {timeout:?}; the last answer: {} ({:?})",
        refusal.message(), refusal.code()
    )]
    Stalled {
        /// The record's key.
        key: Bytes,
        /// How long it was tried.
        timeout: Duration,
        /// The last refusal.
        refusal: Status,
    },
    /// The load came to its end before the master could be killed.
    #[error("all {acked} writes were acknowledged before the master could be killed: write more records")]
    NoKill {
        /// How many there were.
        acked: u64,
    },
    /// A stopped node's data cannot be read.
    #[error("the data in {} cannot be read: {detail}", directory.display())]
    Store {
        /// The node's data directory.
        directory: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// A part of this program failed.
    #[error("a part of the demonstration has failed: {detail}")]
    Panicked {
        /// How.
        detail: String,
    },
    /// The demonstration was told to stop.
    #[error("stopped by {signal}; the nodes are stopped{}", whereabouts(kept.as_ref()))]
    Interrupted {
        /// The signal's name.
        signal: &'static str,
        /// Where the nodes' directories are, if they were to be kept.
        kept: Option<PathBuf>,
    },
    /// It came to its end, and what it found is not as promised.
    #[error("the demonstration has failed: {}{}", reasons.join("; "), whereabouts(kept.as_ref()))]
    Broken {
        /// What is not as promised.
        reasons: Vec<String>,
        /// Where the nodes' directories are.
        kept: Option<PathBuf>,
    },
}

impl DemoError {
    /// Says what was tried when the operating system refused.
    pub(super) fn system(operation: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::System { operation, source }
    }

    /// A task has panicked.
    pub(super) fn panicked(error: tokio::task::JoinError) -> Self {
        Self::Panicked { detail: error.to_string() }
    }
}

/// Where the nodes' directories are, as the end of a sentence.
fn whereabouts(kept: Option<&PathBuf>) -> String {
    match kept {
        Some(kept) => format!("; their directories are in {}", kept.display()),
        None => "; their directories are removed".to_owned(),
    }
}

use crate::ConfigError;
use quorate_core::{EngineError, LogError, StateStoreError};
use std::error::Error;
use std::io;
use std::path::PathBuf;

/// Why an environment could not be opened. Nothing runs, and the directory can be opened again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The configuration is not sound.
    #[error("the configuration is not sound: {0}")]
    Config(#[from] ConfigError),
    /// Another environment has the data directory open.
    #[error(
        "the data directory {} is in use: close the environment that has it open, or give this node \
         another directory",
        directory.display()
    )]
    InUse {
        /// The directory.
        directory: PathBuf,
    },
    /// The data directory is another node's, or another group's.
    #[error(
        "{} belongs to node {found_node:?} of group {found_group:?}, not to node {node:?} of group \
         {group:?}: give each node a directory of its own", directory.display()
    )]
    ForeignDirectory {
        /// The directory.
        directory: PathBuf,
        /// The group whose it is.
        found_group: String,
        /// The node whose it is.
        found_node: String,
        /// The group configured.
        group: String,
        /// The node configured.
        node: String,
    },
    /// The group that this node belongs to was founded without a node of its name: the directory was
    /// renamed or copied by hand.
    #[error(
        "the group {group:?} has no member {node:?}: open the directory under the name that it was made for"
    )]
    NotInRoster {
        /// The group.
        group: String,
        /// This node's name.
        node: String,
    },
    /// The log holds entries, and what the node has promised is gone.
    #[error(
        "{} holds a log and no hard state: the node has forgotten what it promised and must not vote; \
         move the directory away and let the node be added anew", directory.display()
    )]
    StateMissing {
        /// The directory.
        directory: PathBuf,
    },
    /// The hard state cannot be read or stored.
    #[error(transparent)]
    State(#[from] StateStoreError),
    /// The log cannot be opened.
    #[error("the log cannot be opened: {0}")]
    Log(#[from] LogError),
    /// The engine's store cannot be opened.
    #[error("the engine's store cannot be opened: {0}")]
    Store(#[source] Box<dyn Error + Send + Sync>),
    /// What the engine's store holds cannot be read.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The transport cannot be started.
    #[error("the transport cannot be started: {0}")]
    Transport(#[source] Box<dyn Error + Send + Sync>),
    /// The operating system gave no thread or no random numbers.
    #[error("{operation} failed ({source}): check this process's limits")]
    System {
        /// What was tried.
        operation: &'static str,
        /// What the operating system said.
        source: io::Error,
    },
}

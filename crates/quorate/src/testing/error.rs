use crate::{CloseError, OpenError, TransportError};
use std::io;
use std::time::Duration;

/// Why something could not be done with an [`InMemoryGroup`](super::InMemoryGroup).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InMemoryGroupError {
    /// A group of no nodes was asked for.
    #[error("a group has at least one node")]
    NoNodes,
    /// There is no temporary directory to be had for the nodes' logs.
    #[error("no temporary directory can be made ({0}): check TMPDIR and its free space")]
    Directory(io::Error),
    /// The network could not be started.
    #[error(transparent)]
    Network(TransportError),
    /// A node could not be opened.
    #[error("{name} cannot be opened: {error}")]
    Open {
        /// The node.
        name: String,
        /// Why not.
        error: OpenError,
    },
    /// A node was not stopped in order; it does not run any more all the same.
    #[error("{name} was not stopped in order: {error}")]
    Stop {
        /// The node.
        name: String,
        /// Why not.
        error: CloseError,
    },
    /// The group has no node of this name.
    #[error("there is no node {name:?}: they are called node1, node2 and so on")]
    UnknownNode {
        /// The name asked for.
        name: String,
    },
    /// The node was killed or stopped.
    #[error("{name} does not run: restart it first")]
    NotRunning {
        /// The node.
        name: String,
    },
    /// The node runs already.
    #[error("{name} runs already: kill or stop it first")]
    Running {
        /// The node.
        name: String,
    },
    /// No node leads.
    #[error(
        "no node leads after {waited:?}: {running} of {count} nodes run; a majority must run and reach each \
         other"
    )]
    NoMaster {
        /// How long was waited.
        waited: Duration,
        /// How many nodes run.
        running: usize,
        /// How many there are.
        count: usize,
    },
}

use quorate_core::EngineError;
use std::path::{Path, PathBuf};

/// Why a store could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Another process, or another part of this one, has the store open.
    #[error(
        "{} is in use: stop the process that has it open, or give this node a directory of its own",
        path.display()
    )]
    InUse {
        /// The store.
        path: PathBuf,
    },
    /// What is there was made by something else, or by another version.
    #[error(
        "{} is not a {engine} store of Quorate ({detail}): give the node another directory, or open it with \
         what made it",
        path.display()
    )]
    Foreign {
        /// What was to be opened.
        path: PathBuf,
        /// The engine that was asked for.
        engine: &'static str,
        /// How it shows.
        detail: String,
    },
    /// The store is damaged.
    #[error(
        "the {engine} store {} is damaged ({detail}): move it away; the node fills a new one from its log, \
         or says that it must be restored from the group",
        path.display()
    )]
    Damaged {
        /// The store.
        path: PathBuf,
        /// Its engine.
        engine: &'static str,
        /// What the engine said.
        detail: String,
    },
    /// The file system failed.
    #[error(
        "{} cannot be opened: {source}; check that the path exists and may be read and written, and that the \
         disk has room",
        path.display()
    )]
    Io {
        /// What was to be opened.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The engine failed in any other way.
    #[error("{} cannot be opened: {source}", path.display())]
    Engine {
        /// The store.
        path: PathBuf,
        /// What the engine said.
        source: EngineError,
    },
}

impl OpenError {
    pub(crate) fn io(path: &Path, source: std::io::Error) -> Self {
        Self::Io { path: path.to_owned(), source }
    }
}

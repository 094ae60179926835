use quorate_core::EngineError;
use std::path::PathBuf;

/// Why an application's store cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// Nothing is there.
    #[error("there is nothing at {}: check the path", path.display())]
    Missing {
        /// Where the store was to be.
        path: PathBuf,
    },
    /// The store is open elsewhere.
    #[error("{} is in use: stop what has it open", path.display())]
    InUse {
        /// The store.
        path: PathBuf,
    },
    /// What is there is not a store of this engine, or one of a version that this one does not read.
    #[error("{} is not a {engine} store that this version reads: {detail}", path.display())]
    Foreign {
        /// What was to be opened.
        path: PathBuf,
        /// The engine asked for.
        engine: &'static str,
        /// How it shows.
        detail: String,
    },
    /// The store was not closed in order, and reading it would change it.
    #[error(
        "{} was not closed in order: open it once with the application, which repairs it, and close it",
        path.display()
    )]
    NotClosed {
        /// The store.
        path: PathBuf,
    },
    /// The store has no such table.
    #[error("{} has no {table:?}, but {}", path.display(), present.join(", "))]
    NoTable {
        /// The store.
        path: PathBuf,
        /// The table or keyspace asked for.
        table: String,
        /// What there is.
        present: Vec<String>,
    },
    /// The table has other types.
    #[error("the table {table:?} of {} is another: {detail}", path.display())]
    OtherTypes {
        /// The store.
        path: PathBuf,
        /// The table.
        table: String,
        /// What it is, and what was asked for.
        detail: String,
    },
    /// The bytes of the keys do not sort as the keys do.
    #[error(
        "the bytes of {type_name} do not sort as the keys of the table {table:?} do: map its rows to keys \
         that do"
    )]
    Unordered {
        /// The table.
        table: String,
        /// The type of its keys.
        type_name: String,
    },
    /// The file system failed.
    #[error("{} cannot be read: {source}", path.display())]
    Io {
        /// The store.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The engine failed in any other way, such as on damaged data.
    #[error("{} cannot be read: {source}", path.display())]
    Engine {
        /// The store.
        path: PathBuf,
        /// What the engine said.
        source: EngineError,
    },
}

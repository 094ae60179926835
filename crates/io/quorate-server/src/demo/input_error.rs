use std::io;
use std::path::PathBuf;

/// Why an input cannot be written to a group.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InputError {
    /// The input cannot be read.
    #[error("{} cannot be read: {source}", path.display())]
    Unreadable {
        /// The input, or what of it cannot be read.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The input is neither a directory nor a file.
    #[error("{} is neither a directory nor a file: give --input one of them", path.display())]
    NeitherKind {
        /// The input.
        path: PathBuf,
    },
    /// There is nothing in it to write.
    #[error(
        "{} holds no record: give a directory with files, or a file of key<TAB>value lines",
        path.display()
    )]
    Empty {
        /// The input.
        path: PathBuf,
    },
    /// A line has no tab.
    #[error("{}:{line}: there is no tab: each line is key<TAB>value", path.display())]
    NoTab {
        /// The input.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// A key is empty.
    #[error("{}:{line}: the key in front of the tab is empty", path.display())]
    EmptyKey {
        /// The input.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// A key is too long.
    #[error("{}:{line}: the key has {bytes} bytes, the limit is {limit}", path.display())]
    KeyTooLong {
        /// The input.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// Length of the key in bytes.
        bytes: usize,
        /// The longest key in bytes.
        limit: usize,
    },
    /// A value is too long.
    #[error("{}:{line}: the value has {bytes} bytes, the limit is {limit}", path.display())]
    ValueTooLong {
        /// The input.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// Length of the value in bytes.
        bytes: usize,
        /// The longest value in bytes.
        limit: usize,
    },
    /// Two lines have one key. Which of the values is the last one written would be left to chance.
    #[error("{}:{line}: line {first} has the same key: give each key once", path.display())]
    DuplicateKey {
        /// The input.
        path: PathBuf,
        /// The later line, from 1.
        line: usize,
        /// The earlier line, from 1.
        first: usize,
    },
}

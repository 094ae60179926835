use crate::EncodingError;
use std::io;
use std::path::PathBuf;

/// Why a row cannot be read or written as it is.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RowError {
    /// The source cannot be read.
    #[error("line {line} cannot be read: {source}")]
    Unreadable {
        /// The line, from 1.
        line: u64,
        /// What the operating system said.
        source: io::Error,
    },
    /// A line is longer than any row can be.
    #[error("line {line} has more than {limit} bytes: no row is that long")]
    LineTooLong {
        /// The line, from 1.
        line: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// A line has no tab.
    #[error("line {line} has no tab: write key, tab, value")]
    NoTab {
        /// The line, from 1.
        line: u64,
    },
    /// A key is empty.
    #[error("line {line}: the key is empty: keys have at least 1 byte")]
    EmptyKey {
        /// The line, from 1.
        line: u64,
    },
    /// A word is not in the encoding that it is said to be in.
    #[error("line {line}: {source}")]
    Encoding {
        /// The line, from 1.
        line: u64,
        /// What is wrong.
        source: EncodingError,
    },
    /// A line is no JSON object with a key and a value.
    #[error(
        "line {line}: {detail}: write an object with \"key\" and \"value\", or \"key_base64\" and \
         \"value_base64\""
    )]
    Json {
        /// The line, from 1.
        line: u64,
        /// What is wrong.
        detail: String,
    },
    /// A file of a directory cannot be read.
    #[error("{} cannot be read: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A key or a value cannot stand in a line of text.
    #[error("the row with the key {key:?} has a tab or a line break: use --base64, --hex or JSON lines")]
    NoLine {
        /// The key's beginning.
        key: String,
    },
    /// A key is no relative path.
    #[error("the key {key:?} is no name of a file: export TSV or JSON lines instead")]
    NoPath {
        /// The key's beginning.
        key: String,
    },
    /// A row cannot be written.
    #[error("writing {place} failed: {source}")]
    Unwritable {
        /// Where.
        place: String,
        /// What the operating system said.
        source: io::Error,
    },
}

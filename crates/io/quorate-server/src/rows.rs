//! Rows in files: TSV, JSON lines, and directories with a file per row. They are read and written one by one,
//! so that there can be any number of them.

mod directory;
mod json_lines;
mod row_error;
mod tsv;

pub use directory::{DirectoryRows, DirectorySink};
pub use json_lines::{JsonRows, JsonSink};
pub use row_error::RowError;
pub use tsv::{TsvRows, TsvSink};

use bytes::Bytes;
use std::io::{BufRead, Read};

/// The longest line: a value of the greatest length there can be, in Base64, and its key.
const LINE_BYTES_MAX: u64 = 96 << 20;

/// A row that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its key, not empty.
    pub key: Bytes,
    /// Its value.
    pub value: Bytes,
    /// How many bytes of the source it took, to show progress.
    pub source_bytes: u64,
}

/// Where rows go.
pub trait RowSink {
    /// Adds a row.
    ///
    /// # Errors
    /// [`RowError`]: a row of these bytes cannot stand there, or cannot be written.
    fn add(&mut self, key: &[u8], value: &[u8]) -> Result<(), RowError>;

    /// Ends the rows.
    ///
    /// # Errors
    /// [`RowError::Unwritable`].
    fn finish(&mut self) -> Result<(), RowError>;
}

/// Lines with their numbers.
struct Lines<R> {
    source: R,
    number: u64,
}

impl<R: BufRead> Lines<R> {
    const fn new(source: R) -> Self {
        Self { source, number: 0 }
    }

    /// The next line without its end, and how many bytes it took.
    fn next(&mut self) -> Result<Option<(Vec<u8>, u64)>, RowError> {
        let mut line = Vec::new();
        self.number += 1;
        let number = self.number;
        let count = self.source.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line);
        let count = count.map_err(|source| RowError::Unreadable { line: number, source })? as u64;
        if count == 0 {
            return Ok(None);
        }
        if line.last() == Some(&b'\n') {
            line.pop();
        } else if count == LINE_BYTES_MAX {
            return Err(RowError::LineTooLong { line: number, limit: LINE_BYTES_MAX });
        }
        Ok(Some((line, count)))
    }
}

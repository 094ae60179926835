use crate::{Imported, WriteError};
use std::error::Error;

/// Why an import stopped. What was imported before that is committed and stays; the import may be begun again
/// from the start, since putting the same rows once more changes nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The source failed.
    #[error("the source failed behind row {}: {error}", imported.rows)]
    Source {
        /// The rows before that.
        imported: Imported,
        /// What the source said.
        error: Box<dyn Error + Send + Sync>,
    },
    /// A row cannot be written, whoever tries: its key is empty, or it is too long.
    #[error("the row behind row {} cannot be written: {error}", imported.rows)]
    Row {
        /// The rows before that.
        imported: Imported,
        /// What is wrong with the row.
        error: WriteError,
    },
    /// Rows could not be committed, and it did not pass in time.
    #[error("{} rows were imported, more could not be written: {error}", imported.rows)]
    Write {
        /// The rows before that; of those behind, some may be committed.
        imported: Imported,
        /// The last failure.
        error: WriteError,
    },
}

impl ImportError {
    /// What was imported before it.
    #[must_use]
    pub const fn imported(&self) -> Imported {
        match self {
            Self::Source { imported, .. } | Self::Row { imported, .. } | Self::Write { imported, .. } => {
                *imported
            }
        }
    }
}

use crate::{ReadError, WriteError};

/// Why a database could not be opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DatabaseError {
    /// This node's databases could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// There is none of that name here, and it could not be made. To ask again does no harm.
    #[error("the database {name:?} is not on this node and could not be made: {error}")]
    Create {
        /// The name.
        name: String,
        /// Why not.
        error: WriteError,
    },
}

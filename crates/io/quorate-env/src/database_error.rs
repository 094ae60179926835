use crate::ReadError;

/// Why a database could not be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DatabaseError {
    /// There is none of that name here.
    #[error(
        "there is no database {name:?} on this node: make it on the master with create_database; if that \
         was done, wait until this node has applied it"
    )]
    UnknownDatabase {
        /// The name.
        name: String,
    },
    /// The databases could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

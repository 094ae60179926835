use quorate_env::{
    CloseError, DatabaseError, ImportError, OpenError, Outcome, ReadError, TransactError, WaitError,
    WriteError,
};

/// Any error of an environment, for functions that do several things: each operation has an error type of its
/// own, and `?` turns it into this one.
///
/// ```
/// use quorate::{RepError, ReplicatedEnvironment};
///
/// fn copy(env: &ReplicatedEnvironment, from: u64, to: u64) -> Result<(), RepError> {
///     let orders = env.database::<u64, String>("orders")?;
///     if let Some(order) = orders.get(&from, None)? {
///         orders.put(&to, &order).wait()?;
///     }
///     Ok(())
/// }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RepError {
    /// A node could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A database could not be opened.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// A write did not succeed.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// A read could not be served.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A transaction did not succeed.
    #[error(transparent)]
    Transact(#[from] TransactError),
    /// Rows could not all be imported.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// A state, or a master, did not come in time.
    #[error(transparent)]
    Wait(#[from] WaitError),
    /// A node was not closed in order.
    #[error(transparent)]
    Close(#[from] CloseError),
}

impl RepError {
    /// Whether what was asked for may have taken effect: only what writes can leave that unknown.
    #[must_use]
    pub const fn outcome(&self) -> Outcome {
        match self {
            Self::Write(error) => error.outcome(),
            Self::Transact(error) => error.outcome(),
            Self::Database(DatabaseError::Create { error, .. })
            | Self::Import(ImportError::Write { error, .. }) => error.outcome(),
            _ => Outcome::NotDone,
        }
    }
}

use quorate_core::{EngineError, LogError, StateStoreError};

/// What went wrong while an environment was closed. It is closed all the same; the next opening recovers as
/// from a crash.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CloseError {
    /// The log could not be synced.
    #[error("the log could not be synced: {0}")]
    Log(#[from] LogError),
    /// The engine could not be flushed.
    #[error("the engine could not be flushed: {0}")]
    Engine(#[from] EngineError),
    /// The hard state could not be stored.
    #[error(transparent)]
    State(#[from] StateStoreError),
    /// The node had stopped serving before.
    #[error("this node had stopped serving: {reason}")]
    Halted {
        /// What had happened.
        reason: String,
    },
}

use crate::StateChangeEvent;
use std::time::Duration;

/// Why a node did not come into the state waited for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WaitError {
    /// It did not happen in time.
    #[error(
        "the node is {} after {timeout:?}: check that enough members run and reach each other",
        last.state
    )]
    TimedOut {
        /// How long was waited.
        timeout: Duration,
        /// The state that the node is in.
        last: StateChangeEvent,
    },
    /// The environment is closed, or its node has stopped serving.
    #[error("the environment is closed, or its node has stopped serving")]
    Detached,
}

use quorate::CommitToken;
use std::time::Duration;

/// Why a client's operation did not succeed. A write is either done, or not done, or, by
/// [`OutcomeUnknown`](Self::OutcomeUnknown) alone, unknown.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// No node could do it in time. Nothing was done.
    #[error("nothing was done within {waited:.1?}: {last}; look at `quorate status`, or allow more time")]
    TimedOut {
        /// How long it was tried.
        waited: Duration,
        /// What became of the last attempt.
        last: String,
    },
    /// The write was sent, and whether it is done could not be found out in time.
    #[error(
        "whether the write is done is unknown after {waited:.1?}: {last}{}; read what it was to change \
        before \
         it is tried again", ask(token.as_ref())
    )]
    OutcomeUnknown {
        /// The write, where its place is known: a read with it as its token succeeds if the write is done.
        token: Option<CommitToken>,
        /// How long it was tried.
        waited: Duration,
        /// What became of the last attempt.
        last: String,
    },
    /// The node refuses for good. Nothing was done.
    #[error("{endpoint} refuses: {reason}")]
    Refused {
        /// The node.
        endpoint: String,
        /// Why, and what to do.
        reason: String,
    },
    /// There is no database of this name.
    #[error("there is no database {name:?}: create it, or check the name")]
    NoSuchDatabase {
        /// The name.
        name: String,
    },
    /// The commit that a token names was dropped in a failover, or belongs to another group.
    #[error("the commit is lost: {reason}")]
    CommitLost {
        /// What the node says.
        reason: String,
    },
    /// A scan broke off. What has been read so far is right, and not all.
    #[error("the scan broke off after {rows} rows: {reason}; scan again")]
    ScanBrokeOff {
        /// How many rows were read.
        rows: u64,
        /// What happened.
        reason: String,
    },
}

fn ask(token: Option<&CommitToken>) -> String {
    token.map(|token| format!(" (its token is {token})")).unwrap_or_default()
}

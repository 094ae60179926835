use crate::CommitToken;
use core::cmp::Ordering;
use core::time::Duration;
use quorate_core::{EntryId, GroupUuid, TermTable, Vlsn};

/// What a read asks of the node that serves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum ConsistencyPolicy {
    /// Any state that was once committed, at once.
    #[default]
    NoConsistencyRequired,
    /// A state that contains one commit, for example the reader's own last one.
    CommitPointConsistency {
        /// The commit.
        token: CommitToken,
        /// How long to wait for it.
        timeout: Duration,
    },
    /// A state that is at most `lag` old: it contains every commit that was acknowledged anywhere up to `lag`
    /// before the read is served.
    ///
    /// The age is measured on the serving node's own monotonic clock, from the moment when it last asked the
    /// master how far to be and has since applied all of that; clocks of two machines are never compared. So
    /// a lag shorter than a question to the master takes cannot be met, and such a read times out. A lag of
    /// zero asks for what was acknowledged before the read began, as [`Linearizable`](Self::Linearizable)
    /// does.
    ///
    /// A process that was stopped and goes on counts the time that it stood still, and so does a machine that
    /// was *suspended*, on Linux. Elsewhere the machine's monotonic clock may stand still meanwhile, so that
    /// what is served within `lag` of waking may be older by as long as the machine slept.
    TimeConsistency {
        /// How old the state may be.
        lag: Duration,
        /// How long to wait for one that is no older.
        timeout: Duration,
    },
    /// A state that contains every commit acknowledged anywhere before the read began.
    Linearizable {
        /// How long to wait for it.
        timeout: Duration,
    },
}

impl ConsistencyPolicy {
    /// How long a read waits at most; `None` if it does not wait.
    #[must_use]
    pub const fn timeout(&self) -> Option<Duration> {
        match self {
            Self::NoConsistencyRequired => None,
            Self::CommitPointConsistency { timeout, .. }
            | Self::TimeConsistency { timeout, .. }
            | Self::Linearizable { timeout } => Some(*timeout),
        }
    }
}

/// Whether a node has the commit that a token names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenVerdict {
    /// Not yet; it may still come.
    Pending,
    /// The commit is applied here.
    Met,
    /// The write was never committed, and never will be: another master's log prevailed.
    CommitLost {
        /// A committed entry that no log can have together with the lost one.
        by: EntryId,
    },
    /// The log no longer tells whether the write was committed: its terms have been trimmed that far.
    TokenTooOld,
    /// The token is another group's.
    ForeignGroup,
}

/// Judges a token by what a node knows: its group, the terms of its log, how far it is committed and applied.
///
/// Three facts decide. Committed entries never change. Terms in a log never decrease, so behind a committed
/// entry of a later term none of the token's term can follow. And a log that holds any entry of a term at or
/// behind a position holds what that term's master had there.
#[must_use]
pub fn token_verdict(
    token: &CommitToken,
    group: GroupUuid,
    terms: &TermTable,
    committed: Option<Vlsn>,
    applied: Option<Vlsn>,
) -> TokenVerdict {
    if token.group != group {
        return TokenVerdict::ForeignGroup;
    }
    let Some(committed) = committed else { return TokenVerdict::Pending };
    if let Some(base) = terms.base()
        && token.vlsn < base.vlsn
    {
        return judge_trimmed(token, base, applied);
    }
    let Some(found) = terms.entry_at(committed.min(token.vlsn)) else { return TokenVerdict::Pending };
    match found.term.cmp(&token.term) {
        Ordering::Greater => TokenVerdict::CommitLost { by: found },
        _ if found.vlsn < token.vlsn => TokenVerdict::Pending,
        Ordering::Equal => met_once_applied(token, applied),
        // A later master committed this entry of an earlier term, from a log that had never met the token's.
        Ordering::Less => TokenVerdict::CommitLost { by: found },
    }
}

/// The token's entry stands before the log's base, which is committed.
fn judge_trimmed(token: &CommitToken, base: EntryId, applied: Option<Vlsn>) -> TokenVerdict {
    match base.term.cmp(&token.term) {
        Ordering::Less => TokenVerdict::CommitLost { by: base },
        Ordering::Equal => met_once_applied(token, applied),
        Ordering::Greater => TokenVerdict::TokenTooOld,
    }
}

fn met_once_applied(token: &CommitToken, applied: Option<Vlsn>) -> TokenVerdict {
    if applied >= Some(token.vlsn) { TokenVerdict::Met } else { TokenVerdict::Pending }
}

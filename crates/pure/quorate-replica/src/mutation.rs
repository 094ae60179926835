//! Rules of the protocol that may be broken on purpose, so that whoever checks them can be seen to notice.

/// Whether a rule is broken. Without the feature `mutations` none ever is, which the compiler knows.
#[cfg(feature = "mutations")]
macro_rules! breaks {
    ($mutation:expr, $rule:ident) => {
        $mutation == Some($crate::Mutation::$rule)
    };
}
#[cfg(not(feature = "mutations"))]
macro_rules! breaks {
    ($mutation:expr, $rule:ident) => {
        false
    };
}

/// What a mistake would do where the rule is broken, and what is right. Without the feature `mutations` the
/// mistake is not even compiled.
#[cfg(feature = "mutations")]
macro_rules! mistake {
    ($mutation:expr, $rule:ident => $wrong:expr; $right:expr) => {
        if $mutation == Some($crate::Mutation::$rule) { $wrong } else { $right }
    };
}
#[cfg(not(feature = "mutations"))]
macro_rules! mistake {
    ($mutation:expr, $rule:ident => $wrong:expr; $right:expr) => {
        $right
    };
}

/// A rule of the protocol that is broken.
#[cfg(feature = "mutations")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutation {
    /// A rule of elections.
    Election(quorate_election::Mutation),
    /// A promise is kept in memory only.
    PromiseNotStored,
    /// A promise leaves before it is stored.
    PromiseSentFirst,
    /// A sync that is done counts for everything handed to the log writer.
    DurableCountsHanded,
    /// A master's own copy counts before it is synced.
    OwnCopyCountsUnsynced,
    /// Entries of earlier terms commit by counting copies.
    OlderTermCommittedByCounting,
    /// In a group of an even size half of the nodes are taken for a majority.
    HalfTakenForMajority,
    /// Acknowledgements count whatever term and stream they name.
    StaleAcknowledgementCounts,
    /// A voter tells of what its log file holds, and goes on acknowledging what it was given before its promise.
    AcknowledgedAfterPromise,
    /// The first entry of a term needs no sync anywhere.
    StartNotSynced,
    /// A linearizable read is answered without asking whether the master still leads.
    ReadWithoutRound,
    /// A master relies on a lease for as long as the voters grant it, as if all clocks ran alike.
    LeaseWithoutMargin,
    /// A master counts a lease from when the grant arrives.
    LeaseCountedFromAnswer,
    /// A grant counts whatever term it was given in.
    GrantOfAnotherTermCounts,
    /// A new master answers linearizable reads from what it knew to be committed when it won.
    ReadBeforeStart,
    /// What the engine has applied is taken for durable in it.
    AppliedTakenForDurable,
    /// The master trims the log by its own engine alone.
    TrimWithoutAll,
    /// What is kept of the log in memory survives a truncation.
    TailSurvivesTruncation,
    /// The last entry that two logs share is found by position, whatever its term.
    MatchpointByPosition,
    /// A node that lost entries which it had acknowledged goes on as if nothing had happened.
    MarkIgnored,
    /// A recovering node counts again once its log is a prefix of the master's.
    RecoveryEndsAtMatchpoint,
    /// An empty directory takes the place of the one that founded the group.
    IncarnationIgnored,
    /// A master takes proposals however much is uncommitted and unapplied.
    NoBackpressure,
}

#[cfg(feature = "mutations")]
pub(crate) mod mistakes {
    use alloc::vec::Vec;
    use quorate_core::{EntryId, NodeId, Requirement, TermTable, Vlsn};
    use quorate_stream::SyncupAnswer;

    pub(crate) const UNSYNCED: Requirement = Requirement { local_sync: false, replica_sync: false };

    /// In a group of an even size this is the position of one node too few.
    pub(crate) fn position_of_half(positions: &[(NodeId, Option<Vlsn>)]) -> Option<Vlsn> {
        let mut descending: Vec<Option<Vlsn>> = positions.iter().map(|(_, position)| *position).collect();
        descending.sort_unstable_by(|a, b| b.cmp(a));
        descending[(descending.len() - 1) / 2]
    }

    pub(crate) fn matchpoint_by_position(ours: &TermTable, theirs: &TermTable) -> SyncupAnswer {
        SyncupAnswer::Matchpoint(entry_at(ours, ours.last_vlsn().min(theirs.last_vlsn())))
    }

    pub(crate) fn entry_at(table: &TermTable, position: Option<Vlsn>) -> Option<EntryId> {
        position.and_then(|vlsn| Some(EntryId { term: table.term_at(vlsn)?, vlsn }))
    }
}

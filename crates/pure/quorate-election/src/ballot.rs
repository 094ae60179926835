//! Whom a set of promises elects: pure judgements, made by the proposer and again by the winner.

use crate::Promise;
use core::cmp::Reverse;
use quorate_core::{EntryId, NodeId, NodeSet, QuorumSystem};

/// Whom to nominate, and whether the promises suffice for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The node to nominate.
    pub node: NodeId,
    /// What it held when it promised.
    pub rank: Option<EntryId>,
}

/// Chooses the best-ranked promiser that may lead, if the promises elect it: the better log wins; among equals the one that reaches a write
/// quorum, then the higher priority, then the first name (names and numbers have one order).
///
/// A recovering promiser is chosen only if every electable node has promised and no counting one is enough.
#[must_use]
pub fn choose(promises: &[Promise], electable: &NodeSet, quorums: &dyn QuorumSystem) -> Option<Candidate> {
    let best = |recovering_may_lead: bool| {
        promises
            .iter()
            .filter(|promise| electable.contains(promise.voter) && !promise.damaged)
            .filter(|promise| recovering_may_lead || !promise.recovering)
            .max_by_key(|promise| {
                (promise.rank, promise.reaches_write_quorum, promise.priority, Reverse(promise.voter))
            })
            .map(|promise| Candidate { node: promise.voter, rank: promise.rank })
            .filter(|candidate| is_certificate(promises, candidate.rank, electable, quorums))
    };
    best(false).or_else(|| best(true))
}

/// Whether the promises let a node of `rank` lead: those not ranked above it, recovering ones left out, contain an election quorum; or all electable nodes
/// have promised and none is ranked above it.
#[must_use]
pub fn is_certificate(
    promises: &[Promise],
    rank: Option<EntryId>,
    electable: &NodeSet,
    quorums: &dyn QuorumSystem,
) -> bool {
    let not_above =
        || promises.iter().filter(|promise| promise.rank <= rank && electable.contains(promise.voter));
    let counting: NodeSet =
        not_above().filter(|promise| !promise.recovering).map(|promise| promise.voter).collect();
    let all: NodeSet = not_above().map(|promise| promise.voter).collect();
    quorums.is_election_quorum(&counting) || all.len() == electable.len()
}

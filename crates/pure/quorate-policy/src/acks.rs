use crate::{Quorums, ReplicaAckPolicy, Verdict};
use quorate_core::{NodeSet, QuorumSystem};

/// Too few nodes can be reached for the acknowledgements that a commit asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the commit needs the copies of {needed} electable nodes, the master's own included, and {available} can \
     be reached: bring nodes back, or ask for fewer acknowledgements"
)]
pub struct Shortfall {
    /// How many electable nodes the commit needs, the master included.
    pub needed: usize,
    /// How many can be reached, the master included.
    pub available: usize,
}

/// Whether the acknowledgements that `policy` asks for can be had at present: to be asked before a commit is
/// accepted. `reachable` are the master itself and the nodes that it feeds; those that do not count are
/// passed over.
///
/// # Errors
/// [`Shortfall`] if not.
pub fn acks_possible(
    policy: ReplicaAckPolicy,
    quorums: &Quorums,
    reachable: &NodeSet,
) -> Result<(), Shortfall> {
    let available = quorums.count(reachable);
    let (possible, needed) = match policy {
        ReplicaAckPolicy::All => (holds_all(quorums, reachable), quorums.electable().len()),
        ReplicaAckPolicy::SimpleMajority => (quorums.is_write_quorum(reachable), quorums.write_size()),
        ReplicaAckPolicy::None => (true, 0),
    };
    if possible { Ok(()) } else { Err(Shortfall { needed, available }) }
}

/// Whether the acknowledgements that `policy` asks for have come. `held_by` are the nodes, the master
/// included, that hold the entry as durably as it asks. `commit` says whether the entry is committed; it is
/// [`Impossible`](Verdict::Impossible) once another master's entry stands in its place.
///
/// [`ReplicaAckPolicy::None`] asks for no acknowledgement, so that nothing is ever missing; the caller still
/// waits for the master's own copy.
#[must_use]
pub fn ack_verdict(
    policy: ReplicaAckPolicy,
    quorums: &Quorums,
    held_by: &NodeSet,
    commit: Verdict,
) -> Verdict {
    match policy {
        ReplicaAckPolicy::None => Verdict::Met,
        ReplicaAckPolicy::All if commit == Verdict::Met && !holds_all(quorums, held_by) => Verdict::Pending,
        ReplicaAckPolicy::All | ReplicaAckPolicy::SimpleMajority => commit,
    }
}

fn holds_all(quorums: &Quorums, nodes: &NodeSet) -> bool {
    quorums.count(nodes) == quorums.electable().len()
}

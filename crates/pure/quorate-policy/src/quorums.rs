use alloc::vec::Vec;
use quorate_core::{MemberList, NodeId, NodeSet, QuorumPolicy, QuorumSystem, Vlsn};

/// The quorums of a member list, by number of electable nodes.
///
/// 1. Every election quorum meets every write quorum. 2. Only electable nodes count; they all hold data, so a
///    write quorum contains a data node.
/// 3. Adding nodes to a quorum leaves it one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quorums {
    electable: NodeSet,
    election: usize,
    write: usize,
}

/// Why a quorum rule is not safe for a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum QuorumError {
    /// The election quorum has no node, or more than there are.
    #[error(
        "an election quorum of {size} cannot be had from {electable} electable nodes: use 1 to {electable}"
    )]
    ElectionSize {
        /// The size asked for, in nodes.
        size: usize,
        /// How many electable nodes there are.
        electable: usize,
    },
    /// The write quorum has no node, or more than there are.
    #[error("a write quorum of {size} cannot be had from {electable} electable nodes: use 1 to {electable}")]
    WriteSize {
        /// The size asked for, in nodes.
        size: usize,
        /// How many electable nodes there are.
        electable: usize,
    },
    /// An election quorum and a write quorum can have no node in common, so that a new master could lack
    /// committed entries.
    #[error(
        "an election quorum of {election} and a write quorum of {write} can miss each other among \
         {electable} electable nodes: make their sum at least {}", electable + 1
    )]
    CanMiss {
        /// Size of the election quorum in nodes.
        election: usize,
        /// Size of the write quorum in nodes.
        write: usize,
        /// How many electable nodes there are.
        electable: usize,
    },
}

impl Quorums {
    /// The quorums by which the members of `list` decide.
    ///
    /// # Errors
    /// [`QuorumError`] if a quorum cannot be had at all, or one kind can miss the other.
    pub fn new(list: &MemberList) -> Result<Self, QuorumError> {
        let electable = list.electable();
        let (election, write) = match list.quorum() {
            QuorumPolicy::SimpleMajority => (electable.len() / 2 + 1, electable.len() / 2 + 1),
            QuorumPolicy::Flexible { election, write } => (usize::from(election), usize::from(write)),
        };
        check_sizes(election, write, electable.len())?;
        Ok(Self { electable, election, write })
    }

    /// The nodes that count.
    #[must_use]
    pub const fn electable(&self) -> &NodeSet {
        &self.electable
    }

    /// How many electable nodes elect a master.
    #[must_use]
    pub const fn election_size(&self) -> usize {
        self.election
    }

    /// How many electable nodes commit an entry.
    #[must_use]
    pub const fn write_size(&self) -> usize {
        self.write
    }

    /// How many of `nodes` count.
    #[must_use]
    pub fn count(&self, nodes: &NodeSet) -> usize {
        nodes.iter().filter(|node| self.electable.contains(*node)).count()
    }
}

impl QuorumSystem for Quorums {
    fn is_election_quorum(&self, nodes: &NodeSet) -> bool {
        self.count(nodes) >= self.election
    }

    fn is_write_quorum(&self, nodes: &NodeSet) -> bool {
        self.count(nodes) >= self.write
    }
}

fn check_sizes(election: usize, write: usize, electable: usize) -> Result<(), QuorumError> {
    let possible = 1..=electable;
    if !possible.contains(&election) {
        return Err(QuorumError::ElectionSize { size: election, electable });
    }
    if !possible.contains(&write) {
        return Err(QuorumError::WriteSize { size: write, electable });
    }
    if election + write <= electable {
        return Err(QuorumError::CanMiss { election, write, electable });
    }
    Ok(())
}

/// The largest position that a write quorum holds, each node all entries up to its own position; `None` if
/// there is no such position.
///
/// A node that is named more than once counts with the largest of its positions.
#[must_use]
pub fn quorum_position(system: &dyn QuorumSystem, holds: &[(NodeId, Option<Vlsn>)]) -> Option<Vlsn> {
    let mut descending: Vec<(Vlsn, NodeId)> =
        holds.iter().filter_map(|(node, position)| position.map(|position| (position, *node))).collect();
    descending.sort_unstable_by(|a, b| b.cmp(a));
    let mut holders = NodeSet::new();
    descending.into_iter().find_map(|(position, node)| {
        holders.insert(node);
        system.is_write_quorum(&holders).then_some(position)
    })
}

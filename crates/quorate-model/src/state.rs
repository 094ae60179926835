use crate::{Log, PerTerm};
use quorate_core::{EntryId, NodeId, Term};
use quorate_election::Promise;
use smallvec::{SmallVec, smallvec};
use std::collections::{BTreeMap, BTreeSet};

/// The whole group at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// The nodes in the order of their numbers, from 1.
    pub nodes: SmallVec<[NodeState; 3]>,
    /// Every ballot proposed that somebody may yet promise.
    pub prepared: BTreeSet<Term>,
    /// Every promise that a proposer may yet use.
    pub vows: BTreeSet<Vow>,
    /// Every nomination that may yet be taken: the term, who is to lead it, and the promises that elect it.
    pub nominations: BTreeSet<(Term, NodeId, Vec<Vow>)>,
    /// What the master of each term has written, with all before it.
    pub written: PerTerm<Log>,
    /// Up to where each node has acknowledged the master of a term, in entries.
    pub acknowledged: BTreeMap<(Term, NodeId), usize>,
    /// What the master of each term has committed, with all before it.
    pub committed: PerTerm<Log>,
    /// Two masters led one term, or one led it twice.
    pub led_twice: bool,
    /// Entries that applications have written.
    pub writes: u8,
    /// Ballots so far, if their number is bounded.
    pub ballots: u64,
}

/// One node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeState {
    /// On disk: nothing below it is accepted.
    pub promised: Term,
    /// On disk.
    pub log: Log,
    /// Its promise, if it was made in this run of the process and it has taken no nomination for it.
    pub vow: Option<Vow>,
    /// The term that it leads.
    pub leads: Option<Term>,
    /// The ballot that it has proposed and not nominated anybody in.
    pub proposes: Option<Term>,
    /// How often it has crashed, if that is counted.
    pub crashes: u8,
}

/// A promise, as far as it differs between nodes here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Vow {
    /// Who promised.
    pub voter: NodeId,
    /// What.
    pub term: Term,
    /// The last entry that it held.
    pub rank: Option<EntryId>,
}

impl State {
    /// A group of so many nodes that have done nothing yet.
    #[must_use]
    pub fn new(nodes: usize) -> Self {
        Self {
            nodes: smallvec![NodeState::default(); nodes],
            prepared: BTreeSet::new(),
            vows: BTreeSet::new(),
            nominations: BTreeSet::new(),
            written: PerTerm::default(),
            acknowledged: BTreeMap::new(),
            committed: PerTerm::default(),
            led_twice: false,
            writes: 0,
            ballots: 0,
        }
    }

    /// The node with this number.
    #[must_use]
    pub fn node(&self, id: NodeId) -> &NodeState {
        &self.nodes[usize::from(id.as_u16()) - 1]
    }

    pub(crate) fn node_mut(&mut self, id: NodeId) -> &mut NodeState {
        &mut self.nodes[usize::from(id.as_u16()) - 1]
    }

    /// The nodes' numbers.
    pub fn ids(&self) -> impl Iterator<Item = NodeId> + use<> {
        (1..=self.nodes.len() as u16).map(NodeId::new)
    }

    /// Who leads `term` now.
    #[must_use]
    pub fn master(&self, term: Term) -> Option<NodeId> {
        self.ids().find(|id| self.node(*id).leads == Some(term))
    }

    /// Same position and term in two logs: the same entries up to there.
    #[must_use]
    pub fn logs_match(&self) -> bool {
        let pairs = self.nodes.iter().enumerate();
        pairs.flat_map(|(index, a)| self.nodes[index + 1..].iter().map(move |b| (&a.log, &b.log))).all(
            |(a, b)| {
                let same = a.terms().zip(b.terms()).filter(|(a, b)| a == b).count();
                same == a.shared(b)
            },
        )
    }

    /// What the master of a term has committed is held by every master of a higher term, and no two masters
    /// have committed different entries at one position.
    #[must_use]
    pub fn keeps_what_is_committed(&self) -> bool {
        self.committed.iter().all(|(term, kept)| {
            self.nodes.iter().all(|node| node.leads <= Some(term) || node.log.starts_with(kept))
                && self.written.above(term).all(|written| written.starts_with(kept))
                && self.committed.above(term).all(|later| later.shared(kept) == later.len().min(kept.len()))
        })
    }

    /// The longest log that was committed.
    #[must_use]
    pub fn longest_committed(&self) -> Log {
        self.committed.iter().map(|(_, log)| *log).max_by_key(Log::len).unwrap_or_default()
    }
}

impl Vow {
    pub(crate) const fn promise(self, reaches_write_quorum: bool) -> Promise {
        Promise {
            voter: self.voter,
            term: self.term,
            rank: self.rank,
            priority: 1,
            reaches_write_quorum,
            recovering: false,
            damaged: false,
        }
    }
}

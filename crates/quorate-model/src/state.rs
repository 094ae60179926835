use quorate_core::{EntryId, NodeId, Term, TermTable, Vlsn};
use quorate_election::Promise;
use std::collections::{BTreeMap, BTreeSet};

/// The whole group at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// The nodes in the order of their numbers, from 1.
    pub nodes: Vec<NodeState>,
    /// Every ballot proposed.
    pub prepared: BTreeSet<Term>,
    /// Every promise made and not yet outdated.
    pub vows: BTreeSet<Vow>,
    /// Every nomination: the term, who is to lead it, and the voters of its certificate.
    pub nominations: BTreeSet<(Term, NodeId, Vec<Vow>)>,
    /// What the master of each term has written, with all before it.
    pub written: BTreeMap<Term, Vec<Entry>>,
    /// Up to where each node has acknowledged the master of a term.
    pub acknowledged: BTreeMap<(Term, NodeId), usize>,
    /// What was committed, and the highest term that has committed something.
    pub committed: Vec<Entry>,
    /// The term of the last commit.
    pub committed_in: Term,
    /// Two masters led one term, or one led it twice.
    pub led_twice: bool,
    /// Two masters committed different entries at one position.
    pub commits_differ: bool,
    /// Application entries written so far.
    pub writes: u8,
}

/// One node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct NodeState {
    /// On disk: nothing below it is accepted.
    pub promised: Term,
    /// On disk.
    pub log: Vec<Entry>,
    /// Its promise, if it was made in this run of the process.
    pub vow: Option<Vow>,
    /// The term that it has taken a nomination for in this run.
    pub taken: Term,
    /// The term that it leads.
    pub leads: Option<Term>,
    /// The ballot that it has proposed and not nominated anybody in.
    pub proposes: Option<Term>,
    /// How often it has crashed.
    pub crashes: u8,
}

/// An entry: the term that wrote it, and what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Entry {
    /// The term.
    pub term: Term,
    /// 0 for a term's first entry, else the number of the write.
    pub write: u8,
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
            nodes: vec![NodeState::default(); nodes],
            prepared: BTreeSet::new(),
            vows: BTreeSet::new(),
            nominations: BTreeSet::new(),
            written: BTreeMap::new(),
            acknowledged: BTreeMap::new(),
            committed: Vec::new(),
            committed_in: Term::ZERO,
            led_twice: false,
            commits_differ: false,
            writes: 0,
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

    /// Same position and term in two logs: the same entries up to there.
    #[must_use]
    pub fn logs_match(&self) -> bool {
        let pairs = self.nodes.iter().enumerate();
        pairs.flat_map(|(index, a)| self.nodes[index + 1..].iter().map(move |b| (a, b))).all(|(a, b)| {
            let shared = a.log.iter().zip(&b.log).rposition(|(a, b)| a.term == b.term);
            shared.is_none_or(|last| a.log[..=last] == b.log[..=last])
        })
    }

    /// Whoever leads a term above the one that committed last holds all that was committed.
    #[must_use]
    pub fn masters_hold_what_is_committed(&self) -> bool {
        self.nodes.iter().all(|node| {
            node.leads.is_none_or(|term| term < self.committed_in || node.log.starts_with(&self.committed))
        })
    }
}

impl NodeState {
    /// The last entry of its log.
    #[must_use]
    pub fn rank(&self) -> Option<EntryId> {
        let vlsn = Vlsn::new(self.log.len() as u64)?;
        self.log.last().map(|last| EntryId { term: last.term, vlsn })
    }
}

impl Vow {
    pub(crate) const fn promise(self) -> Promise {
        Promise {
            voter: self.voter,
            term: self.term,
            rank: self.rank,
            priority: 1,
            reaches_write_quorum: true,
            recovering: false,
            damaged: false,
        }
    }
}

/// The terms of a log.
pub(crate) fn term_table(log: &[Entry]) -> TermTable {
    let mut table = TermTable::new(None);
    for (entry, number) in log.iter().zip(1..) {
        if let Some(vlsn) = Vlsn::new(number) {
            table.append_run(entry.term, vlsn);
        }
    }
    table
}

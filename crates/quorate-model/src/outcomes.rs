use crate::{Group, Log, Pace, State};
use quorate_core::{NodeId, Term};
use stateright::{Model, Representative};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

/// What a group can come to, in one form for both paces: the logs of its nodes, and what is committed with
/// them.
///
/// The logs begin behind what they share, their terms are numbered by their order, and which node holds which
/// log is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcomes {
    commits: BTreeMap<Vec<Log>, BTreeSet<Log>>,
    states: usize,
}

/// An outcome that is missed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("nothing reaches the logs {logs:?} with {committed:?} committed")]
pub struct Missed {
    /// The logs.
    pub logs: Vec<Log>,
    /// What is committed with them.
    pub committed: Log,
}

impl Outcomes {
    /// All that the group can come to.
    #[must_use]
    pub fn of(group: &Group) -> Self {
        let mut outcomes = Self { commits: BTreeMap::new(), states: 0 };
        let mut visited = HashSet::new();
        let mut waiting = group.init_states();
        while let Some(state) = waiting.pop() {
            outcomes.add(&state);
            let mut actions = Vec::new();
            group.actions(&state, &mut actions);
            let next = actions.into_iter().filter_map(|action| group.next_state(&state, action));
            waiting.extend(next.filter(|next| visited.insert(fingerprint(next, group.pace))));
        }
        outcomes
    }

    /// How many states the group had.
    #[must_use]
    pub const fn states(&self) -> usize {
        self.states
    }

    /// How many outcomes there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.commits.values().map(BTreeSet::len).sum()
    }

    /// Whether all outcomes of `other` are here, or the same logs with more committed.
    ///
    /// # Errors
    /// [`Missed`] with the first that is not.
    pub fn cover(&self, other: &Self) -> Result<(), Missed> {
        other.all(|logs, committed| {
            self.commits.get(logs).is_some_and(|here| here.iter().any(|more| more.starts_with(committed)))
        })
    }

    /// Whether all outcomes of `other` are here.
    ///
    /// # Errors
    /// [`Missed`] with the first that is not.
    pub fn contain(&self, other: &Self) -> Result<(), Missed> {
        other.all(|logs, committed| self.commits.get(logs).is_some_and(|here| here.contains(committed)))
    }

    fn all(&self, holds: impl Fn(&[Log], &Log) -> bool) -> Result<(), Missed> {
        for (logs, commits) in &self.commits {
            if let Some(committed) = commits.iter().find(|committed| !holds(logs, committed)) {
                return Err(Missed { logs: logs.clone(), committed: *committed });
            }
        }
        Ok(())
    }

    fn add(&mut self, state: &State) {
        self.states += 1;
        let first = &state.nodes[0].log;
        let shared = state.nodes.iter().map(|node| node.log.shared(first)).min().unwrap_or(0);
        let logs = state.nodes.iter().map(|node| node.log).chain([state.longest_committed()]);
        let all: Vec<Log> = logs.map(|log| log.behind(shared)).collect();
        let terms: BTreeSet<Term> = all.iter().flat_map(Log::terms).collect();
        let number = |term: Term| Term::new(terms.range(..=term).count() as u64, NodeId::new(1));
        let mut logs: Vec<Log> = all.iter().map(|log| log.terms().map(number).collect()).collect();
        let committed = logs.pop().unwrap_or_default();
        logs.sort_unstable();
        self.commits.entry(logs).or_default().insert(committed);
    }
}

fn fingerprint(state: &State, pace: Pace) -> u64 {
    let mut hasher = DefaultHasher::new();
    match pace {
        Pace::SingleSteps => state.hash(&mut hasher),
        Pace::Strides => state.representative().hash(&mut hasher),
    }
    hasher.finish()
}

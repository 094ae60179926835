use crate::group::{bit, contains};
use crate::state::{NodeState, State, Vow};
use crate::{Group, Log, Rule};
use bytes::Bytes;
use quorate_core::{Batch, EntryKind, NodeId, Requirement, Run, Term, Vlsn};
use quorate_election::{Promise, choose, is_certificate};
use quorate_policy::quorum_position;
use quorate_stream::{CommitRule, Holds, matchpoint};
use std::sync::Arc;

/// Something that one node does by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// It proposes a ballot, and gives up the one that it may have proposed before.
    Propose(NodeId),
    /// It promises a ballot of another.
    Promise(NodeId, Term),
    /// It nominates whom these promises elect: a bit for each voter whose promise has come, and the one
    /// among them that said that it reaches a write quorum.
    Nominate(NodeId, u8, NodeId),
    /// The nominee takes the nomination with this place among all.
    TakeNomination(usize),
    /// It writes an application's entry.
    Write(NodeId),
    /// It cuts its log to what it shares with the master of a term.
    Match(NodeId, Term),
    /// It acknowledges to the master of a term what it shares with it, or else takes in the next entry,
    /// fsyncs it and acknowledges that.
    Append(NodeId, Term),
    /// It commits what has been acknowledged.
    Commit(NodeId),
    /// It crashes and starts again.
    Crash(NodeId),
}

impl Group {
    /// Takes a step; `None` if it is not possible.
    pub(crate) fn step(&self, state: &mut State, step: Step) -> Option<()> {
        match step {
            Step::Propose(node) => self.propose(state, node),
            Step::Promise(node, term) => promise(state, node, term),
            Step::Nominate(node, voters, winner) => self.nominate(state, node, voters, winner),
            Step::TakeNomination(place) => self.take_nomination(state, place),
            Step::Write(node) => self.write(state, node),
            Step::Match(node, term) => self.match_log(state, node, term),
            Step::Append(node, term) => self.append(state, node, term),
            Step::Commit(node) => self.commit(state, node),
            Step::Crash(node) => self.crash(state, node),
        }
    }

    /// Every step that is possible, with some that are not.
    pub(crate) fn steps(&self, state: &State) -> Vec<Step> {
        let mut steps = Vec::new();
        for id in state.ids() {
            let node = state.node(id);
            steps.push(Step::Propose(id));
            if node.leads.is_some() {
                steps.extend([Step::Write(id), Step::Commit(id)]);
            }
            if node.crashes < self.bounds.crashes {
                steps.push(Step::Crash(id));
            }
            steps.extend(state.prepared.iter().map(|term| Step::Promise(id, *term)));
            for term in state.written.terms().filter(|term| self.accepts(node, *term)) {
                steps.extend([Step::Match(id, term), Step::Append(id, term)]);
            }
            if let Some(term) = node.proposes {
                let promised =
                    |voter: NodeId| state.vows.iter().any(|vow| vow.term == term && vow.voter == voter);
                let came =
                    state.ids().filter(|voter| promised(*voter)).fold(0, |came, voter| came | bit(voter));
                let voters = self.voters().filter(|(voters, _)| voters & !came == 0 && contains(*voters, id));
                steps.extend(voters.map(|(voters, winner)| Step::Nominate(id, voters, winner)));
            }
        }
        steps.extend((0..state.nominations.len()).map(Step::TakeNomination));
        steps
    }

    fn propose(&self, state: &mut State, id: NodeId) -> Option<()> {
        let term = state.node(id).promised.above(id)?;
        if term.round() > self.bounds.rounds {
            return None;
        }
        if let Some(most) = self.bounds.ballots {
            state.ballots += 1;
            (state.ballots <= most).then_some(())?;
        }
        prepare(state, id, term);
        Some(())
    }

    pub(crate) fn nominate(&self, state: &mut State, id: NodeId, voters: u8, winner: NodeId) -> Option<()> {
        let term = state.node_mut(id).proposes.take()?;
        let certificate: Vec<Vow> = state
            .vows
            .iter()
            .filter(|vow| vow.term == term && contains(voters, vow.voter))
            .copied()
            .collect();
        let all_came = certificate.len() == voters.count_ones() as usize;
        let possible = all_came && contains(voters, id) && self.elect(&certificate, winner);
        possible.then(|| {
            state.nominations.insert((term, winner, certificate));
        })
    }

    /// As a voter does that is told to lead.
    pub(crate) fn take_nomination(&self, state: &mut State, place: usize) -> Option<()> {
        let (term, id, certificate) = state.nominations.iter().nth(place)?.clone();
        let node = state.node(id);
        let own = node.vow?;
        let allowed = own.term == term
            && node.promised == term
            && own.rank == node.log.rank()
            && certificate.contains(&own)
            && is_certificate(&promises(&certificate, id), own.rank, self.quorums.electable(), &self.quorums);
        allowed.then(|| lead(state, id, term))
    }

    /// Whether these promises elect `winner`, if it is the one that says that it reaches a write quorum:
    /// which of the voters do can be anything at any time, and nobody else asks; so any of those that stand
    /// equal can win.
    pub(crate) fn elect(&self, vows: &[Vow], winner: NodeId) -> bool {
        let candidate = choose(&promises(vows, winner), self.quorums.electable(), &self.quorums);
        candidate.is_some_and(|candidate| candidate.node == winner)
    }

    pub(crate) fn write(&self, state: &mut State, id: NodeId) -> Option<()> {
        let term = state.node(id).leads?;
        if state.writes >= self.bounds.writes {
            return None;
        }
        state.writes += 1;
        append_own(state, id, term);
        Some(())
    }

    /// Whether a node takes anything of the master of `term`.
    fn accepts(&self, node: &NodeState, term: Term) -> bool {
        let kept = term >= node.promised || self.breaks(Rule::PromiseKept);
        kept && node.leads.is_none_or(|led| led < term)
    }

    /// Accepting anything of a master makes its term durable first.
    fn accept(&self, state: &mut State, id: NodeId, term: Term) -> Option<()> {
        self.accepts(state.node(id), term).then_some(())?;
        let node = state.node_mut(id);
        if term > node.promised {
            (node.promised, node.proposes, node.leads) = (term, None, None);
        }
        Some(())
    }

    pub(crate) fn match_log(&self, state: &mut State, id: NodeId, term: Term) -> Option<()> {
        let written = state.written.get(term)?.table();
        self.accept(state, id, term)?;
        let node = state.node_mut(id);
        let shared = matchpoint(&written, &node.log.table());
        node.log.truncate(Vlsn::number(shared.map(|shared| shared.vlsn)) as usize);
        Some(())
    }

    pub(crate) fn append(&self, state: &mut State, id: NodeId, term: Term) -> Option<()> {
        self.accept(state, id, term)?;
        let (written, log) = (state.written.get(term)?, &state.node(id).log);
        let held = log.len();
        written.starts_with(log).then_some(())?;
        if state.acknowledged_by(id, term) < held {
            state.acknowledged.insert((term, id), held);
            return Some(());
        }
        let entry = written.terms().nth(held)?;
        state.node_mut(id).log.push(entry);
        state.acknowledged.insert((term, id), held + 1);
        Some(())
    }

    pub(crate) fn commit(&self, state: &mut State, id: NodeId) -> Option<()> {
        let node = state.node(id);
        let term = node.leads?;
        let holds: Vec<(NodeId, Holds)> =
            state.ids().map(|peer| (peer, holds(state, id, peer, term))).collect();
        let position = |held: &[(NodeId, Option<Vlsn>)]| quorum_position(&self.quorums, held);
        let point = self.commit_rule(&node.log, term).advance(id, &holds, position)?.as_u64() as usize;
        let before = state.committed.get(term).map_or(0, Log::len);
        (point > before).then_some(())?;
        let committed = node.log.prefix(point);
        state.committed.insert(term, committed);
        Some(())
    }

    fn commit_rule(&self, log: &Log, term: Term) -> CommitRule {
        let start = log.terms().take_while(|entry| *entry < term).count();
        let start = if self.breaks(Rule::OwnTermCommits) { 0 } else { start };
        let first = Vlsn::FIRST.advance(start as u64);
        let mut rule = CommitRule::new(first, None);
        if start < log.len() {
            rule.appended(&batch(first, log.len() - start, term));
        }
        rule
    }

    /// A crash that takes nothing away is none.
    pub(crate) fn crash(&self, state: &mut State, id: NodeId) -> Option<()> {
        let node = state.node_mut(id);
        let knows_something = node.vow.is_some() || node.leads.is_some() || node.proposes.is_some();
        (knows_something && node.crashes < self.bounds.crashes).then_some(())?;
        node.crashes += 1;
        (node.vow, node.leads, node.proposes) = (None, None, None);
        Some(())
    }

    pub(crate) fn breaks(&self, rule: Rule) -> bool {
        self.broken == Some(rule)
    }
}

impl State {
    pub(crate) fn acknowledged_by(&self, id: NodeId, term: Term) -> usize {
        self.acknowledged.get(&(term, id)).copied().unwrap_or(0)
    }
}

/// Proposes a ballot above the promise of its own, and promises it.
pub(crate) fn prepare(state: &mut State, id: NodeId, term: Term) {
    vow(state, id, term);
    state.node_mut(id).proposes = Some(term);
    state.prepared.insert(term);
}

pub(crate) fn promise(state: &mut State, id: NodeId, term: Term) -> Option<()> {
    let possible = term > state.node(id).promised && term.proposer() != id;
    possible.then(|| vow(state, id, term))
}

fn promises(vows: &[Vow], reaches_write_quorum: NodeId) -> Vec<Promise> {
    vows.iter().map(|vow| vow.promise(vow.voter == reaches_write_quorum)).collect()
}

/// A promise, durable before it is told.
fn vow(state: &mut State, id: NodeId, term: Term) {
    let node = state.node_mut(id);
    let vow = Vow { voter: id, term, rank: node.log.rank() };
    (node.promised, node.vow, node.leads, node.proposes) = (term, Some(vow), None, None);
    state.vows.insert(vow);
}

fn lead(state: &mut State, id: NodeId, term: Term) {
    state.led_twice |= state.written.get(term).is_some();
    let node = state.node_mut(id);
    (node.vow, node.leads) = (None, Some(term));
    append_own(state, id, term);
}

fn append_own(state: &mut State, id: NodeId, term: Term) {
    let node = state.node_mut(id);
    node.log.push(term);
    let log = node.log;
    state.written.insert(term, log);
}

/// What a master of `term` knows of a node's copies: its own, or what was acknowledged.
fn holds(state: &State, master: NodeId, peer: NodeId, term: Term) -> Holds {
    let held = if peer == master { state.node(peer).log.len() } else { state.acknowledged_by(peer, term) };
    let held = Vlsn::new(held as u64);
    Holds { written: held, durable: held }
}

/// Entries of one term, as the commit rule is told of them.
fn batch(first: Vlsn, count: usize, term: Term) -> Batch {
    let run = Run { first, term, kind: EntryKind::Data, requirement: Requirement::SYNC };
    Batch::new(Bytes::new(), vec![0; count].into(), Arc::from([run]), 0, 0)
}

use crate::state::{Entry, State, Vow, term_table};
use crate::{Group, Rule};
use bytes::Bytes;
use quorate_core::{Batch, EntryKind, NodeId, Requirement, Run, Term, Vlsn};
use quorate_election::{Promise, choose, is_certificate};
use quorate_policy::quorum_position;
use quorate_stream::{CommitRule, Holds, matchpoint};
use std::sync::Arc;

/// Something that one node does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// It proposes a ballot.
    Propose(NodeId),
    /// It promises a ballot of another.
    Promise(NodeId, Term),
    /// It nominates whom these promises elect; a bit for each voter whose promise has come.
    Nominate(NodeId, u8),
    /// It takes the nomination with this place among all.
    TakeNomination(usize),
    /// It writes an application's entry.
    Write(NodeId),
    /// It cuts its log to what it shares with the master of a term.
    Match(NodeId, Term),
    /// It acknowledges to the master of a term what it shares with it, or else takes in the next entry, fsyncs it
    /// and acknowledges that.
    Append(NodeId, Term),
    /// It commits what has been acknowledged.
    Commit(NodeId),
    /// It crashes and starts again.
    Crash(NodeId),
}

impl Group {
    /// The group after a step; `None` if the step is not possible.
    pub(crate) fn after(&self, state: &State, step: Step) -> Option<State> {
        let mut next = state.clone();
        match step {
            Step::Propose(node) => self.propose(&mut next, node)?,
            Step::Promise(node, term) => self.promise(&mut next, node, term)?,
            Step::Nominate(node, voters) => self.nominate(&mut next, node, voters)?,
            Step::TakeNomination(place) => self.take_nomination(&mut next, place)?,
            Step::Write(node) => self.write(&mut next, node)?,
            Step::Match(node, term) => self.match_log(&mut next, node, term)?,
            Step::Append(node, term) => self.append(&mut next, node, term)?,
            Step::Commit(node) => self.commit(&mut next, node)?,
            Step::Crash(node) => self.crash(&mut next, node)?,
        }
        next.forget_outdated();
        (next != *state).then_some(next)
    }

    fn propose(&self, state: &mut State, id: NodeId) -> Option<()> {
        let node = state.node(id);
        let term = node.promised.above(id);
        if node.proposes.is_some() || term.round() > self.bounds.rounds {
            return None;
        }
        vow(state, id, term);
        state.node_mut(id).proposes = Some(term);
        state.prepared.insert(term);
        Some(())
    }

    fn promise(&self, state: &mut State, id: NodeId, term: Term) -> Option<()> {
        let possible = term > state.node(id).promised && term.proposer() != id;
        possible.then(|| vow(state, id, term))
    }

    fn nominate(&self, state: &mut State, id: NodeId, voters: u8) -> Option<()> {
        let term = state.node_mut(id).proposes.take()?;
        let certificate: Vec<Vow> = state
            .vows
            .iter()
            .filter(|vow| vow.term == term && voters >> vow.voter.as_u16() & 1 == 1)
            .copied()
            .collect();
        if certificate.len() != voters.count_ones() as usize || !certificate.iter().any(|vow| vow.voter == id)
        {
            return None;
        }
        let candidate = choose(&promises(&certificate), self.quorums.electable(), &self.quorums)?;
        state.nominations.insert((term, candidate.node, certificate));
        Some(())
    }

    /// As a voter does that is told to lead.
    fn take_nomination(&self, state: &mut State, place: usize) -> Option<()> {
        let (term, id, certificate) = state.nominations.iter().nth(place)?.clone();
        let node = state.node(id);
        let own = node.vow?;
        let allowed = own.term == term
            && node.promised == term
            && node.taken < term
            && own.rank == node.rank()
            && certificate.contains(&own)
            && is_certificate(&promises(&certificate), own.rank, self.quorums.electable(), &self.quorums);
        allowed.then(|| lead(state, id, term))
    }

    fn write(&self, state: &mut State, id: NodeId) -> Option<()> {
        let term = state.node(id).leads?;
        if state.writes >= self.bounds.writes {
            return None;
        }
        state.writes += 1;
        let entry = Entry { term, write: state.writes };
        append_own(state, id, entry);
        Some(())
    }

    /// Accepting anything of a master makes its term durable first.
    fn accept(&self, state: &mut State, id: NodeId, term: Term) -> Option<()> {
        let node = state.node_mut(id);
        if node.leads.is_some_and(|led| led >= term) {
            return None;
        }
        if term < node.promised && !self.breaks(Rule::PromiseKept) {
            return None;
        }
        if term > node.promised {
            node.promised = term;
            node.proposes = None;
            node.leads = None;
        }
        Some(())
    }

    fn match_log(&self, state: &mut State, id: NodeId, term: Term) -> Option<()> {
        let written = term_table(state.written.get(&term)?);
        self.accept(state, id, term)?;
        let node = state.node_mut(id);
        let shared = matchpoint(&written, &term_table(&node.log));
        node.log.truncate(Vlsn::number(shared.map(|shared| shared.vlsn)) as usize);
        Some(())
    }

    fn append(&self, state: &mut State, id: NodeId, term: Term) -> Option<()> {
        self.accept(state, id, term)?;
        let written = state.written.get(&term)?;
        let held = state.node(id).log.len();
        if !written.starts_with(&state.node(id).log) {
            return None;
        }
        let acknowledged = state.acknowledged.get(&(term, id)).copied().unwrap_or(0);
        if acknowledged < held {
            state.acknowledged.insert((term, id), held);
            return Some(());
        }
        let entry = *written.get(held)?;
        state.node_mut(id).log.push(entry);
        state.acknowledged.insert((term, id), held + 1);
        Some(())
    }

    fn commit(&self, state: &mut State, id: NodeId) -> Option<()> {
        let node = state.node(id);
        let term = node.leads?;
        let holds: Vec<(NodeId, Holds)> =
            state.ids().map(|peer| (peer, holds(state, id, peer, term))).collect();
        let position = |held: &[(NodeId, Option<Vlsn>)]| quorum_position(&self.quorums, held);
        let point = self.commit_rule(&node.log, term).advance(id, &holds, position)?;
        let committed = node.log[..point.as_u64() as usize].to_vec();
        let shorter = committed.len().min(state.committed.len());
        state.commits_differ |= committed[..shorter] != state.committed[..shorter];
        if committed.len() > state.committed.len() {
            state.committed = committed;
        }
        state.committed_in = state.committed_in.max(term);
        Some(())
    }

    fn commit_rule(&self, log: &[Entry], term: Term) -> CommitRule {
        let start = log.iter().position(|entry| entry.term == term).unwrap_or(log.len());
        let start = if self.breaks(Rule::OwnTermCommits) { 0 } else { start };
        let first = Vlsn::FIRST.advance(start as u64);
        let mut rule = CommitRule::new(first, None);
        if start < log.len() {
            rule.appended(&batch(first, log.len() - start, term));
        }
        rule
    }

    fn crash(&self, state: &mut State, id: NodeId) -> Option<()> {
        let node = state.node_mut(id);
        if node.crashes >= self.bounds.crashes {
            return None;
        }
        node.crashes += 1;
        (node.vow, node.taken, node.leads, node.proposes) = (None, Term::ZERO, None, None);
        Some(())
    }

    fn breaks(&self, rule: Rule) -> bool {
        self.broken == Some(rule)
    }
}

impl State {
    /// Drops what can have no effect any more, so that states that differ in it alone are one.
    fn forget_outdated(&mut self) {
        let promised: Vec<Term> = self.nodes.iter().map(|node| node.promised).collect();
        let least = promised.iter().min().copied().unwrap_or_default();
        let proposed: Vec<Term> = self.nodes.iter().filter_map(|node| node.proposes).collect();
        self.prepared.retain(|term| *term > least);
        self.vows.retain(|vow| proposed.contains(&vow.term));
        self.nominations.retain(|(term, node, _)| promised[usize::from(node.as_u16()) - 1] == *term);
    }
}

fn promises(certificate: &[Vow]) -> Vec<Promise> {
    certificate.iter().map(|vow| vow.promise()).collect()
}

/// A promise, durable before it is told.
fn vow(state: &mut State, id: NodeId, term: Term) {
    let node = state.node_mut(id);
    let vow = Vow { voter: id, term, rank: node.rank() };
    (node.promised, node.vow, node.leads, node.proposes) = (term, Some(vow), None, None);
    state.vows.insert(vow);
}

fn lead(state: &mut State, id: NodeId, term: Term) {
    state.led_twice |= state.written.contains_key(&term);
    let node = state.node_mut(id);
    (node.taken, node.leads) = (term, Some(term));
    append_own(state, id, Entry { term, write: 0 });
}

fn append_own(state: &mut State, id: NodeId, entry: Entry) {
    let node = state.node_mut(id);
    node.log.push(entry);
    let log = node.log.clone();
    state.written.insert(entry.term, log);
}

/// What a master of `term` knows of a node's copies: its own, or what was acknowledged.
fn holds(state: &State, master: NodeId, peer: NodeId, term: Term) -> Holds {
    let own = || state.node(peer).log.len();
    let acknowledged = || state.acknowledged.get(&(term, peer)).copied().unwrap_or(0);
    let held = Vlsn::new(if peer == master { own() } else { acknowledged() } as u64);
    Holds { written: held, durable: held }
}

/// Entries of one term, as the commit rule is told of them.
fn batch(first: Vlsn, count: usize, term: Term) -> Batch {
    let run = Run { first, term, kind: EntryKind::Data, requirement: Requirement::SYNC };
    Batch::new(Bytes::new(), vec![0; count].into(), Arc::from([run]), 0, 0)
}

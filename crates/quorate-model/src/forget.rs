use crate::state::State;
use crate::{Group, Log, Rule};
use quorate_core::{NodeId, NodeSet, QuorumSystem, Term};

impl Group {
    /// Drops what no step can ever use again, so that states that differ in it alone are one.
    pub(crate) fn forget(&self, state: &mut State) {
        state.forget_ballots();
        self.forget_logs(state);
        self.forget_commits(state);
    }

    /// A written log serves whoever may still accept it, and tells whether its term was led; an
    /// acknowledgement serves a master that leads and has not committed as much.
    fn forget_logs(&self, state: &mut State) {
        let least = state.least_promise();
        let all_accept = self.breaks(Rule::PromiseKept);
        state.written.retain(|term, _| all_accept || term >= least);
        let (nodes, committed) = (&state.nodes, &state.committed);
        state.acknowledged.retain(|(term, _), held| {
            let leads = nodes.iter().any(|node| node.leads == Some(*term));
            leads && *held > committed.get(*term).map_or(0, Log::len)
        });
    }

    /// What a term has committed is asked of masters above it. A higher term's commit that begins with it
    /// asks the same of all but those between the two; those that lead by now were asked when they began.
    fn forget_commits(&self, state: &mut State) {
        let Some((last, longest)) = state.committed.iter().next_back() else { return };
        let longest = *longest;
        if state.committed.terms().eq([last]) || self.may_elect_below(state, last) {
            return;
        }
        let asked_for = state.ballots_in_flight().filter(|term| *term < last).max();
        state
            .committed
            .retain(|term, log| term == last || Some(term) <= asked_for || !longest.starts_with(log));
    }

    /// Whether those that have promised less than `term` are enough to elect a master.
    fn may_elect_below(&self, state: &State, term: Term) -> bool {
        let waiting: NodeSet = state.ids().filter(|id| state.node(*id).promised < term).collect();
        self.quorums.is_election_quorum(&waiting)
    }
}

impl State {
    /// A ballot serves whoever has promised less; a promise serves a proposer that has not nominated yet; a
    /// nomination serves a nominee that stands as it promised.
    fn forget_ballots(&mut self) {
        let least = self.least_promise();
        self.prepared.retain(|term| *term > least);
        let nodes = &self.nodes;
        let open = |term: Term| nodes.iter().any(|node| node.proposes == Some(term));
        self.vows.retain(|vow| open(vow.term));
        let stands = |id: NodeId, term: Term| {
            let node = &nodes[usize::from(id.as_u16()) - 1];
            node.vow.is_some_and(|own| own.term == term && own.rank == node.log.rank())
                && node.promised == term
        };
        self.nominations.retain(|(term, id, _)| stands(*id, *term));
        for index in 0..self.nodes.len() {
            let useful = |term: Term| self.ballots_in_flight().any(|other| other == term);
            self.nodes[index].vow = self.nodes[index].vow.filter(|own| useful(own.term));
        }
    }

    /// Ballots that may yet elect somebody with promises that were given.
    fn ballots_in_flight(&self) -> impl Iterator<Item = Term> {
        let open = self.nodes.iter().filter_map(|node| node.proposes);
        open.chain(self.nominations.iter().map(|(term, ..)| *term))
    }

    fn least_promise(&self) -> Term {
        self.nodes.iter().map(|node| node.promised).min().unwrap_or_default()
    }
}

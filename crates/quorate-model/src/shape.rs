use crate::Log;
use crate::state::State;
use crate::term_set::TermSet;
use quorate_core::Term;
use stateright::Representative;

impl Representative for State {
    /// The form in which states between strides are one that differ in nothing that matters: names of
    /// nodes, numbers of terms, what all logs begin with, and promises between terms that are led.
    fn representative(&self) -> Self {
        let mut shape = self.clone();
        shape.raise_promises();
        shape.drop_shared_entries();
        shape.renumber_terms();
        shape.nodes.sort_unstable();
        shape
    }
}

impl State {
    /// A promise is compared with the terms that are led, and with those to come, which are above all.
    fn raise_promises(&mut self) {
        let above_all = if self.written.is_empty() { Term::ZERO } else { self.last_term() };
        for node in &mut self.nodes {
            node.promised = self.written.terms().find(|term| *term >= node.promised).unwrap_or(above_all);
        }
    }

    fn drop_shared_entries(&mut self) {
        let first = self.nodes[0].log;
        let shared = self.nodes.iter().map(|node| node.log.shared(&first)).min().unwrap_or(0);
        if shared > 0 {
            self.logs_mut().for_each(|log| *log = log.behind(shared));
            self.committed.retain(|_, log| !log.is_empty());
        }
    }

    fn renumber_terms(&mut self) {
        let terms = self.terms();
        for node in &mut self.nodes {
            node.promised = terms.number(node.promised);
            node.leads = node.leads.map(|term| terms.number(term));
        }
        self.logs_mut().for_each(|log| log.renumber(&terms));
        let rows = self.written.rows_mut().chain(self.committed.rows_mut());
        rows.for_each(|(term, _)| *term = terms.number(*term));
    }

    /// All terms that anything is of; a master's own is the last of its log.
    fn terms(&self) -> TermSet {
        let mut terms = TermSet::default();
        for node in &self.nodes {
            node.log.add_terms(&mut terms);
            terms.insert(node.promised);
        }
        for (term, log) in self.committed.iter() {
            log.add_terms(&mut terms);
            terms.insert(term);
        }
        terms
    }

    fn logs_mut(&mut self) -> impl Iterator<Item = &mut Log> {
        let nodes = self.nodes.iter_mut().map(|node| &mut node.log);
        nodes.chain(self.written.rows_mut().chain(self.committed.rows_mut()).map(|(_, log)| log))
    }
}

use crate::Log;
use crate::state::State;
use quorate_core::{NodeId, Term};
use smallvec::SmallVec;
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
        let number = |term: Term| match terms.binary_search(&term) {
            Ok(index) => Term::new(index as u64 + 1, NodeId::new(1)),
            Err(_) => Term::ZERO,
        };
        for node in &mut self.nodes {
            node.promised = number(node.promised);
            node.leads = node.leads.map(number);
        }
        self.logs_mut().for_each(|log| *log = log.terms().map(number).collect());
        let rows = self.written.rows_mut().chain(self.committed.rows_mut());
        rows.for_each(|(term, _)| *term = number(*term));
    }

    /// All terms that anything is of, in their order.
    fn terms(&self) -> SmallVec<[Term; 32]> {
        let mut terms: SmallVec<[Term; 32]> = SmallVec::new();
        for node in &self.nodes {
            terms.extend(node.log.terms().chain(node.leads).chain([node.promised]));
        }
        for (term, log) in self.committed.iter() {
            terms.extend(log.terms().chain([term]));
        }
        terms.retain(|term| *term > Term::ZERO);
        terms.sort_unstable();
        terms.dedup();
        terms
    }

    fn logs_mut(&mut self) -> impl Iterator<Item = &mut Log> {
        let nodes = self.nodes.iter_mut().map(|node| &mut node.log);
        nodes.chain(self.written.rows_mut().chain(self.committed.rows_mut()).map(|(_, log)| log))
    }
}

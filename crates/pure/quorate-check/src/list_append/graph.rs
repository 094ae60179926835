use super::Dependency;
use alloc::collections::VecDeque;
use alloc::collections::btree_map::{BTreeMap, Entry};
use alloc::vec;
use alloc::vec::Vec;

/// What must come before what. Its first nodes are transactions; those behind them are moments.
#[derive(Debug)]
pub(super) struct Graph {
    pub(super) transactions: usize,
    edges: Vec<Vec<(usize, Dependency)>>,
}

impl Graph {
    pub(super) fn new(transactions: usize) -> Self {
        Self { transactions, edges: vec![Vec::new(); transactions] }
    }

    pub(super) fn add_moment(&mut self) -> usize {
        self.edges.push(Vec::new());
        self.edges.len() - 1
    }

    pub(super) fn add(&mut self, from: usize, to: usize, dependency: Dependency) {
        if from != to && !self.edges[from].contains(&(to, dependency)) {
            self.edges[from].push((to, dependency));
        }
    }

    /// The largest sets of nodes that all lie on cycles with each other, by dependencies up to `weakest`; each
    /// in ascending order. (Kosaraju's two passes.)
    pub(super) fn knots(&self, weakest: Dependency) -> Vec<Vec<usize>> {
        let forward = |node: usize| self.successors(node, weakest).map(|(to, _)| to).collect();
        let mut backward = vec![Vec::new(); self.edges.len()];
        for node in 0..self.edges.len() {
            self.successors(node, weakest).for_each(|(to, _)| backward[to].push(node));
        }
        let mut visited = vec![false; self.edges.len()];
        let mut finished = Vec::with_capacity(self.edges.len());
        for node in 0..self.edges.len() {
            visit(node, &forward, &mut visited, &mut finished);
        }
        visited.fill(false);
        let mut knots = Vec::new();
        for node in finished.into_iter().rev() {
            let mut knot = Vec::new();
            visit(node, &|node| backward[node].clone(), &mut visited, &mut knot);
            knot.sort_unstable();
            if knot.len() > 1 {
                knots.push(knot);
            }
        }
        knots
    }

    /// A shortest cycle through a node, by dependencies up to `weakest`: each node with the edge that leaves it.
    pub(super) fn cycle_through(
        &self,
        start: usize,
        weakest: Dependency,
    ) -> Option<Vec<(usize, Dependency)>> {
        let mut reached_by = BTreeMap::<usize, (usize, Dependency)>::new();
        let mut queue = VecDeque::from([start]);
        while let Some(node) = queue.pop_front() {
            for (to, dependency) in self.successors(node, weakest) {
                if let Entry::Vacant(unreached) = reached_by.entry(to) {
                    unreached.insert((node, dependency));
                    queue.push_back(to);
                }
            }
            if reached_by.contains_key(&start) {
                return Some(walk_back(start, &reached_by));
            }
        }
        None
    }

    fn successors(&self, node: usize, weakest: Dependency) -> impl Iterator<Item = (usize, Dependency)> {
        self.edges[node].iter().copied().filter(move |(_, dependency)| *dependency <= weakest)
    }
}

fn walk_back(start: usize, reached_by: &BTreeMap<usize, (usize, Dependency)>) -> Vec<(usize, Dependency)> {
    let mut cycle = Vec::new();
    let mut node = start;
    while let Some(&(before, dependency)) = reached_by.get(&node) {
        cycle.push((before, dependency));
        node = before;
        if node == start {
            break;
        }
    }
    cycle.reverse();
    cycle
}

/// Goes through all nodes that can be reached and have not been visited; each is listed once all that it leads
/// to are.
fn visit(
    start: usize,
    successors: &impl Fn(usize) -> Vec<usize>,
    visited: &mut [bool],
    finished: &mut Vec<usize>,
) {
    if core::mem::replace(&mut visited[start], true) {
        return;
    }
    let mut stack = vec![(start, successors(start))];
    while let Some((node, ahead)) = stack.last_mut() {
        match ahead.pop() {
            Some(next) => {
                if !core::mem::replace(&mut visited[next], true) {
                    stack.push((next, successors(next)));
                }
            }
            None => {
                finished.push(*node);
                stack.pop();
            }
        }
    }
}

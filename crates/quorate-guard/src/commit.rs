//! How far acknowledgements commit. An operation is one batch: appended on the master, then acknowledged by every node,
//! each acknowledgement judged by itself.

use crate::codec::{encode, payloads};
use crate::group::members;
use crate::workload::Workload;
use quorate_codec::Encoder;
use quorate_core::{Batch, NodeId, Vlsn};
use quorate_policy::{Quorums, quorum_position};
use quorate_stream::{CommitRule, Holds};

const BATCHES: usize = 64;

/// A master's commit rule in a group of some nodes.
pub(crate) struct Commit {
    quorums: Quorums,
    nodes: Vec<NodeId>,
    batches: Vec<Batch>,
}

impl Commit {
    /// In a group of `count` nodes, of which the first leads.
    pub(crate) fn new(count: u16) -> Self {
        let (mut encoder, payloads) = (Encoder::new(0), payloads());
        let mut next = Vlsn::FIRST;
        let mut batch = || {
            let batch = encode(&mut encoder, next, &payloads);
            next = batch.last().vlsn.next();
            batch
        };
        Self {
            quorums: Quorums::new(&members(count)).expect("majorities meet"),
            nodes: (1..=count).map(NodeId::new).collect(),
            batches: (0..BATCHES).map(|_| batch()).collect(),
        }
    }
}

impl Workload for Commit {
    fn run(&mut self) -> u64 {
        let mut rule = CommitRule::new(Vlsn::FIRST, None);
        let mut holds: Vec<(NodeId, Holds)> =
            self.nodes.iter().map(|node| (*node, Holds::default())).collect();
        for batch in &self.batches {
            rule.appended(batch);
            let last = Some(batch.last().vlsn);
            for node in 0..holds.len() {
                holds[node].1 = Holds { written: last, durable: last };
                rule.advance(self.nodes[0], &holds, |positions| quorum_position(&self.quorums, positions));
            }
            assert_eq!(rule.committed(), last, "all nodes hold it");
        }
        BATCHES as u64
    }
}

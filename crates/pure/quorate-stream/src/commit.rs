use alloc::collections::VecDeque;
use alloc::vec::Vec;
use quorate_core::{Batch, NodeId, Requirement, Vlsn};

/// What one node has said that it holds: everything up to these positions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Holds {
    /// In its log file.
    pub written: Option<Vlsn>,
    /// Fsynced.
    pub durable: Option<Vlsn>,
}

impl Holds {
    /// The position up to which the node's copies count for entries that need `sync`.
    #[must_use]
    pub fn counting(self, sync: bool) -> Option<Vlsn> {
        if sync { self.durable } else { self.written }
    }
}

/// How far a master's acknowledgements commit.
///
/// The commit point is the largest position of the master's own term such that, for every uncommitted entry up to it, a write quorum holds the entry at the
/// durability that the entry asked for. Entries of earlier terms commit only by lying before such a position: the term's first entry needs a
/// sync everywhere, so whoever holds it durably holds them durably too, and only requirements from it on are remembered.
#[derive(Clone, Debug)]
pub struct CommitRule {
    term_start: Vlsn,
    /// Requirements of the entries behind `committed`, from the term's start on: each run with its last position.
    runs: VecDeque<(Vlsn, Requirement)>,
    committed: Option<Vlsn>,
}

impl CommitRule {
    /// The rule for a term whose first entry will be `term_start`; `committed` is what was known before.
    #[must_use]
    pub const fn new(term_start: Vlsn, committed: Option<Vlsn>) -> Self {
        Self { term_start, runs: VecDeque::new(), committed }
    }

    /// The broken variant that counts copies of earlier terms' entries.
    #[cfg(feature = "mutations")]
    #[must_use]
    pub fn counting_older_terms(committed: Option<Vlsn>, last: Option<Vlsn>) -> Self {
        let mut rule = Self::new(Vlsn::FIRST, committed);
        rule.runs.extend(last.map(|last| (last, Requirement::SYNC)));
        rule
    }

    /// The position of the term's first entry.
    #[must_use]
    pub const fn term_start(&self) -> Vlsn {
        self.term_start
    }

    /// The commit point.
    #[must_use]
    pub const fn committed(&self) -> Option<Vlsn> {
        self.committed
    }

    /// The master has appended a batch of its own term.
    pub fn appended(&mut self, batch: &Batch) {
        for (index, run) in batch.runs().iter().enumerate() {
            let next = batch.runs().get(index + 1).and_then(|next| next.first.previous());
            let last = next.unwrap_or(batch.last().vlsn);
            match self.runs.back_mut() {
                Some((end, requirement)) if *requirement == run.requirement => *end = last,
                _ => self.runs.push_back((last, run.requirement)),
            }
        }
    }

    /// Moves the commit point as far as the copies allow and returns it if it moved. `holds` lists every electable node once, this master
    /// as `me`; `quorum_position` finds the largest position that a write quorum holds.
    pub fn advance(
        &mut self,
        me: NodeId,
        holds: &[(NodeId, Holds)],
        quorum_position: impl Fn(&[(NodeId, Option<Vlsn>)]) -> Option<Vlsn>,
    ) -> Option<Vlsn> {
        let mut point = None;
        let mut positions = Vec::with_capacity(holds.len());
        for (last, requirement) in &self.runs {
            positions.clear();
            positions.extend(holds.iter().map(|(node, holds)| {
                let sync = if *node == me { requirement.local_sync } else { requirement.replica_sync };
                (*node, holds.counting(sync))
            }));
            let held = quorum_position(&positions);
            point = point.max(held.min(Some(*last)));
            if held < Some(*last) {
                break;
            }
        }
        let point = point.filter(|point| *point >= self.term_start && Some(*point) > self.committed)?;
        self.committed = Some(point);
        while self.runs.front().is_some_and(|(last, _)| *last <= point) {
            self.runs.pop_front();
        }
        self.committed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quorate_core::{EntryKind, Run, Term};

    fn v(number: u64) -> Vlsn {
        Vlsn::new(number).unwrap()
    }
    fn n(number: u16) -> NodeId {
        NodeId::new(number)
    }
    fn holds(written: u64, durable: u64) -> Holds {
        Holds { written: Vlsn::new(written), durable: Vlsn::new(durable) }
    }
    fn majority_of_three(positions: &[(NodeId, Option<Vlsn>)]) -> Option<Vlsn> {
        let mut sorted: Vec<_> = positions.iter().map(|(_, position)| *position).collect();
        sorted.sort_unstable();
        sorted[1]
    }
    fn batch(first: u64, relaxed: &[bool]) -> Batch {
        let runs: Vec<Run> = relaxed
            .iter()
            .zip(first..)
            .map(|(relaxed, number)| Run {
                first: v(number),
                term: Term::new(1, n(1)),
                kind: EntryKind::Data,
                requirement: Requirement { local_sync: !relaxed, replica_sync: !relaxed },
            })
            .collect();
        let offsets: Vec<u32> = (0..relaxed.len() as u32).collect();
        Batch::new(bytes::Bytes::from_static(&[0; 8]), offsets.into(), runs.into(), 0, 0)
    }

    #[test]
    fn a_position_commits_when_every_entry_up_to_it_is_held_as_it_asked() {
        let mut rule = CommitRule::new(v(1), None);
        rule.appended(&batch(1, &[false, true, true, false, true]));
        let mut advance = |a, b, c| {
            rule.advance(n(1), &[(n(1), a), (n(2), b), (n(3), c)], majority_of_three).map_or(0, Vlsn::as_u64)
        };
        assert_eq!(advance(holds(5, 0), holds(5, 0), holds(5, 0)), 0, "the first entry needs a sync");
        assert_eq!(
            advance(holds(5, 1), holds(5, 1), holds(0, 0)),
            3,
            "relaxed entries behind it count once written"
        );
        assert_eq!(advance(holds(5, 5), holds(5, 3), holds(5, 3)), 0, "the fourth needs a sync again");
        assert_eq!(
            advance(holds(5, 3), holds(5, 4), holds(5, 4)),
            5,
            "the master's own copy is one of three"
        );
    }

    #[test]
    fn entries_of_earlier_terms_never_commit_by_counting() {
        let mut rule = CommitRule::new(v(4), None);
        rule.appended(&batch(4, &[false]));
        let all = |position| {
            [(n(1), holds(position, position)), (n(2), holds(position, position)), (n(3), holds(0, 0))]
        };
        assert_eq!(rule.advance(n(1), &all(3), majority_of_three), None);
        assert_eq!(rule.advance(n(1), &all(4), majority_of_three), Some(v(4)));
    }
}

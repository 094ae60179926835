//! Entries that a node cannot read any more.

use super::*;
use quorate_codec::{Encoder, prefix, suffix};

#[test]
fn damage_that_was_trimmed_or_cut_away_is_damage_no_more() {
    let mut group = Group::new(3);
    group.seconds(5);
    let node = n(group.master().as_u16() % 3 + 1);
    group.isolate(node);
    let damaged = DamagedRange { first: Vlsn::FIRST, last: Vlsn::FIRST, chain_before: 0, chain_after: None };
    group.input(node, Input::Damaged { damaged: vec![damaged] });
    assert!(group.host(node).node.progress().damaged);
    group.input(node, Input::Trimmed { base: None, damaged: Vec::new() });
    assert!(!group.host(node).node.progress().damaged, "no peer is asked for it for ever");
    group.input(node, Input::Damaged { damaged: vec![damaged] });
    let log = group.host(node).summary();
    let truncated = Truncated { dropped: None, count: 0, rollback_file: None };
    group.input(node, Input::Truncated { epoch: 0, truncated, log });
    assert!(!group.host(node).node.progress().damaged);
}

#[test]
fn a_damaged_range_that_nobody_has_keeps_no_other_from_being_fetched() {
    let mut group = Group::new(3);
    group.seconds(5);
    let master = group.master();
    group.put(master, "one", "sync,sync,majority").unwrap();
    group.put(master, "two", "sync,sync,majority").unwrap();
    group.seconds(1);
    let node = n(master.as_u16() % 3 + 1);
    let last = group.host(node).log.last().unwrap().clone();
    let other = DamagedRange {
        first: last.first(),
        last: last.last().vlsn,
        chain_before: last.chain_before(),
        chain_after: None,
    };
    let lost = DamagedRange { first: Vlsn::FIRST, last: Vlsn::FIRST, chain_before: 7, chain_after: None };
    group.input(node, Input::Damaged { damaged: vec![lost, other] });
    group.seconds(10);
    assert_eq!(
        group.repaired,
        [(node, other.first, last.last())],
        "no peer has an entry that follows such a one"
    );
}

/// A deposed master that cannot read the last entry that it shares with the new one, nor what follows.
struct Deposed {
    group: Group,
    node: NodeId,
    kept: EntryId,
    damaged: DamagedRange,
}

impl Deposed {
    /// Of five. Nobody reaches it yet, nor the first of the others, which is asked before any other for what is damaged.
    fn new() -> Self {
        let mut group = Group::new(5);
        group.seconds(5);
        let node = group.master();
        let kept = group.put(node, "kept", "sync,sync,majority").unwrap();
        group.seconds(1);
        group.isolate(node);
        group.isolate(group.others(node)[0]);
        let dropped = group.put(node, "never committed", "sync,sync,none").unwrap();
        group.seconds(10);
        let master = group.master();
        group.put(master, "after", "sync,sync,majority").unwrap();
        let damaged = DamagedRange {
            first: kept.vlsn,
            last: dropped.vlsn,
            chain_before: group.frame(node, kept.vlsn).chain_before(),
            chain_after: Some(group.frame(node, dropped.vlsn).chain_after()),
        };
        group.host(node).damaged = Some(damaged);
        Self { group, node, kept, damaged }
    }

    /// It is reached again, and becomes a replica.
    fn rejoins(&mut self) {
        self.group.cut.clear();
        self.group.seconds(5);
        assert_eq!(self.group.repaired, [(self.node, self.kept.vlsn, self.kept)], "no more than is to stay");
        assert!(!self.group.host(self.node).node.progress().damaged);
        let master = self.group.master();
        self.group.put(master, "to all", "sync,sync,all").unwrap();
        self.group.seconds(1);
    }
}

impl Group {
    fn frame(&mut self, node: NodeId, vlsn: Vlsn) -> Batch {
        let log = &self.host(node).log;
        let batch = log.iter().find(|batch| batch.last().vlsn >= vlsn).unwrap();
        prefix(&suffix(batch, vlsn).unwrap(), vlsn).unwrap()
    }
}

#[test]
fn a_damaged_entry_behind_which_a_log_is_to_be_cut_is_fetched_first() {
    for is_known in [true, false] {
        let mut deposed = Deposed::new();
        if is_known {
            let damaged = vec![deposed.damaged];
            deposed.group.input(deposed.node, Input::Damaged { damaged });
        }
        deposed.rejoins();
        deposed.group.logs_agree();
    }
}

#[test]
fn an_entry_of_another_term_does_not_heal_the_one_behind_which_a_log_is_to_be_cut() {
    let mut deposed = Deposed::new();
    let group = &mut deposed.group;
    let other = group.others(deposed.node)[0];
    let mut encoder = Encoder::new(group.frame(other, deposed.kept.vlsn).chain_before());
    let id = EntryId { term: Term::new(1 << 20, other), ..deposed.kept };
    encoder.push(id, EntryKind::Data, Requirement::SYNC, 0, b"never committed either");
    group.host(other).log.insert(0, encoder.finish().unwrap());
    deposed.rejoins();
    let refused = deposed.group.host(deposed.node).node.counters().refused_frames;
    assert_eq!(refused, 1, "what the other sent");
}

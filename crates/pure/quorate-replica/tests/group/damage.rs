//! Entries that a node cannot read any more.

use super::*;

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
    assert_eq!(group.repaired, [(node, other.first)], "no peer has an entry that follows such a one");
}

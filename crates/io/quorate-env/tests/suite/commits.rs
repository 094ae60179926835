use crate::words::{Marks, at, id, progress, terms, v};
use bytes::Bytes;
use quorate_env::{CommitOutcome, CommitWaiters};
use quorate_policy::{CommitDurability, ReplicaAckPolicy, SyncPolicy};

fn durability(local: SyncPolicy, replica: SyncPolicy, acks: ReplicaAckPolicy) -> CommitDurability {
    CommitDurability { local, replica, acks }
}

fn with(acks: ReplicaAckPolicy) -> CommitDurability {
    durability(SyncPolicy::Sync, SyncPolicy::Sync, acks)
}

fn done(round: u64, number: u64) -> CommitOutcome {
    CommitOutcome::Done { id: id(round, number), result: Bytes::new() }
}

#[test]
fn each_write_is_done_when_it_is_applied_and_not_before() {
    let mut waiters = CommitWaiters::new();
    for number in 2..=4 {
        waiters.register(id(1, number), with(ReplicaAckPolicy::SimpleMajority), at(5), number);
    }
    let terms = terms(&[(1, 1)], 4);
    let committed = Marks { written: 4, durable: 4, committed: 3, applied: 1, ..Marks::default() };
    assert_eq!(waiters.advance(&progress(committed), &terms), []);
    let applied = Marks { applied: 3, ..committed };
    assert_eq!(waiters.advance(&progress(applied), &terms), [(2, done(1, 2)), (3, done(1, 3))]);
    assert_eq!(waiters.len(), 1, "the fourth waits for itself alone");
}

#[test]
fn a_write_brings_back_what_the_engine_said_of_it() {
    let mut waiters = CommitWaiters::new();
    waiters.register(id(1, 2), with(ReplicaAckPolicy::SimpleMajority), at(5), 'a');
    waiters.register(id(1, 4), with(ReplicaAckPolicy::All), at(5), 'b');
    let terms = terms(&[(1, 1)], 4);
    let committed = Marks { written: 4, durable: 4, committed: 4, applied: 1, ..Marks::default() };
    assert_eq!(waiters.advance(&progress(committed), &terms), []);
    waiters.applied(v(2), &["two", "three", "four"].map(|word| Bytes::from_static(word.as_bytes())));
    let outcome = |number, word: &'static str| CommitOutcome::Done {
        id: id(1, number),
        result: Bytes::from_static(word.as_bytes()),
    };
    let applied = Marks { applied: 4, ..committed };
    assert_eq!(waiters.advance(&progress(applied), &terms), [('a', outcome(2, "two"))]);
    let held = Marks { all: (4, 4), ..applied };
    assert_eq!(waiters.advance(&progress(held), &terms), [('b', outcome(4, "four"))]);
}

#[test]
fn what_the_engine_said_is_kept_though_the_commit_is_seen_only_then() {
    let mut waiters = CommitWaiters::new();
    waiters.register(id(1, 2), with(ReplicaAckPolicy::SimpleMajority), at(5), 'a');
    waiters.applied(v(1), &[Bytes::new(), Bytes::from_static(b"two")]);
    let marks = Marks { written: 2, durable: 2, committed: 2, applied: 2, ..Marks::default() };
    let two = CommitOutcome::Done { id: id(1, 2), result: Bytes::from_static(b"two") };
    assert_eq!(waiters.advance(&progress(marks), &terms(&[(1, 1)], 2)), [('a', two)]);
}

#[test]
fn a_write_that_wants_all_copies_does_not_hold_up_one_that_wants_a_majority() {
    let mut waiters = CommitWaiters::new();
    waiters.register(id(1, 2), with(ReplicaAckPolicy::All), at(5), "all, synced");
    let relaxed = durability(SyncPolicy::Sync, SyncPolicy::WriteNoSync, ReplicaAckPolicy::All);
    waiters.register(id(1, 3), relaxed, at(5), "all, written");
    waiters.register(id(1, 4), with(ReplicaAckPolicy::SimpleMajority), at(5), "majority");
    let terms = terms(&[(1, 1)], 4);
    let mut marks = Marks { written: 4, durable: 4, committed: 4, applied: 4, all: (1, 1) };
    assert_eq!(waiters.advance(&progress(marks), &terms), [("majority", done(1, 4))]);
    marks.all = (3, 1);
    assert_eq!(waiters.advance(&progress(marks), &terms), [("all, written", done(1, 3))]);
    marks.all = (3, 2);
    assert_eq!(waiters.advance(&progress(marks), &terms), [("all, synced", done(1, 2))]);
}

#[test]
fn a_write_that_wants_no_acknowledgement_waits_for_the_masters_own_copy_alone() {
    let none = |local| durability(local, SyncPolicy::Sync, ReplicaAckPolicy::None);
    let mut waiters = CommitWaiters::new();
    waiters.register(id(1, 2), none(SyncPolicy::Sync), at(5), "synced");
    waiters.register(id(1, 3), none(SyncPolicy::WriteNoSync), at(5), "written");
    waiters.register(id(1, 4), none(SyncPolicy::NoSync), at(5), "handed over");
    let terms = terms(&[(1, 1)], 4);
    let written = |number| CommitOutcome::Written { id: id(1, number) };
    let mut marks = Marks { written: 1, durable: 1, committed: 1, applied: 1, all: (1, 1) };
    assert_eq!(waiters.advance(&progress(marks), &terms), [("handed over", written(4))]);
    marks.written = 3;
    assert_eq!(waiters.advance(&progress(marks), &terms), [("written", written(3))]);
    marks.durable = 2;
    assert_eq!(waiters.advance(&progress(marks), &terms), [("synced", written(2))]);
}

/// The old master's entry 3 is cut off here, while another node may hold it still and win with it.
#[test]
fn a_truncation_decides_nothing_until_a_later_terms_entry_is_committed() {
    let mut waiters = CommitWaiters::new();
    waiters.register(id(1, 3), with(ReplicaAckPolicy::SimpleMajority), at(5), 'a');
    let marks = Marks { written: 2, durable: 2, committed: 2, applied: 2, ..Marks::default() };
    assert_eq!(waiters.advance(&progress(marks), &terms(&[(1, 1)], 2)), []);
    let replaced = Marks { written: 3, durable: 3, ..marks };
    assert_eq!(waiters.advance(&progress(replaced), &terms(&[(1, 1), (2, 3)], 3)), []);
    let committed = Marks { committed: 3, applied: 3, ..replaced };
    let lost = CommitOutcome::Lost { id: id(1, 3) };
    assert_eq!(waiters.advance(&progress(committed), &terms(&[(1, 1), (2, 3)], 3)), [('a', lost)]);
}

#[test]
fn an_entry_that_was_cut_off_and_came_back_with_its_term_is_done() {
    let mut waiters = CommitWaiters::new();
    waiters.register(id(1, 3), with(ReplicaAckPolicy::SimpleMajority), at(5), 'a');
    let cut = Marks { written: 3, durable: 3, committed: 2, applied: 2, ..Marks::default() };
    assert_eq!(waiters.advance(&progress(cut), &terms(&[(1, 1), (2, 3)], 3)), []);
    let back = Marks { written: 4, durable: 4, committed: 4, applied: 4, ..Marks::default() };
    assert_eq!(waiters.advance(&progress(back), &terms(&[(1, 1), (3, 4)], 4)), [('a', done(1, 3))]);
}

#[test]
fn a_committed_entry_of_a_later_term_below_a_write_excludes_it() {
    let mut waiters = CommitWaiters::new();
    waiters.register(id(1, 9), with(ReplicaAckPolicy::SimpleMajority), at(5), 'a');
    let marks = Marks { written: 3, durable: 3, committed: 3, applied: 3, ..Marks::default() };
    let lost = CommitOutcome::Lost { id: id(1, 9) };
    assert_eq!(waiters.advance(&progress(marks), &terms(&[(1, 1), (2, 3)], 3)), [('a', lost)]);
}

#[test]
fn another_terms_copy_on_disk_does_not_release_a_write_that_wants_no_acknowledgement() {
    let none = durability(SyncPolicy::Sync, SyncPolicy::Sync, ReplicaAckPolicy::None);
    let mut waiters = CommitWaiters::new();
    waiters.register(id(1, 3), none, at(5), 'a');
    let marks = Marks { written: 3, durable: 3, committed: 2, applied: 2, ..Marks::default() };
    assert_eq!(waiters.advance(&progress(marks), &terms(&[(1, 1), (2, 3)], 3)), []);
    assert_eq!(waiters.len(), 1);
}

#[test]
fn whoever_waits_leaves_at_its_deadline_with_what_it_asked_for() {
    let mut waiters = CommitWaiters::new();
    let all = with(ReplicaAckPolicy::All);
    waiters.register(id(1, 2), all, at(5), 'a');
    waiters.register(id(1, 3), all, at(6), 'b');
    let terms = terms(&[(1, 1)], 3);
    let held_here = Marks { written: 3, durable: 3, committed: 2, applied: 2, all: (1, 1) };
    assert_eq!(waiters.advance(&progress(held_here), &terms), []);
    assert_eq!(waiters.deadline(), Some(at(5)));
    assert_eq!(waiters.expire(at(4)), []);
    let unknown = |number| CommitOutcome::Unknown { id: id(1, number), durability: all };
    assert_eq!(waiters.expire(at(5)), [('a', unknown(2))]);
    assert_eq!(waiters.abandon(), [('b', unknown(3))]);
    assert!(waiters.is_empty() && waiters.deadline().is_none());
}

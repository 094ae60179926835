use crate::words::{Marks, at, id, progress, t, terms, v};
use quorate_core::{GroupUuid, TermTable};
use quorate_env::{ReadOutcome, ReadWaiters};
use quorate_policy::{CommitToken, ConsistencyPolicy};
use quorate_replica::ReadId;
use std::time::Duration;

const GROUP: GroupUuid = GroupUuid(7);
const RETRY: Duration = Duration::from_secs(1);

fn token(round: u64, number: u64) -> ConsistencyPolicy {
    let token = CommitToken::new(GROUP, id(round, number));
    ConsistencyPolicy::CommitPointConsistency { token, timeout: RETRY }
}

const LINEARIZABLE: ConsistencyPolicy = ConsistencyPolicy::Linearizable { timeout: RETRY };

/// One who waits for a policy, from time 0 to 5.
fn waiting(policy: ConsistencyPolicy) -> ReadWaiters<char> {
    let mut waiters = ReadWaiters::new(RETRY);
    waiters.register(at(0), &policy, at(5), 'a');
    waiters
}

fn advance(
    waiters: &mut ReadWaiters<char>,
    committed: u64,
    applied: u64,
    terms: &TermTable,
) -> Vec<ReadOutcome> {
    let marks = Marks { written: 99, durable: 99, committed, applied, all: (0, 0) };
    let resolved = waiters.advance(&progress(marks), terms, Some(GROUP));
    resolved.into_iter().map(|(_, outcome)| outcome).collect()
}

#[test]
fn a_read_that_names_a_commit_waits_until_that_is_applied() {
    let terms = terms(&[(1, 1)], 99);
    let mut waiters = waiting(token(1, 5));
    assert_eq!(advance(&mut waiters, 4, 4, &terms), []);
    assert_eq!(advance(&mut waiters, 5, 4, &terms), []);
    assert_eq!(advance(&mut waiters, 5, 5, &terms), [ReadOutcome::Ready]);
    assert!(waiters.is_empty() && waiters.deadline().is_none());
}

#[test]
fn a_commit_that_was_rolled_back_is_told_as_soon_as_a_later_term_has_committed_below_it() {
    let mut waiters = waiting(token(1, 50));
    let before = terms(&[(1, 1)], 99);
    assert_eq!(advance(&mut waiters, 9, 9, &before), []);
    let after = terms(&[(1, 1), (2, 10)], 99);
    assert_eq!(advance(&mut waiters, 9, 9, &after), []);
    assert_eq!(advance(&mut waiters, 10, 9, &after), [ReadOutcome::CommitLost { by: id(2, 10) }]);
}

#[test]
fn tokens_of_other_groups_and_of_trimmed_terms_are_refused_at_once() {
    let mut waiters = ReadWaiters::new(RETRY);
    let foreign = CommitToken::new(GroupUuid(8), id(1, 1));
    let policy = ConsistencyPolicy::CommitPointConsistency { token: foreign, timeout: RETRY };
    waiters.register(at(0), &policy, at(5), 'a');
    let trimmed = TermTable::from_parts(Some(id(2, 20)), vec![(t(2), v(21))], Some(v(99))).unwrap();
    assert_eq!(advance(&mut waiters, 99, 99, &trimmed), [ReadOutcome::ForeignGroup]);
    assert_eq!(advance(&mut waiting(token(1, 3)), 99, 99, &trimmed), [ReadOutcome::TokenTooOld]);
}

#[test]
fn a_linearizable_read_is_asked_for_and_waits_for_the_position_that_the_node_finds() {
    let terms = terms(&[(1, 1)], 99);
    let mut waiters = waiting(LINEARIZABLE);
    assert_eq!(waiters.take_questions(at(0)), [ReadId(1)]);
    assert_eq!(advance(&mut waiters, 9, 9, &terms), []);
    waiters.ready(ReadId(1), Some(v(10)));
    waiters.ready(ReadId(1), None);
    assert_eq!(advance(&mut waiters, 10, 9, &terms), []);
    assert_eq!(advance(&mut waiters, 10, 10, &terms), [ReadOutcome::Ready]);
}

#[test]
fn a_question_without_an_answer_is_asked_again_at_intervals_and_when_the_state_changes() {
    let mut waiters = waiting(LINEARIZABLE);
    assert_eq!(waiters.take_questions(at(0)), [ReadId(1)]);
    assert_eq!(waiters.take_questions(at(0)), []);
    assert_eq!(waiters.deadline(), Some(at(1)));
    assert_eq!(waiters.take_questions(at(1)), [ReadId(1)]);
    waiters.state_changed(at(1));
    assert_eq!(waiters.take_questions(at(1)), [ReadId(1)]);
    waiters.ready(ReadId(1), Some(v(10)));
    waiters.state_changed(at(2));
    assert_eq!(waiters.take_questions(at(9)), [], "what was answered is not asked again");
}

#[test]
fn every_read_leaves_at_its_deadline_whatever_it_waits_for() {
    for policy in [token(1, 5), LINEARIZABLE] {
        let mut waiters = waiting(policy);
        assert_eq!(waiters.expire(at(4)), []);
        assert_eq!(waiters.expire(at(5)), [('a', ReadOutcome::TimedOut)]);
        assert!(waiters.is_empty() && waiters.take_questions(at(9)).is_empty());
    }
    let mut waiters = waiting(LINEARIZABLE);
    waiters.ready(ReadId(1), Some(v(10)));
    assert_eq!(waiters.expire(at(5)), [('a', ReadOutcome::TimedOut)]);
}

#[test]
fn a_read_that_asks_for_nothing_is_ready_at_once() {
    let mut waiters = waiting(ConsistencyPolicy::NoConsistencyRequired);
    assert_eq!(advance(&mut waiters, 0, 0, &terms(&[(1, 1)], 1)), [ReadOutcome::Ready]);
}

#[test]
fn who_still_waits_is_handed_back_when_the_node_ends() {
    let mut waiters = waiting(LINEARIZABLE);
    assert_eq!(waiters.abandon(), ['a']);
    assert!(waiters.is_empty() && waiters.deadline().is_none());
}

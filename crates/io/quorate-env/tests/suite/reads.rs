use crate::words::{Marks, at, id, progress, t, terms, v};
use quorate_core::{GroupUuid, TermTable, Time};
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
    let mut waiters = ReadWaiters::new();
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
    let resolved = waiters.advance(at(0), &progress(marks), terms, Some(GROUP));
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
    let mut waiters = ReadWaiters::new();
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
    assert_eq!(waiters.take_questions(at(0), RETRY), [ReadId(1)]);
    assert_eq!(advance(&mut waiters, 9, 9, &terms), []);
    waiters.ready(ReadId(1), Some(v(10)));
    waiters.ready(ReadId(1), None);
    assert_eq!(advance(&mut waiters, 10, 9, &terms), []);
    assert_eq!(advance(&mut waiters, 10, 10, &terms), [ReadOutcome::Ready]);
}

#[test]
fn a_question_without_an_answer_is_asked_again_at_intervals_and_when_the_state_changes() {
    let mut waiters = waiting(LINEARIZABLE);
    assert_eq!(waiters.take_questions(at(0), RETRY), [ReadId(1)]);
    assert_eq!(waiters.take_questions(at(0), RETRY), []);
    assert_eq!(waiters.deadline(), Some(at(1)));
    assert_eq!(waiters.take_questions(at(1), RETRY), [ReadId(1)]);
    waiters.state_changed(at(1));
    assert_eq!(waiters.take_questions(at(1), RETRY), [ReadId(1)]);
    waiters.ready(ReadId(1), Some(v(10)));
    waiters.state_changed(at(2));
    assert_eq!(waiters.take_questions(at(9), RETRY), [], "what was answered is not asked again");
}

#[test]
fn every_read_leaves_at_its_deadline_whatever_it_waits_for() {
    for policy in [token(1, 5), LINEARIZABLE, lag(100)] {
        let mut waiters = waiting(policy);
        assert_eq!(waiters.expire(at(4)), []);
        assert_eq!(waiters.expire(at(5)), [('a', ReadOutcome::TimedOut)]);
        assert!(waiters.is_empty() && waiters.take_questions(at(9), RETRY).is_empty());
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

fn lag(millis: u64) -> ConsistencyPolicy {
    ConsistencyPolicy::TimeConsistency { lag: Duration::from_millis(millis), timeout: RETRY }
}

fn ms(millis: u64) -> Time {
    Time::from_nanos(millis * 1_000_000)
}

/// Who may read at `now`, with everything up to `applied` applied.
fn served(waiters: &mut ReadWaiters<char>, now: Time, applied: u64) -> String {
    let marks = Marks { written: 99, durable: 99, committed: 99, applied, all: (0, 0) };
    let resolved = waiters.advance(now, &progress(marks), &terms(&[(1, 1)], 99), Some(GROUP));
    assert!(resolved.iter().all(|(_, outcome)| *outcome == ReadOutcome::Ready));
    resolved.into_iter().map(|(whom, _)| whom).collect()
}

/// Reads called 'a', 'b' and so on, each with its lag in milliseconds, from time 0 to 5.
fn lagging(lags: &[u64]) -> ReadWaiters<char> {
    let mut waiters = ReadWaiters::new();
    for (allowed, whom) in lags.iter().zip('a'..) {
        waiters.register(at(0), &lag(*allowed), at(5), whom);
    }
    waiters
}

#[test]
fn reads_that_bound_their_age_share_one_question_and_wait_until_its_answer_is_applied() {
    let mut waiters = lagging(&[100, 200, 300]);
    assert_eq!(waiters.deadline(), Some(at(0)), "the question is due at once");
    let asked = waiters.take_questions(at(0), RETRY);
    assert_eq!((asked.len(), waiters.take_questions(at(0), RETRY).len()), (1, 0));
    assert_eq!(served(&mut waiters, ms(1), 99), "", "what is applied is of unknown age");
    waiters.ready(asked[0], Some(v(10)));
    assert_eq!(served(&mut waiters, ms(2), 9), "");
    assert_eq!(served(&mut waiters, ms(3), 10), "abc");
    assert!(waiters.is_empty() && waiters.deadline().is_none());
}

#[test]
fn the_age_counts_from_the_question_and_is_judged_when_a_read_is_served() {
    let mut waiters = lagging(&[100, 200, 300]);
    let asked = waiters.take_questions(at(0), RETRY);
    waiters.ready(asked[0], Some(v(10)));
    assert_eq!(served(&mut waiters, ms(200), 10), "bc");
    assert_eq!(waiters.fresh_as_of(), Some(at(0)));
    let again = waiters.take_questions(ms(201), RETRY);
    assert_eq!(again.len(), 1, "the answer came too late for one of them, which has another asked");
    waiters.ready(again[0], Some(v(10)));
    assert_eq!(served(&mut waiters, ms(301), 10), "a", "a read may see what is as old as it allows");
}

#[test]
fn a_read_is_served_at_once_and_without_a_question_while_what_is_applied_is_recent_enough() {
    let mut waiters = lagging(&[100]);
    let asked = waiters.take_questions(at(0), RETRY);
    waiters.ready(asked[0], Some(v(10)));
    assert_eq!(served(&mut waiters, ms(1), 10), "a");
    waiters.register(ms(100), &lag(100), at(5), 'b');
    assert_eq!(waiters.take_questions(ms(100), RETRY), []);
    assert_eq!(served(&mut waiters, ms(100), 10), "b");
    waiters.register(ms(101), &lag(100), at(5), 'c');
    assert_eq!(served(&mut waiters, ms(101), 99), "", "entries that came since say nothing of their age");
    assert_eq!(waiters.take_questions(ms(101), RETRY).len(), 1);
}

#[test]
fn a_node_that_was_stopped_counts_the_time_that_it_stood_still() {
    let mut waiters = lagging(&[1_000]);
    let asked = waiters.take_questions(at(0), RETRY);
    waiters.ready(asked[0], Some(v(10)));
    assert_eq!(served(&mut waiters, ms(1_001), 10), "", "the answer waited meanwhile and is of no use");
    assert_eq!(waiters.take_questions(ms(1_001), RETRY).len(), 1);
}

#[test]
fn a_late_answer_counts_from_its_own_question_and_not_from_a_later_one() {
    let mut waiters = lagging(&[500]);
    let first = waiters.take_questions(at(0), RETRY);
    let second = waiters.take_questions(at(1), RETRY);
    assert_ne!(first, second);
    waiters.ready(first[0], Some(v(5)));
    assert_eq!(served(&mut waiters, ms(1_001), 5), "", "that question is no longer waited for");
    waiters.ready(second[0], Some(v(9)));
    assert_eq!(served(&mut waiters, ms(1_002), 8), "");
    assert_eq!(served(&mut waiters, ms(1_003), 9), "a");
}

#[test]
fn a_shared_question_is_asked_again_when_the_state_changes_and_by_nobody_who_does_not_wait() {
    let mut waiters = lagging(&[100]);
    assert_eq!(waiters.take_questions(at(0), RETRY).len(), 1);
    assert_eq!(waiters.deadline(), Some(at(1)));
    waiters.state_changed(ms(5));
    assert_eq!(waiters.take_questions(ms(5), RETRY).len(), 1);
    assert_eq!(waiters.expire(at(5)), [('a', ReadOutcome::TimedOut)]);
    assert_eq!((waiters.take_questions(at(9), RETRY), waiters.deadline()), (vec![], None));
}

#[test]
fn a_lag_too_short_to_be_met_asks_no_more_than_once_a_millisecond() {
    let policy = ConsistencyPolicy::TimeConsistency { lag: Duration::from_nanos(1), timeout: RETRY };
    let mut waiters = waiting(policy);
    let asked = waiters.take_questions(at(0), RETRY);
    waiters.ready(asked[0], None);
    assert_eq!(served(&mut waiters, Time::from_nanos(2), 10), "");
    assert_eq!(waiters.take_questions(Time::from_nanos(3), RETRY), []);
    assert_eq!(waiters.deadline(), Some(ms(1)));
    assert_eq!(waiters.take_questions(ms(1), RETRY).len(), 1);
}

#[test]
fn no_lag_asks_for_what_was_acknowledged_before_the_read_began() {
    let mut waiters = lagging(&[100, 0]);
    let asked = waiters.take_questions(at(0), RETRY);
    assert_eq!(asked.len(), 2, "one of its own, and one for all others");
    asked.iter().for_each(|read| waiters.ready(*read, Some(v(10))));
    assert_eq!(served(&mut waiters, ms(1), 10), "ba");
    waiters.register(ms(2), &lag(0), at(5), 'c');
    assert_eq!(served(&mut waiters, ms(2), 99), "", "nothing asked before it began will do");
    let own = waiters.take_questions(ms(2), RETRY);
    waiters.ready(own[0], Some(v(20)));
    assert_eq!(served(&mut waiters, ms(900), 20), "c", "however long the answer took");
}

//! Histories of one key, by hand, and whether they are linearizable.

use quorate_check::RegisterOperation::{CompareAndSet, Read, Write};
use quorate_check::RegisterOutcome::{Swapped, Value, Written};
use quorate_check::{Call, Register, RegisterCall, Verdict, by_key, linearizable};

const BUDGET: u64 = 100_000;

fn read(began: u64, ended: u64, value: Option<u64>) -> RegisterCall<u64> {
    Call { client: 0, began, ended: Some(ended), operation: Read, outcome: Some(Value(value)) }
}

fn write(began: u64, ended: u64, value: u64) -> RegisterCall<u64> {
    Call { client: 1, began, ended: Some(ended), operation: Write(Some(value)), outcome: Some(Written) }
}

fn swap(began: u64, ended: u64, expected: u64, new: u64, swapped: bool) -> RegisterCall<u64> {
    let operation = CompareAndSet { expected: Some(expected), new: Some(new) };
    Call { client: 2, began, ended: Some(ended), operation, outcome: Some(Swapped(swapped)) }
}

/// The same call, of which nobody knows what became.
fn pending(call: RegisterCall<u64>) -> RegisterCall<u64> {
    Call { ended: None, outcome: None, ..call }
}

fn is_linearizable(history: &[RegisterCall<u64>]) -> bool {
    match linearizable::<Register<u64>>(history, BUDGET) {
        Verdict::Linearizable => true,
        Verdict::NotLinearizable { .. } => false,
        Verdict::Unknown { states } => panic!("undecided after {states} configurations"),
    }
}

#[test]
fn a_history_without_calls_is_linearizable() {
    assert!(is_linearizable(&[]));
}

#[test]
fn calls_one_after_another_are_linearizable_in_that_order_only() {
    assert!(is_linearizable(&[read(0, 1, None), write(2, 3, 7), read(4, 5, Some(7))]));
    assert!(!is_linearizable(&[write(2, 3, 7), read(4, 5, None)]));
}

#[test]
fn concurrent_calls_may_take_effect_in_any_order() {
    assert!(is_linearizable(&[write(0, 10, 1), read(1, 2, None), read(3, 4, Some(1))]));
    assert!(is_linearizable(&[write(0, 10, 1), write(0, 10, 2), read(11, 12, Some(1))]));
    assert!(is_linearizable(&[write(0, 10, 1), write(0, 10, 2), read(11, 12, Some(2))]));
}

#[test]
fn calls_that_touch_in_one_moment_are_concurrent() {
    assert!(is_linearizable(&[write(0, 5, 1), read(5, 6, None)]));
    assert!(!is_linearizable(&[write(0, 4, 1), read(5, 6, None)]));
}

#[test]
fn a_stale_read_is_found() {
    assert!(!is_linearizable(&[write(0, 1, 1), write(2, 3, 2), read(4, 5, Some(1))]));
}

#[test]
fn a_read_that_goes_back_behind_another_is_found() {
    assert!(!is_linearizable(&[write(0, 10, 1), read(1, 2, Some(1)), read(3, 4, None)]));
}

#[test]
fn a_lost_update_is_found() {
    let both_won = [write(0, 1, 1), swap(2, 5, 1, 2, true), swap(3, 6, 1, 3, true)];
    assert!(!is_linearizable(&both_won));
}

#[test]
fn a_value_that_nobody_wrote_is_found() {
    assert!(!is_linearizable(&[write(0, 1, 1), read(2, 3, Some(9))]));
}

#[test]
fn a_pending_write_may_take_effect_late() {
    let unknown = pending(write(0, 0, 1));
    assert!(is_linearizable(&[unknown.clone(), read(10, 11, None), read(12, 13, Some(1))]));
    assert!(!is_linearizable(&[unknown, read(10, 11, Some(1)), read(12, 13, None)]));
}

#[test]
fn a_pending_write_may_never_take_effect() {
    assert!(is_linearizable(&[write(0, 1, 1), pending(write(2, 2, 2)), read(10, 11, Some(1))]));
}

#[test]
fn a_pending_write_takes_effect_once_and_not_before_it_began() {
    let unknown = pending(write(2, 2, 2));
    assert!(!is_linearizable(&[unknown.clone(), read(0, 1, Some(2))]));
    let twice = [unknown, read(3, 4, Some(2)), write(5, 6, 3), read(7, 8, Some(2))];
    assert!(!is_linearizable(&twice));
}

#[test]
fn a_call_that_ended_without_an_outcome_is_pending() {
    let failed = Call { outcome: None, ..write(0, 1, 1) };
    assert!(is_linearizable(&[failed.clone(), read(2, 3, None)]));
    assert!(is_linearizable(&[failed, read(2, 3, None), read(4, 5, Some(1))]));
}

#[test]
fn one_of_two_racing_compare_and_sets_wins() {
    let race = |first, second| [write(0, 1, 1), swap(2, 5, 1, 2, first), swap(3, 6, 1, 3, second)];
    assert!(is_linearizable(&race(true, false)));
    assert!(is_linearizable(&race(false, true)));
    assert!(!is_linearizable(&race(false, false)));
}

#[test]
fn a_pending_compare_and_set_takes_effect_only_on_the_value_it_expects() {
    let history = |seen| [write(0, 1, 1), pending(swap(2, 2, 5, 6, true)), read(3, 4, Some(seen))];
    assert!(is_linearizable(&history(1)));
    assert!(!is_linearizable(&history(6)));
}

#[test]
fn an_answer_of_another_kind_is_impossible() {
    let confused = Call { outcome: Some(Written), ..read(0, 1, None) };
    assert!(!is_linearizable(&[confused]));
}

#[test]
fn what_could_be_explained_is_told_with_what_could_not() {
    let history = [write(0, 1, 1), read(2, 3, Some(1)), write(4, 5, 2), read(6, 7, Some(1))];
    let verdict = linearizable::<Register<u64>>(&history, BUDGET);
    assert_eq!(verdict, Verdict::NotLinearizable { prefix: vec![0, 1, 2], stuck: vec![3] });
}

#[test]
fn a_search_beyond_its_budget_is_undecided() {
    let history: Vec<_> = (0..10).map(|value| write(0, 100, value)).collect();
    assert_eq!(linearizable::<Register<u64>>(&history, 50), Verdict::Unknown { states: 50 });
}

/// Ten clients write and read one key in overlapping calls; every fifth write is never answered, and takes
/// effect or not.
fn busy_history(calls: u64) -> Vec<RegisterCall<u64>> {
    let mut value = None;
    let history = (0..calls).map(|number| {
        let (began, ended) = (number * 10, number * 10 + 95);
        match number % 5 {
            0 if number % 2 == 0 => pending(write(began, 0, number)),
            0 | 1 => {
                value = Some(number);
                if number % 5 == 0 { pending(write(began, 0, number)) } else { write(began, ended, number) }
            }
            _ => read(began, ended, value),
        }
    });
    history.collect()
}

#[test]
fn hundreds_of_overlapping_calls_with_many_pending_ones_are_judged() {
    let mut history = busy_history(600);
    assert_eq!(linearizable::<Register<u64>>(&history, 3_000_000), Verdict::Linearizable);
    history.push(read(7_000, 7_001, Some(1)));
    let verdict = linearizable::<Register<u64>>(&history, 3_000_000);
    assert!(matches!(verdict, Verdict::NotLinearizable { stuck, .. } if stuck == [600]));
}

#[test]
fn each_key_is_judged_by_itself() {
    let history =
        [("b", write(0, 1, 1)), ("a", write(2, 3, 1)), ("b", read(4, 5, None)), ("a", read(6, 7, Some(1)))];
    let judged = by_key::<_, Register<u64>>(history, BUDGET);
    let keys: Vec<_> = judged.iter().map(|key| (key.key, key.calls.len())).collect();
    assert_eq!(keys, [("a", 2), ("b", 2)]);
    assert_eq!(judged[0].verdict, Verdict::Linearizable);
    assert_eq!(judged[1].verdict, Verdict::NotLinearizable { prefix: vec![0], stuck: vec![1] });
}

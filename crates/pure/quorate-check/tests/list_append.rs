//! Histories of list-append transactions, by hand, and the anomalies in them.

use quorate_check::list_append::Fate::{Aborted, Committed, Unknown};
use quorate_check::list_append::{Anomaly, Dependency, Fate, Phenomenon, Step, Transaction, check};

type Steps = Vec<Step<char, u64>>;

fn append(key: char, element: u64) -> Step<char, u64> {
    Step::Append { key, element }
}

fn read(key: char, list: &[u64]) -> Step<char, u64> {
    Step::Read { key, list: Some(list.to_vec()) }
}

/// A transaction of a client of its own.
fn transaction(began: u64, ended: u64, fate: Fate, steps: Steps) -> Transaction<char, u64> {
    let ended = (fate != Unknown).then_some(ended);
    Transaction { client: 1_000 + began, began, ended, fate, steps }
}

/// Transactions all under way at once.
fn concurrent<const N: usize>(steps: [Steps; N]) -> Vec<Transaction<char, u64>> {
    let one = |(client, steps): (u64, Steps)| Transaction { client, ..transaction(0, 100, Committed, steps) };
    (0..).zip(steps).map(one).collect()
}

/// Transactions one after another.
fn in_turn<const N: usize>(steps: [Steps; N]) -> Vec<Transaction<char, u64>> {
    let one = |(number, steps): (u64, Steps)| transaction(10 * number, 10 * number + 5, Committed, steps);
    (0..).zip(steps).map(one).collect()
}

/// The one cycle of a history that has no other anomaly.
fn cycle_of(history: &[Transaction<char, u64>]) -> (Phenomenon, usize) {
    match check(history).as_slice() {
        [Anomaly::Cycle { phenomenon, cycle }] => (*phenomenon, cycle.len()),
        others => panic!("{others:?}"),
    }
}

#[test]
fn transactions_in_an_order_have_no_anomaly() {
    let history = in_turn([
        vec![read('x', &[]), append('x', 1), read('x', &[1])],
        vec![append('x', 2), append('y', 3), append('x', 4)],
        vec![read('x', &[1, 2, 4]), read('y', &[3])],
    ]);
    assert_eq!(check(&history), []);
}

#[test]
fn concurrent_transactions_may_have_any_order() {
    let history = concurrent([
        vec![append('x', 1)],
        vec![append('x', 2)],
        vec![read('x', &[])],
        vec![read('x', &[2, 1])],
        vec![read('x', &[2])],
    ]);
    assert_eq!(check(&history), []);
}

#[test]
fn appends_in_opposite_orders_are_a_write_cycle() {
    let history = concurrent([
        vec![append('x', 1), append('y', 1)],
        vec![append('x', 2), append('y', 2)],
        vec![read('x', &[1, 2])],
        vec![read('y', &[2, 1])],
    ]);
    assert_eq!(cycle_of(&history), (Phenomenon::G0, 2));
}

#[test]
fn a_read_of_an_aborted_append_is_found() {
    let mut history = concurrent([vec![append('x', 1)], vec![read('x', &[1])]]);
    history[0].fate = Aborted;
    assert_eq!(check(&history), [Anomaly::AbortedRead { key: &'x', element: &1, writer: 0, reader: 1 }]);
}

#[test]
fn a_read_in_the_midst_of_a_transaction_is_found() {
    let history =
        concurrent([vec![append('x', 1), append('x', 2)], vec![read('x', &[1])], vec![read('x', &[1, 2])]]);
    let expected = Anomaly::IntermediateRead { key: &'x', element: &1, writer: 0, reader: 1 };
    assert!(check(&history).contains(&expected));
}

#[test]
fn transactions_that_read_each_other_are_circular_information_flow() {
    let history = concurrent([vec![append('x', 1), read('y', &[2])], vec![append('y', 2), read('x', &[1])]]);
    assert_eq!(cycle_of(&history), (Phenomenon::G1c, 2));
}

#[test]
fn read_skew_is_found() {
    let history = concurrent([
        vec![append('x', 1), append('y', 1)],
        vec![read('x', &[1]), read('y', &[])],
        vec![read('y', &[1])],
    ]);
    assert_eq!(cycle_of(&history), (Phenomenon::GSingle, 2));
}

#[test]
fn write_skew_is_found() {
    let history = concurrent([
        vec![read('x', &[]), append('y', 1)],
        vec![read('y', &[]), append('x', 2)],
        vec![read('x', &[2]), read('y', &[1])],
    ]);
    assert_eq!(cycle_of(&history), (Phenomenon::G2, 2));
}

#[test]
fn a_lost_update_is_a_cycle() {
    let history = concurrent([
        vec![read('x', &[]), append('x', 1)],
        vec![read('x', &[]), append('x', 2)],
        vec![read('x', &[1, 2])],
    ]);
    assert_eq!(cycle_of(&history), (Phenomenon::GSingle, 2));
}

#[test]
fn a_lost_append_is_found() {
    let history = in_turn([vec![append('x', 1)], vec![append('x', 2)], vec![read('x', &[2])]]);
    assert_eq!(check(&history), [Anomaly::Lost { key: &'x', element: &1, writer: 0, reader: 2 }]);
}

#[test]
fn an_append_that_nobody_could_have_read_is_not_lost() {
    let history = in_turn([vec![append('x', 1)], vec![read('x', &[1])], vec![append('x', 2)]]);
    assert_eq!(check(&history), []);
}

#[test]
fn an_append_that_took_effect_twice_is_found() {
    let history = in_turn([vec![append('x', 1)], vec![read('x', &[1, 1])]]);
    assert!(check(&history).contains(&Anomaly::Duplicated { key: &'x', element: &1, reader: 1 }));
}

#[test]
fn an_element_that_nobody_appended_is_found() {
    let history = in_turn([vec![read('x', &[9])]]);
    assert_eq!(check(&history), [Anomaly::Invented { key: &'x', element: &9, reader: 0 }]);
}

#[test]
fn a_test_that_appends_an_element_twice_is_told_so() {
    let history = in_turn([vec![append('x', 1)], vec![append('x', 1)]]);
    let expected = Anomaly::AppendedTwice { key: &'x', element: &1, transactions: [0, 1] };
    assert_eq!(check(&history), [expected]);
}

#[test]
fn lists_that_fork_are_found() {
    let history = concurrent([
        vec![append('x', 1)],
        vec![append('x', 2)],
        vec![read('x', &[1, 2])],
        vec![read('x', &[2])],
    ]);
    let expected = Anomaly::IncompatibleOrders { key: &'x', readers: [3, 2] };
    assert!(check(&history).contains(&expected));
}

#[test]
fn a_transaction_that_does_not_read_its_own_append_is_found() {
    let history = in_turn([vec![append('x', 1), read('x', &[])]]);
    assert_eq!(check(&history), [Anomaly::Internal { key: &'x', reader: 0 }]);
    let history = in_turn([vec![append('x', 1)], vec![read('x', &[]), read('x', &[1])]]);
    assert!(check(&history).contains(&Anomaly::Internal { key: &'x', reader: 1 }));
}

#[test]
fn a_read_of_the_past_is_a_cycle_with_time_and_none_without() {
    let steps = [vec![append('x', 1)], vec![read('x', &[])], vec![read('x', &[1])]];
    assert_eq!(check(&concurrent(steps.clone())), []);
    let history = in_turn(steps);
    let anomalies = check(&history);
    let expected = vec![(0, Dependency::RealTime), (1, Dependency::ReadWrite)];
    assert_eq!(anomalies, [Anomaly::Cycle { phenomenon: Phenomenon::RealTime, cycle: expected }]);
    assert_eq!(anomalies[0].to_string(), "RealTime cycle: 0 -RealTime-> 1 -ReadWrite-> 0");
}

#[test]
fn one_clients_transactions_keep_their_order() {
    let mut history = concurrent([vec![append('x', 1)], vec![read('x', &[])], vec![read('x', &[1])]]);
    assert_eq!(check(&history), []);
    history[1].client = history[0].client;
    history[1].began = 1;
    assert_eq!(cycle_of(&history), (Phenomenon::RealTime, 2));
}

#[test]
fn a_transaction_of_unknown_fate_may_have_taken_effect_or_not() {
    let history = |list: &[u64]| {
        vec![
            transaction(0, 0, Unknown, vec![append('x', 1)]),
            transaction(10, 11, Committed, vec![read('x', list)]),
        ]
    };
    assert_eq!(check(&history(&[])), []);
    assert_eq!(check(&history(&[1])), []);
}

#[test]
fn a_transaction_of_unknown_fate_takes_effect_whole() {
    let history = [
        transaction(0, 0, Unknown, vec![append('x', 1), append('y', 1)]),
        transaction(10, 11, Committed, vec![read('x', &[1]), read('y', &[])]),
    ];
    assert_eq!(cycle_of(&history), (Phenomenon::GSingle, 2));
}

#[test]
fn thousands_of_transactions_are_judged() {
    let history = |stale: bool| {
        let mut elements = Vec::new();
        let one = |number: u64| {
            let list = if stale && number == 2_999 { elements[..7].to_vec() } else { elements.clone() };
            if number.is_multiple_of(30) {
                elements.push(number);
                transaction(2 * number, 2 * number + 1, Committed, vec![append('x', number)])
            } else {
                transaction(2 * number, 2 * number + 1, Committed, vec![read('x', &list)])
            }
        };
        (0..3_000).map(one).collect::<Vec<_>>()
    };
    assert_eq!(check(&history(false)), []);
    assert_eq!(cycle_of(&history(true)).0, Phenomenon::RealTime);
}

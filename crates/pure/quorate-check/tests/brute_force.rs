//! The checker says what trying all orders says.

use proptest::prelude::*;
use quorate_check::{
    Call, Model, Register, RegisterCall, RegisterOperation, RegisterOutcome, Verdict, linearizable,
};

/// Tries every order of every choice of calls that contains all that are not pending.
fn has_an_order(history: &[RegisterCall<u8>], used: &mut Vec<usize>, state: Option<u8>) -> bool {
    let left: Vec<usize> = (0..history.len()).filter(|place| !used.contains(place)).collect();
    if left.iter().all(|&place| history[place].is_pending()) {
        return true;
    }
    left.iter().any(|&place| {
        let call = &history[place];
        let is_early = left.iter().any(|&other| {
            let other = &history[other];
            !other.is_pending() && other.ended.is_some_and(|ended| ended < call.began)
        });
        let next = Register::step(&state, &call.operation, call.outcome.as_ref());
        let Some(next) = next.filter(|_| !is_early) else { return false };
        used.push(place);
        let found = has_an_order(history, used, next);
        used.pop();
        found
    })
}

fn value() -> impl Strategy<Value = Option<u8>> {
    prop::option::of(0..3_u8)
}

fn operation() -> impl Strategy<Value = (RegisterOperation<u8>, RegisterOutcome<u8>)> {
    prop_oneof![
        value().prop_map(|value| (RegisterOperation::Read, RegisterOutcome::Value(value))),
        value().prop_map(|value| (RegisterOperation::Write(value), RegisterOutcome::Written)),
        (value(), value(), any::<bool>()).prop_map(|(expected, new, swapped)| {
            (RegisterOperation::CompareAndSet { expected, new }, RegisterOutcome::Swapped(swapped))
        }),
    ]
}

fn call() -> impl Strategy<Value = RegisterCall<u8>> {
    let pending = prop::bool::weighted(0.25);
    (operation(), 0..12_u64, 0..6_u64, pending).prop_map(|((operation, outcome), began, length, pending)| {
        let (ended, outcome) = if pending { (None, None) } else { (Some(began + length), Some(outcome)) };
        Call { client: 0, began, ended, operation, outcome }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_checker_agrees_with_all_orders(history in prop::collection::vec(call(), 0..7)) {
        let expected = has_an_order(&history, &mut Vec::new(), None);
        match linearizable::<Register<u8>>(&history, 1_000_000) {
            Verdict::Linearizable => prop_assert!(expected, "no order explains it"),
            Verdict::NotLinearizable { .. } => prop_assert!(!expected, "an order explains it"),
            Verdict::Unknown { states } => prop_assert!(false, "undecided after {states}"),
        }
    }
}

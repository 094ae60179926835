use crate::{Call, Model};
use core::hash::Hash;
use core::marker::PhantomData;

/// The model of one key: it holds a value or none, and begins without one.
#[derive(Clone, Copy, Debug)]
pub struct Register<V>(PhantomData<V>);

/// A call on one key.
pub type RegisterCall<V> = Call<RegisterOperation<V>, RegisterOutcome<V>>;

/// What may be asked of one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegisterOperation<V> {
    /// Answered by [`RegisterOutcome::Value`].
    Read,
    /// Sets the value, or removes it. Answered by [`RegisterOutcome::Written`].
    Write(Option<V>),
    /// Sets the value if it is the one expected. Answered by [`RegisterOutcome::Swapped`].
    CompareAndSet {
        /// What the value must be; `None`: there must be none.
        expected: Option<V>,
        /// What it is to be; `None` removes it.
        new: Option<V>,
    },
}

/// What one key may answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegisterOutcome<V> {
    /// The value that was read.
    Value(Option<V>),
    /// The value was set.
    Written,
    /// Whether the value was the one expected, and so was set.
    Swapped(bool),
}

impl<V: Clone + Eq + Hash> Model for Register<V> {
    type Operation = RegisterOperation<V>;
    type Outcome = RegisterOutcome<V>;
    type State = Option<V>;

    fn step(
        state: &Option<V>,
        operation: &RegisterOperation<V>,
        outcome: Option<&RegisterOutcome<V>>,
    ) -> Option<Option<V>> {
        use {RegisterOperation as Asked, RegisterOutcome as Answered};
        match (operation, outcome) {
            (Asked::Read, None) => Some(state.clone()),
            (Asked::Read, Some(Answered::Value(value))) => (value == state).then(|| state.clone()),
            (Asked::Write(value), None | Some(Answered::Written)) => Some(value.clone()),
            (Asked::CompareAndSet { expected, new }, None) => {
                Some(if expected == state { new.clone() } else { state.clone() })
            }
            (Asked::CompareAndSet { expected, new }, Some(Answered::Swapped(swapped))) => {
                let after = if *swapped { new } else { state };
                (*swapped == (expected == state)).then(|| after.clone())
            }
            _ => None,
        }
    }

    fn is_read(_: &RegisterOperation<V>, outcome: &RegisterOutcome<V>) -> bool {
        matches!(outcome, RegisterOutcome::Value(_) | RegisterOutcome::Swapped(false))
    }
}

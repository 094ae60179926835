use core::hash::Hash;

/// What an object's operations mean, one at a time.
pub trait Model {
    /// What may be asked for.
    type Operation;
    /// What may be answered.
    type Outcome;
    /// What the object is between two operations. Its default is what a history begins with.
    type State: Clone + Eq + Hash + Default;

    /// The state after an operation, or `None` if it cannot have had this outcome in this state. Without an
    /// outcome nobody knows the answer: whatever the operation does in this state is possible.
    fn step(
        state: &Self::State,
        operation: &Self::Operation,
        outcome: Option<&Self::Outcome>,
    ) -> Option<Self::State>;

    /// Whether an operation with this outcome never changes the state, whatever that is: a read, or a
    /// compare-and-set that failed. The search is shorter for each call of which this is known; to say so
    /// wrongly makes its verdicts wrong.
    fn is_read(_operation: &Self::Operation, _outcome: &Self::Outcome) -> bool {
        false
    }
}

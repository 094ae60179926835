use alloc::vec::Vec;

/// Whether a history can be explained by operations that take effect one at a time, each within its call.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Verdict {
    /// It can.
    Linearizable,
    /// It cannot.
    NotLinearizable {
        /// The longest explanation found of all calls that had ended until the search got stuck: places in the
        /// history, in the order in which the calls took effect.
        prefix: Vec<usize>,
        /// The calls of known outcome that had begun by then and that cannot follow, one of which had ended:
        /// places in the history.
        stuck: Vec<usize>,
    },
    /// The search went through this many configurations, all that it was allowed, and found neither.
    Unknown {
        /// How many configurations were examined.
        states: u64,
    },
}

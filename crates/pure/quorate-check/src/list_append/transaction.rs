use alloc::vec::Vec;

/// One transaction, as its client saw it. Times are as in a [`Call`](crate::Call).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction<K, E> {
    /// Who asked for it. The committed transactions of one client take effect in the order in which they began.
    pub client: u64,
    /// When it began.
    pub began: u64,
    /// When its fate was known; `None` if it never was.
    pub ended: Option<u64>,
    /// What became of it.
    pub fate: Fate,
    /// What it did, in this order.
    pub steps: Vec<Step<K, E>>,
}

/// What became of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It took effect.
    Committed,
    /// It had no effect, and has none in time to come.
    Aborted,
    /// Nobody knows. It counts as committed if anybody has read what it appended.
    Unknown,
}

/// One step of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step<K, E> {
    /// Appends an element to a list. No element is appended twice to one key in a whole history.
    Append {
        /// The list's key.
        key: K,
        /// The element.
        element: E,
    },
    /// Reads a list.
    Read {
        /// The list's key.
        key: K,
        /// What was read; empty if there was no list. `None` if that is unknown.
        list: Option<Vec<E>>,
    },
}

use alloc::vec::Vec;
use core::fmt::{self, Debug, Display};

/// Something in a history that no order of its transactions explains.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Anomaly<'a, K, E> {
    /// Two appends of one element to one key: a fault of the test, whose lists then tell no order.
    AppendedTwice {
        /// The list's key.
        key: &'a K,
        /// The element.
        element: &'a E,
        /// Who appended it.
        transactions: [usize; 2],
    },
    /// A list holds an element twice that was appended once.
    Duplicated {
        /// The list's key.
        key: &'a K,
        /// The element.
        element: &'a E,
        /// Who read it.
        reader: usize,
    },
    /// A list holds an element that nobody appended to it.
    Invented {
        /// The list's key.
        key: &'a K,
        /// The element.
        element: &'a E,
        /// Who read it.
        reader: usize,
    },
    /// A list lacks a committed element though its reader began after the append had ended, and no later list
    /// has it.
    Lost {
        /// The list's key.
        key: &'a K,
        /// The element.
        element: &'a E,
        /// Who appended it.
        writer: usize,
        /// Who read the list.
        reader: usize,
    },
    /// Two lists of one key of which neither begins with the other.
    IncompatibleOrders {
        /// The list's key.
        key: &'a K,
        /// Who read them.
        readers: [usize; 2],
    },
    /// A list holds an element of a transaction that was aborted (G1a).
    AbortedRead {
        /// The list's key.
        key: &'a K,
        /// The element.
        element: &'a E,
        /// Whose append was undone.
        writer: usize,
        /// Who read it.
        reader: usize,
    },
    /// A list ends between two appends of one transaction (G1b).
    IntermediateRead {
        /// The list's key.
        key: &'a K,
        /// The element at the list's end.
        element: &'a E,
        /// Who had more to append.
        writer: usize,
        /// Who read it.
        reader: usize,
    },
    /// A transaction that does not read what it read or appended before.
    Internal {
        /// The list's key.
        key: &'a K,
        /// Who read it.
        reader: usize,
    },
    /// Transactions each of which must come before the next, and the last before the first.
    Cycle {
        /// What kind of cycle.
        phenomenon: Phenomenon,
        /// Each transaction with what makes the next one, or the first after the last, come later.
        cycle: Vec<(usize, Dependency)>,
    },
}

/// Kinds of cycles, by the strongest of which each is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phenomenon {
    /// Of appends alone: a write cycle.
    G0,
    /// Of appends and reads of them: circular information flow.
    G1c,
    /// With one read that did not see a write: read skew, lost updates.
    GSingle,
    /// With several reads that did not see writes: write skew.
    G2,
    /// Only with the order of time or of one client's transactions: serializable, and not strictly so.
    RealTime,
}

/// Why one transaction comes before another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dependency {
    /// The other appended after it.
    WriteWrite,
    /// The other read what it appended.
    WriteRead,
    /// It read a list that lacks what the other appended.
    ReadWrite,
    /// It ended before the other began, or was the same client's before.
    RealTime,
}

impl<K: Debug, E: Debug> Display for Anomaly<'_, K, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AppendedTwice { key, element, transactions: [one, other] } => {
                write!(f, "{key:?}: {element:?} is appended by both transactions {one} and {other}")
            }
            Self::Duplicated { key, element, reader } => {
                write!(f, "{key:?}: {element:?} is twice in the list that transaction {reader} reads")
            }
            Self::Invented { key, element, reader } => {
                write!(f, "{key:?}: {element:?}, read by transaction {reader}, was never appended")
            }
            Self::Lost { key, element, writer, reader } => write!(
                f,
                "{key:?}: {element:?}, appended by transaction {writer}, is lost: transaction {reader}, which \
                 began later, reads a list without it"
            ),
            Self::IncompatibleOrders { key, readers: [one, other] } => {
                write!(f, "{key:?}: of the lists of transactions {one} and {other} neither begins the other")
            }
            Self::AbortedRead { key, element, writer, reader } => write!(
                f,
                "{key:?}: {element:?} of transaction {writer}, which was aborted, is read by transaction {reader}"
            ),
            Self::IntermediateRead { key, element, writer, reader } => write!(
                f,
                "{key:?}: the list of transaction {reader} ends with {element:?}, in the midst of transaction \
                 {writer}"
            ),
            Self::Internal { key, reader } => {
                write!(f, "{key:?}: transaction {reader} does not read what it has itself read or appended")
            }
            Self::Cycle { phenomenon, cycle } => {
                write!(f, "{phenomenon:?} cycle:")?;
                cycle.iter().try_for_each(|(number, dependency)| write!(f, " {number} -{dependency:?}->"))?;
                cycle.first().map_or(Ok(()), |(first, _)| write!(f, " {first}"))
            }
        }
    }
}

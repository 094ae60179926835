use crate::{Term, Vlsn};
use core::fmt;

/// Which entry stands at a position: the pair that identifies an entry in every log of the group.
///
/// Its order, term first, is the *rank* of a log that ends with it; an empty log has rank `None`, below all others.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryId {
    /// The term under which a master appended the entry.
    pub term: Term,
    /// The entry's position.
    pub vlsn: Vlsn,
}

impl fmt::Debug for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.vlsn, self.term)
    }
}

impl fmt::Display for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// What an entry is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EntryKind {
    /// The first entry of a term. The first one of all founds the group: its payload is the encoded roster.
    TermStart,
    /// An application's entry; its payload is opaque to everything below the engine.
    Data,
}

/// How durable copies of an entry must be before they count for its commit.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Requirement {
    /// The master's own copy counts once fsynced (else: once written).
    pub local_sync: bool,
    /// A replica's copy counts once fsynced (else: once written).
    pub replica_sync: bool,
}

impl Requirement {
    /// Every copy counts only once fsynced: the default, and always so for a term's start.
    pub const SYNC: Self = Self { local_sync: true, replica_sync: true };
}

impl fmt::Debug for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = |sync| if sync { "sync" } else { "written" };
        write!(f, "{}/{}", word(self.local_sync), word(self.replica_sync))
    }
}

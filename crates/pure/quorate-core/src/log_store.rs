use crate::{Batch, EntryId, TermTable, Vlsn};
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

/// The replicated log of one node.
///
/// 1. What [`append`](Self::append) accepted can be read at once and survives the process. 2. What [`sync`](Self::sync)
///    covered survives power loss. 3. After a failed write or sync the store is poisoned: every later call that writes fails, until it
///    is reopened. 4. One caller writes; readers come from [`reader`](Self::reader).
pub trait LogStore: Send {
    /// What the log holds.
    fn summary(&self) -> LogSummary;

    /// Writes batches that follow the last entry, as one group.
    ///
    /// # Errors
    /// [`LogError::OutOfOrder`] if a batch does not follow; nothing was written. [`LogError::DiskFull`] if there is no room;
    /// nothing was written, and a later call may succeed. [`LogError::Io`], [`LogError::Poisoned`].
    fn append(&mut self, batches: &[Batch]) -> Result<(), LogError>;

    /// Makes everything appended durable and returns the last durable position.
    ///
    /// # Errors
    /// [`LogError::Io`], [`LogError::Poisoned`]; nothing more than before is durable.
    fn sync(&mut self) -> Result<Option<Vlsn>, LogError>;

    /// Drops all entries behind `keep` (all, for `None`), keeping them in a rollback file; durable on return.
    ///
    /// # Errors
    /// [`LogError::Trimmed`] if `keep` is below the base. [`LogError::Damaged`] if the entry at `keep` cannot be read and nothing
    /// tells what the checksums go on from; nothing was dropped, and a [`repair`](Self::repair) that ends with `keep` helps.
    /// [`LogError::Io`], [`LogError::Poisoned`].
    fn truncate_after(&mut self, keep: Option<Vlsn>) -> Result<Truncated, LogError>;

    /// Allows entries up to `base` to be dropped. How many really are depends on segment borders and on readers.
    ///
    /// # Errors
    /// [`LogError::Io`], [`LogError::Poisoned`].
    fn trim_through(&mut self, base: Vlsn) -> Result<(), LogError>;

    /// Puts intact frames, fetched from a peer, in the place of a damaged range or of the first entries of one. The last
    /// checksum of a whole range shows that they are the entries that stood there; of the first entries the caller has to know it.
    ///
    /// # Errors
    /// [`LogError::NotTheDamaged`] if the batch does not begin as a damaged range does, reaches beyond it, or its checksums do not
    /// fit in between what is left; nothing was written. [`LogError::Io`], [`LogError::Poisoned`].
    fn repair(&mut self, batch: &Batch) -> Result<(), LogError>;

    /// Does one step of what can be done ahead of need or after the fact, such as room for the next entries, and returns
    /// whether there is more. The writer calls it while it has nothing else to do, and now and then while it has.
    ///
    /// # Errors
    /// [`LogError::DiskFull`] if there is no room ahead; nothing was lost, and appends may still succeed. [`LogError::Io`],
    /// [`LogError::Poisoned`].
    fn prepare(&mut self) -> Result<bool, LogError> {
        Ok(false)
    }

    /// A reader for any thread, valid as long as it is held.
    fn reader(&self) -> Arc<dyn LogReader>;
}

/// Reads a log while it is being written.
pub trait LogReader: Send + Sync {
    /// Reads entries from `from` on: whole frames, up to and including `through` at most, `bytes_max` at most, one frame at least. Every
    /// checksum is verified.
    ///
    /// # Errors
    /// [`LogError::Trimmed`] below the base, [`LogError::NotWritten`] beyond the end, [`LogError::Damaged`], [`LogError::Io`].
    fn read(&self, from: Vlsn, through: Vlsn, bytes_max: usize) -> Result<Batch, LogError>;
}

/// A range of entries that had been durable and cannot be read any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DamagedRange {
    /// The first damaged entry.
    pub first: Vlsn,
    /// The last damaged entry.
    pub last: Vlsn,
    /// Header checksum of the frame before the range: it seeds the chain.
    pub chain_before: u32,
    /// Header checksum of the last frame of the range where it is still known, from the frame behind it.
    pub chain_after: Option<u32>,
}

impl DamagedRange {
    /// Whether the entry at `vlsn` is damaged.
    #[must_use]
    pub fn contains(&self, vlsn: Vlsn) -> bool {
        self.first <= vlsn && vlsn <= self.last
    }
}

/// What a log holds, as found when it was opened and as changed since.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct LogSummary {
    /// Terms, base and end.
    pub terms: TermTable,
    /// The last durable position.
    pub durable: Option<Vlsn>,
    /// Header checksum of the last frame: it seeds the next one's. 0 for an empty log.
    pub chain: u32,
    /// Durable entries that cannot be read, in order, never touching each other.
    pub damaged: Vec<DamagedRange>,
    /// Durable entries were lost from the end of the log when it was opened: the node is recovering.
    pub lost_durable_end: bool,
}

/// What a truncation dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Truncated {
    /// The entries dropped, first and last; `None` if there was nothing behind the position.
    pub dropped: Option<(EntryId, EntryId)>,
    /// How many entries were dropped.
    pub count: u64,
    /// Where they are kept.
    pub rollback_file: Option<String>,
}

/// Why the log could not be read or written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// A write or sync failed before; nothing is written until the log is reopened.
    #[error("the log is poisoned by an earlier failure ({cause}): restart the node")]
    Poisoned {
        /// The first failure.
        cause: String,
    },
    /// The file system failed.
    #[error("{operation} failed: {detail}")]
    Io {
        /// What was tried, and on which file.
        operation: String,
        /// What the operating system said.
        detail: String,
    },
    /// There is no room on the disk.
    #[error("no room for the log on the disk: free some space; nothing was lost")]
    DiskFull,
    /// The batch does not follow the last entry.
    #[error("entry {expected} is next in the log, not {found}")]
    OutOfOrder {
        /// The position that is next.
        expected: Vlsn,
        /// The first position of the batch.
        found: Vlsn,
    },
    /// The entry was trimmed away.
    #[error("entries up to {base} have been trimmed from this log")]
    Trimmed {
        /// The last position trimmed.
        base: Vlsn,
    },
    /// The entry is not in the log yet.
    #[error("the log ends at {}", Vlsn::number(*last))]
    NotWritten {
        /// The last position written.
        last: Option<Vlsn>,
    },
    /// The entry had been durable and cannot be read.
    #[error("entry {vlsn} is damaged on disk")]
    Damaged {
        /// The first damaged position.
        vlsn: Vlsn,
    },
    /// A repair does not fit the damage.
    #[error("the entries offered for repair are not the damaged ones")]
    NotTheDamaged,
    /// The directory cannot be used as it is.
    #[error("{reason}")]
    Unusable {
        /// What is wrong and what to do.
        reason: String,
    },
}

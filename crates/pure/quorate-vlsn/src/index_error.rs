/// Why bytes are no index. An index can always be rebuilt from its log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IndexError {
    /// The bytes begin with something else.
    #[error("this is no VLSN index of the kind expected")]
    Magic,
    /// The layout is not known to this version.
    #[error("index layout {found} is unknown to this version: rebuild the index")]
    Version {
        /// The layout's version.
        found: u32,
    },
    /// There are too few or too many bytes for what the index says it holds.
    #[error("the index takes {needed} bytes and has {found}: rebuild it")]
    Length {
        /// Bytes that the index takes.
        needed: u64,
        /// Bytes that there are.
        found: u64,
    },
    /// The bytes are damaged.
    #[error("the index is damaged: rebuild it")]
    Checksum,
    /// Positions are not in order, or no log has them.
    #[error("entry {index} of the index is out of order: rebuild it")]
    OutOfOrder {
        /// The entry, counted from 0.
        index: u32,
    },
}

/// Why bytes are no [`ReadSet`](crate::ReadSet).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadSetError {
    /// The bytes end within the set.
    #[error("the read set ends early")]
    Truncated,
    /// A flag or the kind of an end means nothing.
    #[error(
        "read set flags {found:#04x} are unknown to this version: run a version that knows them on every node"
    )]
    Flags {
        /// The flags.
        found: u8,
    },
    /// A number does not fit, is longer than it need be, or is zero where it cannot be.
    #[error("a read set holds a malformed number")]
    Number,
    /// Points or ranges do not ascend, ranges touch, or a range is empty.
    #[error("a read set's keys are not in order")]
    Order,
    /// Something follows the last range.
    #[error("{count} bytes follow the read set")]
    TrailingBytes {
        /// How many bytes.
        count: usize,
    },
}

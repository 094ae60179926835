use quorate_core::LogError;

/// How a log lays out its files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogConfig {
    /// Length of a segment file in bytes, from [`SEGMENT_BYTES_MIN`](Self::SEGMENT_BYTES_MIN) to
    /// [`SEGMENT_BYTES_MAX`](Self::SEGMENT_BYTES_MAX). Space is taken and given back by the segment: a log
    /// holds two of them at least, one that is being filled and one in reserve. A group of entries that is
    /// longer gets a longer segment of its own. Default: 64 MiB.
    pub segment_bytes: u32,
    /// What tells this log's bytes from those of any other log: a number drawn at random, for instance the
    /// directory's incarnation. It is written into a new log; an existing one keeps its own.
    pub identity: u128,
    /// A rule to break, so that a checker can be seen to notice.
    #[cfg(feature = "mutations")]
    pub mutation: Option<crate::Mutation>,
}

impl LogConfig {
    /// The shortest segment, in bytes.
    pub const SEGMENT_BYTES_MIN: u32 = 4 << 10;
    /// The longest segment, in bytes: 1 GiB.
    pub const SEGMENT_BYTES_MAX: u32 = 1 << 30;

    /// The defaults, for a log with this identity.
    #[must_use]
    pub const fn new(identity: u128) -> Self {
        Self {
            segment_bytes: 64 << 20,
            identity,
            #[cfg(feature = "mutations")]
            mutation: None,
        }
    }

    pub(crate) fn check(&self) -> Result<(), LogError> {
        if (Self::SEGMENT_BYTES_MIN..=Self::SEGMENT_BYTES_MAX).contains(&self.segment_bytes) {
            return Ok(());
        }
        let reason = format!(
            "a segment of {} bytes is out of range: choose {} to {}",
            self.segment_bytes,
            Self::SEGMENT_BYTES_MIN,
            Self::SEGMENT_BYTES_MAX
        );
        Err(LogError::Unusable { reason })
    }
}

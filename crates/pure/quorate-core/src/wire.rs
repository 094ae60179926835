/// How log frames are made shorter on their way to another node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Compression {
    /// They are sent as they stand in the log.
    #[default]
    None,
    /// LZ4: little processor time.
    Lz4,
    /// Zstandard: fewer bytes.
    Zstd,
}

impl Compression {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::None, Self::Lz4, Self::Zstd];

    /// Its name in configuration files and on command lines.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Lz4 => "lz4",
            Self::Zstd => "zstd",
        }
    }
}

/// What the links on which log frames are sent have carried. Every figure only grows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Bytes of the packets sent, heads and bodies, before compression.
    pub stream_bytes_sent: u64,
    /// Bytes of the same packets as they went over the wire.
    pub stream_bytes_on_wire: u64,
}

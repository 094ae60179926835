/// Why bytes are not the encoding of a key of a certain type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// They end before the key does.
    #[error("the bytes end before the key does")]
    Short,
    /// They go on behind the key.
    #[error("{bytes} bytes follow behind the key")]
    Trailing {
        /// How many.
        bytes: usize,
    },
    /// A part has bytes that no value of its type is encoded as.
    #[error("the bytes are not those of a {part}")]
    Invalid {
        /// The part's type, in a word.
        part: &'static str,
    },
}

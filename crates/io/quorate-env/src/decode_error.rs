use crate::KeyError;

/// Why the bytes of a row are not a key and a value of the types asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The key is not one of the type.
    #[error("its key is not a {type_name}: {error}")]
    Key {
        /// The type asked for.
        type_name: &'static str,
        /// What is wrong.
        error: KeyError,
    },
    /// The value is not one of the type.
    #[error("its value is not a {type_name}: {detail}")]
    Value {
        /// The type asked for.
        type_name: &'static str,
        /// What is wrong.
        detail: String,
    },
}

use crate::cli::EncodingArguments;
use bytes::Bytes;
use data_encoding::{BASE64, HEXLOWER, HEXLOWER_PERMISSIVE};
use std::borrow::Cow;
use std::ffi::{OsStr, OsString};

/// How bytes are written as text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// As they are.
    #[default]
    Raw,
    /// Two hexadecimal digits per byte.
    Hex,
    /// Base64, padded.
    Base64,
}

/// A text is not in the encoding that it is said to be in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not {encoding}: {detail}")]
pub struct EncodingError {
    text: String,
    encoding: &'static str,
    detail: String,
}

impl From<EncodingArguments> for Encoding {
    fn from(arguments: EncodingArguments) -> Self {
        match arguments {
            EncodingArguments { hex: true, .. } => Self::Hex,
            EncodingArguments { base64: true, .. } => Self::Base64,
            EncodingArguments { .. } => Self::Raw,
        }
    }
}

impl Encoding {
    /// The text that stands for `bytes`.
    #[must_use]
    pub fn encode(self, bytes: &[u8]) -> Cow<'_, [u8]> {
        match self {
            Self::Raw => Cow::Borrowed(bytes),
            Self::Hex => Cow::Owned(HEXLOWER.encode(bytes).into_bytes()),
            Self::Base64 => Cow::Owned(BASE64.encode(bytes).into_bytes()),
        }
    }

    /// The bytes that `text` stands for.
    ///
    /// # Errors
    /// [`EncodingError`]: it is not in this encoding. Never for [`Raw`](Self::Raw).
    pub fn decode(self, text: &[u8]) -> Result<Bytes, EncodingError> {
        let (codec, encoding) = match self {
            Self::Raw => return Ok(Bytes::copy_from_slice(text)),
            Self::Hex => (HEXLOWER_PERMISSIVE, "hexadecimal"),
            Self::Base64 => (BASE64, "Base64"),
        };
        codec.decode(text).map(Bytes::from).map_err(|error| EncodingError {
            text: shortened(text),
            encoding,
            detail: error.to_string(),
        })
    }

    /// The bytes that a word of the command line stands for.
    pub(crate) fn decode_word(self, word: &OsStr) -> Result<Bytes, EncodingError> {
        self.decode(word.as_encoded_bytes())
    }

    /// As [`decode_word`](Self::decode_word), empty where there is no word.
    pub(crate) fn decode_optional(self, word: Option<&OsString>) -> Result<Bytes, EncodingError> {
        word.map_or_else(|| Ok(Bytes::new()), |word| self.decode_word(word))
    }
}

/// The beginning of a text, to name it.
pub(crate) fn shortened(text: &[u8]) -> String {
    const BYTES_MAX: usize = 40;
    let beginning = String::from_utf8_lossy(&text[..text.len().min(BYTES_MAX)]).into_owned();
    if text.len() > BYTES_MAX { beginning + "..." } else { beginning }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_survive_every_encoding() {
        let bytes: Vec<u8> = (0..=255).collect();
        for encoding in [Encoding::Raw, Encoding::Hex, Encoding::Base64] {
            assert_eq!(encoding.decode(&encoding.encode(&bytes)).unwrap(), bytes);
        }
        assert_eq!(Encoding::Hex.decode(b"0AfF").unwrap(), [0x0a, 0xff][..]);
    }

    #[test]
    fn what_is_not_in_the_encoding_is_named() {
        let error = Encoding::Hex.decode(b"0g").unwrap_err().to_string();
        assert!(error.starts_with("\"0g\" is not hexadecimal"), "{error}");
        let error = Encoding::Base64.decode(b"AP8").unwrap_err().to_string();
        assert!(error.contains("is not Base64"), "{error}");
    }
}

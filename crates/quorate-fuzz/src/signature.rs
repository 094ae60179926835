use quorate_core::Fnv;
use std::fmt::{self, Debug, Write};

/// What an input made a target do, in one number: two inputs with one signature are taken for alike.
///
/// Facts are mixed in as the target goes along. Numbers go in by their magnitude and the texts of errors
/// without their digits, so that there are far fewer signatures than inputs.
#[derive(Clone, Debug, Default)]
pub struct Signature(Fnv);

/// How much of a value's debug text counts, in bytes.
const TEXT_BYTES_MAX: usize = 160;

impl Signature {
    /// Nothing has been seen yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(Fnv::new())
    }

    /// Mixes in what something looks like when printed, its digits left out. For errors and small enums.
    #[must_use]
    pub fn shape(mut self, value: &impl Debug) -> Self {
        let mut shape = Shape { text: Vec::with_capacity(TEXT_BYTES_MAX) };
        // Printing stops with an error when there is enough of it.
        let _ = write!(shape, "{value:?}");
        self.0.write(&shape.text);
        self
    }

    /// Mixes in the magnitude of a number: 0, 1, 2 to 3, 4 to 7 and so on.
    #[must_use]
    pub fn magnitude(mut self, number: u64) -> Self {
        self.0.write_number(u64::from(u64::BITS - number.leading_zeros()));
        self
    }

    /// Mixes in the name of the variant that a value is of. For enums whose fields hold invented text.
    #[must_use]
    pub fn variant(self, value: &impl Debug) -> Self {
        let text = format!("{value:?}");
        let end = text.find(|letter: char| !letter.is_alphanumeric()).unwrap_or(text.len());
        self.word(&text[..end])
    }

    /// Mixes in what a text says to people before and behind all that it quotes, without digits.
    #[must_use]
    pub fn message(self, text: &str) -> Self {
        let mut parts = text.split(['"', '`']);
        let ends = parts.next().into_iter().chain(parts.next_back()).flat_map(str::chars);
        let plain: String = ends.filter(|letter| !letter.is_ascii_digit()).take(TEXT_BYTES_MAX).collect();
        self.word(&plain)
    }

    /// Mixes in a small number as it is, such as a code.
    #[must_use]
    pub fn code(mut self, code: u8) -> Self {
        self.0.write(&[code]);
        self
    }

    /// Mixes in a word.
    #[must_use]
    pub fn word(mut self, word: &str) -> Self {
        self.0.write(word.as_bytes());
        self
    }

    /// The number.
    #[must_use]
    pub const fn finish(&self) -> u128 {
        self.0.finish()
    }
}

/// Takes text in until there is enough of it.
struct Shape {
    text: Vec<u8>,
}

impl Write for Shape {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = TEXT_BYTES_MAX - self.text.len();
        self.text.extend(text.bytes().filter(|byte| !byte.is_ascii_digit()).take(room));
        if self.text.len() < TEXT_BYTES_MAX { Ok(()) } else { Err(fmt::Error) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_count_by_magnitude_and_errors_by_their_words() {
        let of = |number: u64| Signature::new().magnitude(number).finish();
        assert_eq!(of(4), of(7));
        assert_ne!(of(7), of(8));
        let shape = |text: &str| Signature::new().shape(&text).finish();
        assert_eq!(shape("needs 40 bytes"), shape("needs 7 bytes"));
        assert_ne!(shape("needs 40 bytes"), shape("has 40 bytes"));
        assert_eq!(shape(&"x".repeat(500)), shape(&"x".repeat(600)), "a long text counts in part");
        let variant = |value: Result<&str, &str>| Signature::new().variant(&value).finish();
        assert_eq!(variant(Err("this")), variant(Err("that")));
        assert_ne!(variant(Err("this")), variant(Ok("this")));
        let message = |text: &str| Signature::new().message(text).finish();
        assert_eq!(message("line 7: \"get\" is no command"), message("line 1: \"put\" is no command"));
        assert_ne!(message("line 7: \"get\" is no command"), message("line 7: \"get\" takes a key"));
    }
}

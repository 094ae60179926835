//! Strings and byte strings. As a part of a key, a 0 is written as `0 255`, and `0 0` ends the text: it sorts
//! before everything that a longer text can have in its place, and stands nowhere else.

use super::{Key, KeyError, KeyForm, take};

const MARK: u8 = 0;
const END: u8 = 0;
const ESCAPED: u8 = 255;

fn escape(text: &[u8], to: &mut Vec<u8>) {
    to.reserve(text.len() + 2);
    for (number, run) in text.split(|&byte| byte == MARK).enumerate() {
        if number > 0 {
            to.extend_from_slice(&[MARK, ESCAPED]);
        }
        to.extend_from_slice(run);
    }
    to.extend_from_slice(&[MARK, END]);
}

fn unescape(from: &mut &[u8]) -> Result<Vec<u8>, KeyError> {
    let mut text = Vec::new();
    loop {
        let mark = from.iter().position(|&byte| byte == MARK).ok_or(KeyError::Short)?;
        text.extend_from_slice(&from[..mark]);
        *from = &from[mark + 1..];
        match take(from)? {
            [END] => return Ok(text),
            [ESCAPED] => text.push(MARK),
            _ => return Err(KeyError::Invalid { part: "text" }),
        }
    }
}

fn utf8(bytes: Vec<u8>) -> Result<String, KeyError> {
    String::from_utf8(bytes).map_err(|_| KeyError::Invalid { part: "string" })
}

macro_rules! text_form {
    ($key:ty: $($form:ty),*) => {$(
        impl KeyForm<$key> for $form {
            fn encode_part(&self, to: &mut Vec<u8>) {
                escape(AsRef::<[u8]>::as_ref(self), to);
            }

            fn encode_whole(&self, to: &mut Vec<u8>) {
                to.extend_from_slice(AsRef::<[u8]>::as_ref(self));
            }
        }
    )*};
}

text_form!(String: String, str);
text_form!(Vec<u8>: Vec<u8>, [u8]);

impl<const N: usize> KeyForm<Vec<u8>> for [u8; N] {
    fn encode_part(&self, to: &mut Vec<u8>) {
        KeyForm::<Vec<u8>>::encode_part(&self[..], to);
    }

    fn encode_whole(&self, to: &mut Vec<u8>) {
        KeyForm::<Vec<u8>>::encode_whole(&self[..], to);
    }
}

impl Key for String {
    fn decode_part(from: &mut &[u8]) -> Result<Self, KeyError> {
        utf8(unescape(from)?)
    }

    fn decode_whole(from: &[u8]) -> Result<Self, KeyError> {
        utf8(from.to_vec())
    }
}

impl Key for Vec<u8> {
    fn decode_part(from: &mut &[u8]) -> Result<Self, KeyError> {
        unescape(from)
    }

    fn decode_whole(from: &[u8]) -> Result<Self, KeyError> {
        Ok(from.to_vec())
    }
}

impl<const N: usize> KeyForm<Self> for [u8; N] {
    fn encode_part(&self, to: &mut Vec<u8>) {
        to.extend_from_slice(self);
    }
}

impl<const N: usize> Key for [u8; N] {
    fn decode_part(from: &mut &[u8]) -> Result<Self, KeyError> {
        take(from)
    }
}

//! Keys of typed databases: an encoding whose byte order is the order of the values.

mod error;
mod numbers;
mod prefix;
mod range;
mod texts;
mod tuples;

pub use error::KeyError;
pub use prefix::KeyPrefix;
pub(crate) use prefix::{bounds as prefix_bounds, encode as encode_prefix};
pub use range::KeyRange;

/// A type whose values can be the keys of a [`Database`](crate::Database).
///
/// The encoding keeps the order: `a < b` exactly if the bytes of `a` sort before those of `b`. So a scan
/// gives the rows in the order of their keys, and a range of keys is a range of rows. Each value has one
/// encoding, and no other bytes decode to it.
///
/// | type | bytes |
/// |---|---|
/// | `u8` to `u128` | big endian |
/// | `i8` to `i128` | big endian, the sign bit flipped |
/// | `bool` | 0 or 1 |
/// | `char` | its number, as a `u32` |
/// | `String`, `Vec<u8>` | their bytes; in a tuple or an option, each 0 followed by 255, and `0 0` behind |
/// | `[u8; N]` | the bytes themselves |
/// | `Option<K>` | 0, or 1 and the key |
/// | tuples of up to six | their parts, one behind the other |
///
/// A key has 1 to 65,530 bytes: an empty string is none, nor is a longer one.
///
/// # A type of one's own
///
/// ```
/// use quorate_env::{Key, KeyError, KeyForm};
///
/// struct OrderId {
///     shop: String,
///     number: u64,
/// }
///
/// impl KeyForm<OrderId> for OrderId {
///     fn encode_part(&self, to: &mut Vec<u8>) {
///         self.shop.encode_part(to);
///         self.number.encode_part(to);
///     }
/// }
///
/// impl Key for OrderId {
///     fn decode_part(from: &mut &[u8]) -> Result<Self, KeyError> {
///         Ok(Self { shop: String::decode_part(from)?, number: u64::decode_part(from)? })
///     }
/// }
/// ```
pub trait Key: KeyForm<Self> + Sized {
    /// Takes a key that [`encode_part`](KeyForm::encode_part) wrote from the front of `from`.
    ///
    /// # Errors
    /// [`KeyError`] if that is not what `from` begins with. Never panics, whatever the bytes are.
    fn decode_part(from: &mut &[u8]) -> Result<Self, KeyError>;

    /// The key that [`encode_whole`](KeyForm::encode_whole) wrote.
    ///
    /// # Errors
    /// [`KeyError`] if `from` is not such a key. Never panics, whatever the bytes are.
    fn decode_whole(mut from: &[u8]) -> Result<Self, KeyError> {
        let key = Self::decode_part(&mut from)?;
        if from.is_empty() { Ok(key) } else { Err(KeyError::Trailing { bytes: from.len() }) }
    }
}

/// What stands for a key of type `K` where one is asked for: the key itself, or a form that borrows, such as
/// `str` for a `String`, `[u8]` for a `Vec<u8>`, `(&str, u64)` for a `(String, u64)`.
///
/// All forms of one key have the same encoding.
pub trait KeyForm<K> {
    /// Appends the encoding as one part of a key: whatever follows cannot be taken for more of it.
    fn encode_part(&self, to: &mut Vec<u8>);

    /// Appends the encoding as a whole key, behind which nothing follows. The same as a part, but for
    /// strings, which stand for themselves.
    fn encode_whole(&self, to: &mut Vec<u8>) {
        self.encode_part(to);
    }
}

impl<K, Q: KeyForm<K> + ?Sized> KeyForm<K> for &Q {
    fn encode_part(&self, to: &mut Vec<u8>) {
        (**self).encode_part(to);
    }

    fn encode_whole(&self, to: &mut Vec<u8>) {
        (**self).encode_whole(to);
    }
}

/// The bytes under which a key is stored: what a [`Database`](crate::Database) with keys of type `K` calls
/// it in the [`BytesDatabase`](crate::BytesDatabase) below.
#[must_use]
pub fn encode_key<K: Key>(key: &K) -> Vec<u8> {
    whole(key)
}

/// The encoding of a whole key.
pub(crate) fn whole<K, Q: KeyForm<K> + ?Sized>(key: &Q) -> Vec<u8> {
    let mut bytes = Vec::new();
    key.encode_whole(&mut bytes);
    bytes
}

/// Takes the first bytes of an encoded key.
fn take<const N: usize>(from: &mut &[u8]) -> Result<[u8; N], KeyError> {
    let (bytes, rest) = from.split_first_chunk().ok_or(KeyError::Short)?;
    *from = rest;
    Ok(*bytes)
}

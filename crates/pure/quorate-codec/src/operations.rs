use crate::varint::{self, VarintError};
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

/// The largest value in bytes, unless configured otherwise, 16 MiB. Whoever takes a write in checks it.
pub const VALUE_BYTES_MAX_DEFAULT: usize = 16 << 20;
/// The longest name of a database in bytes of UTF-8. Whoever takes a write in checks it.
pub const DATABASE_NAME_BYTES_MAX: usize = 255;

const COUNT_BYTES: usize = size_of::<u32>();
const TAG_PUT: u8 = 1;
const TAG_DELETE: u8 = 2;
const TAG_CREATE_DATABASE: u8 = 3;

const _: () = assert!(VALUE_BYTES_MAX_DEFAULT < crate::PAYLOAD_BYTES_MAX);

/// A database's number in its environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DatabaseId(u32);

impl DatabaseId {
    /// The database with this number.
    #[must_use]
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// The database's number.
    #[must_use]
    pub const fn as_u32(self) -> u32 {
        self.0
    }
}

impl fmt::Display for DatabaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// One change of an environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation<'a> {
    /// Sets a key.
    Put {
        /// In which database.
        database: DatabaseId,
        /// The key.
        key: &'a [u8],
        /// Its new value.
        value: &'a [u8],
    },
    /// Removes a key, if it is there.
    Delete {
        /// From which database.
        database: DatabaseId,
        /// The key.
        key: &'a [u8],
    },
    /// Makes a database, if there is none of that name.
    CreateDatabase {
        /// Its name.
        name: &'a str,
    },
}

/// Operations that take effect together or not at all, encoded as they are added.
///
/// A count (`u32`, little endian) and as many operations: a tag, then numbers and lengths as variable-length
/// integers, each length before its bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct WriteBatch {
    encoded: Vec<u8>,
    count: u32,
}

impl WriteBatch {
    /// No operation.
    #[must_use]
    pub fn new() -> Self {
        Self { encoded: vec![0; COUNT_BYTES], count: 0 }
    }

    /// Adds setting a key.
    ///
    /// # Panics
    /// As every method that adds: if a field is 4 GiB long or more, or there are 2^32 operations. The caller
    /// has checked its limits.
    pub fn put(&mut self, database: DatabaseId, key: &[u8], value: &[u8]) {
        self.begin(TAG_PUT);
        varint::put(&mut self.encoded, database.0);
        self.field(key);
        self.field(value);
    }

    /// Adds removing a key.
    ///
    /// # Panics
    /// As [`put`](Self::put).
    pub fn delete(&mut self, database: DatabaseId, key: &[u8]) {
        self.begin(TAG_DELETE);
        varint::put(&mut self.encoded, database.0);
        self.field(key);
    }

    /// Adds making a database.
    ///
    /// # Panics
    /// As [`put`](Self::put).
    pub fn create_database(&mut self, name: &str) {
        self.begin(TAG_CREATE_DATABASE);
        self.field(name.as_bytes());
    }

    /// How many operations there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.count as usize
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Length of the encoded operations in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.encoded.len()
    }

    /// The encoded operations, for [`Operations::new`].
    #[must_use]
    pub fn encoded(&self) -> &[u8] {
        &self.encoded
    }

    /// Drops all operations and keeps the memory.
    pub fn clear(&mut self) {
        self.encoded.truncate(COUNT_BYTES);
        self.set_count(0);
    }

    fn begin(&mut self, tag: u8) {
        self.set_count(self.count.checked_add(1).expect("operations are limited before they get here"));
        self.encoded.push(tag);
    }

    fn set_count(&mut self, count: u32) {
        self.count = count;
        self.encoded[..COUNT_BYTES].copy_from_slice(&count.to_le_bytes());
    }

    fn field(&mut self, field: &[u8]) {
        let length = u32::try_from(field.len()).expect("fields are limited before they get here");
        varint::put(&mut self.encoded, length);
        self.encoded.extend_from_slice(field);
    }
}

impl Default for WriteBatch {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for WriteBatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{} operations, {} B]", self.count, self.encoded.len())
    }
}

/// Why bytes are no list of operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OperationError {
    /// The bytes end before the operations do.
    #[error("the operations end early: {missing} more were announced")]
    Truncated {
        /// Operations that are cut off or not there at all.
        missing: u32,
    },
    /// The kind of operation is unknown.
    #[error("operation tag {found} is unknown to this version: run a version that knows it on every node")]
    Tag {
        /// The tag.
        found: u8,
    },
    /// A number does not fit 32 bits, or is longer than it need be.
    #[error("an operation holds a malformed number")]
    Number,
    /// A database's name is not UTF-8.
    #[error("a database's name is not UTF-8")]
    Name,
    /// Something follows the last operation.
    #[error("{count} bytes follow the last operation")]
    TrailingBytes {
        /// How many bytes.
        count: usize,
    },
}

/// The operations of an encoded [`WriteBatch`], which nobody trusts, in order.
///
/// An error is the last item. It condemns the whole list: whoever applies operations reads all of them first.
#[derive(Clone, Debug)]
pub struct Operations<'a> {
    rest: &'a [u8],
    remaining: u32,
    finished: bool,
}

impl<'a> Operations<'a> {
    /// Reads the operations that `encoded` holds.
    #[must_use]
    pub fn new(encoded: &'a [u8]) -> Self {
        match encoded.split_first_chunk() {
            Some((count, rest)) => Self { rest, remaining: u32::from_le_bytes(*count), finished: false },
            // The count itself is cut off, so at least one operation cannot be told to be absent.
            None => Self { rest: &[], remaining: 1, finished: false },
        }
    }

    fn take_operation(&mut self) -> Result<Operation<'a>, OperationError> {
        let truncated = OperationError::Truncated { missing: self.remaining };
        let (tag, rest) = self.rest.split_first().ok_or(truncated)?;
        self.rest = rest;
        let operation = match *tag {
            TAG_PUT => Operation::Put {
                database: DatabaseId(self.take_number()?),
                key: self.take_field()?,
                value: self.take_field()?,
            },
            TAG_DELETE => {
                Operation::Delete { database: DatabaseId(self.take_number()?), key: self.take_field()? }
            }
            TAG_CREATE_DATABASE => Operation::CreateDatabase {
                name: core::str::from_utf8(self.take_field()?).map_err(|_| OperationError::Name)?,
            },
            found => return Err(OperationError::Tag { found }),
        };
        self.remaining -= 1;
        Ok(operation)
    }

    fn take_number(&mut self) -> Result<u32, OperationError> {
        varint::take(&mut self.rest).map_err(|error| match error {
            VarintError::Truncated => OperationError::Truncated { missing: self.remaining },
            VarintError::Malformed => OperationError::Number,
        })
    }

    fn take_field(&mut self) -> Result<&'a [u8], OperationError> {
        let length = self.take_number()? as usize;
        let (field, rest) = self
            .rest
            .split_at_checked(length)
            .ok_or(OperationError::Truncated { missing: self.remaining })?;
        self.rest = rest;
        Ok(field)
    }
}

impl<'a> Iterator for Operations<'a> {
    type Item = Result<Operation<'a>, OperationError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.finished {
            return None;
        }
        if self.remaining == 0 {
            self.finished = true;
            let count = self.rest.len();
            return (count > 0).then_some(Err(OperationError::TrailingBytes { count }));
        }
        let item = self.take_operation();
        self.finished = item.is_err();
        Some(item)
    }
}

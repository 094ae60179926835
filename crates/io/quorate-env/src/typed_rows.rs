use crate::{DecodeError, Key, ReadError, Rows, value};
use bytes::Bytes;
use serde::de::DeserializeOwned;
use std::any::type_name;
use std::marker::PhantomData;
use std::sync::Arc;

/// The rows of a scan of a typed database, in key order or, with [`rev`](Iterator::rev), backwards; all from
/// one snapshot.
///
/// A row that cannot be decoded is an error in its place ([`ReadError::Decode`]), and the others follow. It
/// ends after any other error.
pub struct TypedRows<K, V> {
    rows: Rows,
    database: Arc<str>,
    types: PhantomData<fn() -> (K, V)>,
}

impl<K: Key, V: DeserializeOwned> TypedRows<K, V> {
    pub(crate) const fn new(rows: Rows, database: Arc<str>) -> Self {
        Self { rows, database, types: PhantomData }
    }

    fn decode(&self, row: Result<(Bytes, Bytes), ReadError>) -> Result<(K, V), ReadError> {
        let (key, value) = row?;
        decode_row(&self.database, &key, &value)
    }
}

/// A row of a database of this name.
pub(crate) fn decode_row<K: Key, V: DeserializeOwned>(
    database: &Arc<str>,
    key: &[u8],
    value: &[u8],
) -> Result<(K, V), ReadError> {
    let decoded = decode_key(key).map_err(|error| ReadError::decode(database, key, error))?;
    Ok((decoded, decode_value(database, key, value)?))
}

/// The value of a key of a database of this name.
pub(crate) fn decode_value<V: DeserializeOwned>(
    database: &Arc<str>,
    key: &[u8],
    value: &[u8],
) -> Result<V, ReadError> {
    value::decode(value).map_err(|error| ReadError::decode(database, key, error))
}

fn decode_key<K: Key>(key: &[u8]) -> Result<K, DecodeError> {
    K::decode_whole(key).map_err(|error| DecodeError::Key { type_name: type_name::<K>(), error })
}

impl<K: Key, V: DeserializeOwned> Iterator for TypedRows<K, V> {
    type Item = Result<(K, V), ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        let row = self.rows.next()?;
        Some(self.decode(row))
    }
}

impl<K: Key, V: DeserializeOwned> DoubleEndedIterator for TypedRows<K, V> {
    fn next_back(&mut self) -> Option<Self::Item> {
        let row = self.rows.next_back()?;
        Some(self.decode(row))
    }
}

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
        let decode = || Ok((decode_key(&key)?, value::decode(&value)?));
        decode().map_err(|error| ReadError::decode(&self.database, &key, error))
    }
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

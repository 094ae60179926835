use super::{Transaction, TransactionError};
use crate::{Database, Key, KeyForm, KeyRange, key, typed_rows, value};
use serde::Serialize;
use serde::de::DeserializeOwned;

impl Transaction {
    /// The value of a key, if it is there.
    ///
    /// # Errors
    /// As [`get_bytes`](Self::get_bytes); [`TransactionError::Read`] also if the value is not one of type
    /// `V`.
    pub fn get<K, V, Q>(&self, database: &Database<K, V>, key: &Q) -> Result<Option<V>, TransactionError>
    where
        K: Key,
        V: DeserializeOwned,
        Q: KeyForm<K> + ?Sized,
    {
        let key = key::whole(key);
        let value = self.get_bytes(database.bytes(), &key)?;
        let name = database.bytes().shared_name();
        Ok(value.map(|value| typed_rows::decode_value(name, &key, &value)).transpose()?)
    }

    /// Sets a key.
    ///
    /// # Errors
    /// As [`put_bytes`](Self::put_bytes); [`TransactionError::Write`] also if the value cannot be encoded.
    pub fn put<K, V, Q>(&self, database: &Database<K, V>, key: &Q, value: &V) -> Result<(), TransactionError>
    where
        K: Key,
        V: Serialize,
        Q: KeyForm<K> + ?Sized,
    {
        self.put_bytes(database.bytes(), &key::whole(key), &value::encode(value)?)
    }

    /// Removes a key, if it is there.
    ///
    /// # Errors
    /// As [`delete_bytes`](Self::delete_bytes).
    pub fn delete<K, V, Q>(&self, database: &Database<K, V>, key: &Q) -> Result<(), TransactionError>
    where
        K: Key,
        Q: KeyForm<K> + ?Sized,
    {
        self.delete_bytes(database.bytes(), &key::whole(key))
    }

    /// The rows of a database whose keys lie in a range, in key order, as [`scan_bytes`](Self::scan_bytes)
    /// gives them. A row that cannot be decoded is an error in its place, and the others follow.
    ///
    /// # Errors
    /// As [`scan_bytes`](Self::scan_bytes).
    pub fn scan<K, V>(
        &self,
        database: &Database<K, V>,
        range: impl KeyRange<K>,
    ) -> Result<impl Iterator<Item = Result<(K, V), TransactionError>>, TransactionError>
    where
        K: Key,
        V: DeserializeOwned,
    {
        let name = database.bytes().shared_name();
        let rows = self.rows(database.bytes(), range.key_bounds())?;
        Ok(rows.map(move |row| {
            let (key, value) = row?;
            Ok(typed_rows::decode_row(name, &key, &value)?)
        }))
    }
}

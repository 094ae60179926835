use crate::{
    BytesDatabase, Commit, DatabaseId, Key, KeyForm, KeyPrefix, KeyRange, ReadError, TypedRows, WriteError,
};
use crate::{key, value};
use bytes::Bytes;
use quorate_policy::{CommitDurability, ConsistencyPolicy};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::marker::PhantomData;

/// One database of an environment, with keys of type `K` and values of type `V`. Clones are the same
/// database.
///
/// Rows lie in the order of their keys ([`Key`]). Values are kept as MessagePack with the names of their
/// fields, so that a type can change under the rows that are there: a field that `#[serde(default)]` fills
/// in may be added, and any may be left out. An option of an option is one option in there.
///
/// The types are not stored: whoever opens a database with others finds that its rows cannot be decoded, and
/// is told so row by row. Reads take a policy, or `None` for the environment's own.
pub struct Database<K, V> {
    bytes: BytesDatabase,
    types: PhantomData<fn() -> (K, V)>,
}

impl<K, V> Database<K, V> {
    pub(crate) const fn new(bytes: BytesDatabase) -> Self {
        Self { bytes, types: PhantomData }
    }

    /// The database's name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.bytes.name()
    }

    /// The database's number.
    #[must_use]
    pub const fn id(&self) -> DatabaseId {
        self.bytes.id()
    }

    /// The same database with keys and values as they are stored.
    #[must_use]
    pub const fn bytes(&self) -> &BytesDatabase {
        &self.bytes
    }
}

impl<K, V: DeserializeOwned> Database<K, V> {
    /// The value of a row that was read.
    pub(crate) fn decode(&self, key: &[u8], value: Option<Bytes>) -> Result<Option<V>, ReadError> {
        let decoded = value.map(|value| value::decode(&value)).transpose();
        decoded.map_err(|error| ReadError::decode(self.bytes.shared_name(), key, error))
    }
}

impl<K: Key, V: Serialize + DeserializeOwned> Database<K, V> {
    /// A row as it is stored, for [`import`](crate::Environment::import) or a
    /// [`WriteBatch`](crate::WriteBatch).
    ///
    /// # Errors
    /// [`WriteError::ValueEncoding`] if the value cannot be encoded.
    pub fn encode_row<Q: KeyForm<K> + ?Sized>(
        &self,
        key: &Q,
        value: &V,
    ) -> Result<(Vec<u8>, Vec<u8>), WriteError> {
        Ok((key::whole(key), value::encode(value)?))
    }

    /// Sets a key, as durably as the environment says. The commit fails with
    /// [`WriteError::ValueEncoding`] if the value cannot be encoded.
    pub fn put<Q: KeyForm<K> + ?Sized>(&self, key: &Q, value: &V) -> Commit {
        match value::encode(value) {
            Ok(value) => self.bytes.put(&key::whole(key), &value),
            Err(error) => Commit::refused(error),
        }
    }

    /// As [`put`](Self::put), as durably as said.
    pub fn put_with<Q: KeyForm<K> + ?Sized>(
        &self,
        key: &Q,
        value: &V,
        durability: CommitDurability,
    ) -> Commit {
        match value::encode(value) {
            Ok(value) => self.bytes.put_with(&key::whole(key), &value, durability),
            Err(error) => Commit::refused(error),
        }
    }

    /// Removes a key, if it is there, as durably as the environment says.
    pub fn delete<Q: KeyForm<K> + ?Sized>(&self, key: &Q) -> Commit {
        self.bytes.delete(&key::whole(key))
    }

    /// As [`delete`](Self::delete), as durably as said.
    pub fn delete_with<Q: KeyForm<K> + ?Sized>(&self, key: &Q, durability: CommitDurability) -> Commit {
        self.bytes.delete_with(&key::whole(key), durability)
    }

    /// The value of a key, if it is there. Blocks as long as the policy waits.
    ///
    /// # Errors
    /// [`ReadError`]; [`ReadError::Decode`] if the value is not one of type `V`.
    pub fn get<Q: KeyForm<K> + ?Sized>(
        &self,
        key: &Q,
        policy: impl Into<Option<ConsistencyPolicy>>,
    ) -> Result<Option<V>, ReadError> {
        let key = key::whole(key);
        self.decode(&key, self.bytes.get(&key, policy)?)
    }

    /// The rows whose keys lie in a range, in key order, all from one moment; backwards with
    /// [`rev`](Iterator::rev). Blocks as long as the policy waits.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn scan(
        &self,
        range: impl KeyRange<K>,
        policy: impl Into<Option<ConsistencyPolicy>>,
    ) -> Result<TypedRows<K, V>, ReadError> {
        Ok(self.bytes.begin(policy).wait()?.scan(self, range))
    }

    /// The rows whose keys begin with `prefix`, as [`scan`](Self::scan) gives them.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn scan_prefix<P: KeyPrefix<K> + ?Sized>(
        &self,
        prefix: &P,
        policy: impl Into<Option<ConsistencyPolicy>>,
    ) -> Result<TypedRows<K, V>, ReadError> {
        Ok(self.bytes.begin(policy).wait()?.scan_prefix(self, prefix))
    }
}

/// Of no matter what types.
impl<K, V> Clone for Database<K, V> {
    fn clone(&self) -> Self {
        Self::new(self.bytes.clone())
    }
}

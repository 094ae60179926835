use std::error::Error;

/// A row on its way into a database: a key and a value, or a result of them from a source that can fail.
pub trait ImportRow {
    /// The key's bytes.
    type Key: AsRef<[u8]>;
    /// The value's bytes.
    type Value: AsRef<[u8]>;

    /// Key and value.
    ///
    /// # Errors
    /// What the source says.
    fn into_row(self) -> Result<(Self::Key, Self::Value), Box<dyn Error + Send + Sync>>;
}

impl<K: AsRef<[u8]>, V: AsRef<[u8]>> ImportRow for (K, V) {
    type Key = K;
    type Value = V;

    fn into_row(self) -> Result<Self, Box<dyn Error + Send + Sync>> {
        Ok(self)
    }
}

impl<K, V, E> ImportRow for Result<(K, V), E>
where
    K: AsRef<[u8]>,
    V: AsRef<[u8]>,
    E: Into<Box<dyn Error + Send + Sync>>,
{
    type Key = K;
    type Value = V;

    fn into_row(self) -> Result<(K, V), Box<dyn Error + Send + Sync>> {
        self.map_err(Into::into)
    }
}

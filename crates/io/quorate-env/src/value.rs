//! Values of typed databases: MessagePack with the names of the fields.

use crate::{DecodeError, WriteError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::any::type_name;

pub(crate) fn encode<V: Serialize>(value: &V) -> Result<Vec<u8>, WriteError> {
    rmp_serde::to_vec_named(value)
        .map_err(|error| WriteError::ValueEncoding { type_name: type_name::<V>(), detail: error.to_string() })
}

pub(crate) fn decode<V: DeserializeOwned>(bytes: &[u8]) -> Result<V, DecodeError> {
    let failed = |detail| DecodeError::Value { type_name: type_name::<V>(), detail };
    let mut decoder = rmp_serde::Deserializer::new(bytes);
    let value = V::deserialize(&mut decoder).map_err(|error| failed(error.to_string()))?;
    match decoder.into_inner() {
        [] => Ok(value),
        rest => Err(failed(format!("{} bytes follow behind it", rest.len()))),
    }
}

use data_encoding::BASE64;
use serde_json::{Map, Value};
use std::str;

/// Puts bytes into a JSON object: under `name` if they are text, else as Base64 under `name_base64`.
pub(crate) fn insert_bytes(object: &mut Map<String, Value>, name: &str, bytes: &[u8]) {
    match str::from_utf8(bytes) {
        Ok(text) => object.insert(name.to_owned(), text.into()),
        Err(_) => object.insert(format!("{name}_base64"), BASE64.encode(bytes).into()),
    };
}

/// A row as a JSON object.
pub(crate) fn row(key: &[u8], value: &[u8]) -> Map<String, Value> {
    let mut object = Map::new();
    insert_bytes(&mut object, "key", key);
    insert_bytes(&mut object, "value", value);
    object
}

use super::{Lines, Row, RowError, RowSink};
use crate::commands::json;
use bytes::Bytes;
use data_encoding::BASE64;
use serde_json::{Map, Value};
use std::io::{BufRead, Write};

/// Rows from lines with a JSON object each: `key` and `value`, or `key_base64` and `value_base64`.
pub struct JsonRows<R>(Lines<R>);

impl<R: BufRead> JsonRows<R> {
    /// The rows of a text.
    pub const fn new(source: R) -> Self {
        Self(Lines::new(source))
    }

    fn row(&self, line: &[u8], source_bytes: u64) -> Result<Row, RowError> {
        let refused = |detail| RowError::Json { line: self.0.number, detail };
        let mut object: Map<String, Value> =
            serde_json::from_slice(line).map_err(|error| refused(error.to_string()))?;
        let key = take_bytes(&mut object, "key").map_err(refused)?;
        let value = take_bytes(&mut object, "value").map_err(refused)?;
        if let Some(name) = object.keys().next() {
            return Err(refused(format!("the field {name:?} is unknown")));
        }
        if key.is_empty() {
            return Err(RowError::EmptyKey { line: self.0.number });
        }
        Ok(Row { key, value, source_bytes })
    }
}

fn take_bytes(object: &mut Map<String, Value>, name: &str) -> Result<Bytes, String> {
    let encoded_name = format!("{name}_base64");
    match (object.remove(name), object.remove(&encoded_name)) {
        (Some(Value::String(text)), None) => Ok(text.into()),
        (None, Some(Value::String(text))) => {
            let bytes = BASE64.decode(text.as_bytes());
            bytes.map(Bytes::from).map_err(|error| format!("{encoded_name} is not Base64: {error}"))
        }
        (None, None) => Err(format!("there is no {name}")),
        (Some(_), Some(_)) => Err(format!("there are both {name} and {encoded_name}")),
        _ => Err(format!("{name} is no string")),
    }
}

impl<R: BufRead> Iterator for JsonRows<R> {
    type Item = Result<Row, RowError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.0.next() {
                Ok(None) => return None,
                Ok(Some((line, _))) if line.trim_ascii().is_empty() => {}
                Ok(Some((line, bytes))) => return Some(self.row(&line, bytes)),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

/// Writes a JSON object per line.
pub struct JsonSink<W>(W);

impl<W: Write> JsonSink<W> {
    /// Rows are written to `sink`.
    pub const fn new(sink: W) -> Self {
        Self(sink)
    }
}

impl<W: Write> RowSink for JsonSink<W> {
    fn add(&mut self, key: &[u8], value: &[u8]) -> Result<(), RowError> {
        let row = Value::from(json::row(key, value));
        writeln!(self.0, "{row}").map_err(|source| RowError::Unwritable { place: "a row".to_owned(), source })
    }

    fn finish(&mut self) -> Result<(), RowError> {
        self.0.flush().map_err(|source| RowError::Unwritable { place: "the last rows".to_owned(), source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8]) -> Result<Vec<(Bytes, Bytes)>, RowError> {
        JsonRows::new(text).map(|row| row.map(|row| (row.key, row.value))).collect()
    }

    #[test]
    fn rows_that_were_written_are_read_again_whatever_bytes_they_hold() {
        let rows = [("a\t\n\"", Bytes::from_static(b"\xff\x00")), ("b", Bytes::from_static(b"text"))];
        let mut text = Vec::new();
        let mut sink = JsonSink::new(&mut text);
        for (key, value) in &rows {
            sink.add(key.as_bytes(), value).unwrap();
        }
        sink.finish().unwrap();
        let expected = rows.map(|(key, value)| (Bytes::from(key), value));
        assert_eq!(read(&text).unwrap(), expected);
        assert!(text.ends_with(b"{\"key\":\"b\",\"value\":\"text\"}\n"));
    }

    #[test]
    fn a_bad_line_is_named_by_its_number() {
        for (line, words) in [
            ("[]", "line 2: invalid type"),
            ("{\"key\":\"a\"}", "line 2: there is no value"),
            ("{\"key\":1,\"value\":\"\"}", "line 2: key is no string"),
            ("{\"key\":\"a\",\"key_base64\":\"\",\"value\":\"\"}", "line 2: there are both"),
            ("{\"key_base64\":\"=\",\"value\":\"\"}", "line 2: key_base64 is not Base64"),
            ("{\"key\":\"a\",\"value\":\"\",\"ttl\":1}", "line 2: the field \"ttl\" is unknown"),
            ("{\"key\":\"\",\"value\":\"\"}", "line 2: the key is empty"),
            ("{\"key\":\"\\ud800\",\"value\":\"\"}", "line 2: "),
        ] {
            let error = read(format!("\n{line}\n").as_bytes()).unwrap_err().to_string();
            assert!(error.starts_with(words), "{error}");
        }
        assert!(read(b"{\"key\":\"\xff\",\"value\":\"\"}").is_err());
    }
}

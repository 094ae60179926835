use super::{Lines, Row, RowError, RowSink};
use crate::Encoding;
use crate::encoding::shortened;
use bytes::Bytes;
use std::io::{BufRead, Write};

/// Rows from lines of `key<TAB>value`. Only the first tab of a line divides it.
pub struct TsvRows<R> {
    lines: Lines<R>,
    encoding: Encoding,
}

impl<R: BufRead> TsvRows<R> {
    /// The rows of a text whose keys and values are in an encoding.
    pub const fn new(source: R, encoding: Encoding) -> Self {
        Self { lines: Lines::new(source), encoding }
    }

    fn row(&self, line: &[u8], source_bytes: u64) -> Result<Row, RowError> {
        let number = self.lines.number;
        let tab = line.iter().position(|byte| *byte == b'\t').ok_or(RowError::NoTab { line: number })?;
        let decode = |text: &[u8]| -> Result<Bytes, RowError> {
            self.encoding.decode(text).map_err(|source| RowError::Encoding { line: number, source })
        };
        let (key, value) = (decode(&line[..tab])?, decode(&line[tab + 1..])?);
        if key.is_empty() {
            return Err(RowError::EmptyKey { line: number });
        }
        Ok(Row { key, value, source_bytes })
    }
}

impl<R: BufRead> Iterator for TsvRows<R> {
    type Item = Result<Row, RowError>;

    fn next(&mut self) -> Option<Self::Item> {
        let (line, bytes) = match self.lines.next() {
            Ok(found) => found?,
            Err(error) => return Some(Err(error)),
        };
        Some(self.row(&line, bytes))
    }
}

/// Writes lines of `key<TAB>value`.
pub struct TsvSink<W> {
    sink: W,
    encoding: Encoding,
}

impl<W: Write> TsvSink<W> {
    /// Rows are written to `sink`, keys and values in an encoding.
    pub const fn new(sink: W, encoding: Encoding) -> Self {
        Self { sink, encoding }
    }
}

impl<W: Write> RowSink for TsvSink<W> {
    fn add(&mut self, key: &[u8], value: &[u8]) -> Result<(), RowError> {
        let (key, value) = (self.encoding.encode(key), self.encoding.encode(value));
        if key.iter().any(|byte| matches!(byte, b'\t' | b'\n')) || value.contains(&b'\n') {
            return Err(RowError::NoLine { key: shortened(&key) });
        }
        self.sink
            .write_all(&key)
            .and_then(|()| self.sink.write_all(b"\t"))
            .and_then(|()| self.sink.write_all(&value))
            .and_then(|()| self.sink.write_all(b"\n"))
            .map_err(|source| RowError::Unwritable { place: "a row".to_owned(), source })
    }

    fn finish(&mut self) -> Result<(), RowError> {
        self.sink.flush().map_err(|source| RowError::Unwritable { place: "the last rows".to_owned(), source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8], encoding: Encoding) -> Result<Vec<(Bytes, Bytes)>, RowError> {
        TsvRows::new(text, encoding).map(|row| row.map(|row| (row.key, row.value))).collect()
    }

    #[test]
    fn rows_that_were_written_are_read_again_whatever_bytes_they_hold() {
        for encoding in [Encoding::Hex, Encoding::Base64] {
            let mut text = Vec::new();
            let mut sink = TsvSink::new(&mut text, encoding);
            sink.add(b"a\tb\n", b"\xff\n").unwrap();
            sink.finish().unwrap();
            let rows = read(&text, encoding).unwrap();
            assert_eq!(rows, [(Bytes::from_static(b"a\tb\n"), Bytes::from_static(b"\xff\n"))]);
        }
    }

    #[test]
    fn a_row_that_lines_cannot_hold_is_refused() {
        let mut sink = TsvSink::new(Vec::new(), Encoding::Raw);
        sink.add(b"a", b"1\t2").unwrap();
        for (key, value) in [(&b"a\tb"[..], &b"1"[..]), (b"a\n", b"1"), (b"a", b"1\n")] {
            assert!(matches!(sink.add(key, value), Err(RowError::NoLine { .. })));
        }
    }

    #[test]
    fn a_bad_line_is_named_by_its_number() {
        for (text, words) in
            [(&b"a\t1\nb\n"[..], "line 2 has no tab"), (b"a\t1\n\t2\n", "line 2: the key is empty")]
        {
            let error = read(text, Encoding::Raw).unwrap_err().to_string();
            assert!(error.starts_with(words), "{error}");
        }
        let error = read(b"zz\t00\n", Encoding::Hex).unwrap_err().to_string();
        assert!(error.starts_with("line 1: \"zz\" is not hexadecimal"), "{error}");
    }
}

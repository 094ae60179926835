use crate::ReadError;
use crate::kv::DatabaseSnapshot;
use bytes::Bytes;
use quorate_codec::DatabaseId;
use quorate_core::KvRow;
use std::collections::VecDeque;
use std::ops::Bound;

/// The rows of a scan, in key order, all from one snapshot. It ends after the first error.
///
/// Rows are read a page at a time, so that a scan of any length takes little memory.
pub struct Rows {
    databases: DatabaseSnapshot,
    database: DatabaseId,
    start: Bound<Vec<u8>>,
    end: Bound<Vec<u8>>,
    page: VecDeque<KvRow>,
    is_complete: bool,
}

/// A page has so many rows, or bytes, at most; one row at least.
const PAGE_ROWS_MAX: usize = 256;
const PAGE_BYTES_MAX: usize = 1 << 20;

impl Rows {
    pub(crate) const fn new(
        databases: DatabaseSnapshot,
        database: DatabaseId,
        start: Bound<Vec<u8>>,
        end: Bound<Vec<u8>>,
    ) -> Self {
        Self { databases, database, start, end, page: VecDeque::new(), is_complete: false }
    }

    fn read_page(&mut self) -> Result<(), ReadError> {
        let (start, end) = (self.start.as_ref().map(Vec::as_slice), self.end.as_ref().map(Vec::as_slice));
        let mut rows = self.databases.scan(self.database, start, end)?;
        let mut bytes = 0;
        while self.page.len() < PAGE_ROWS_MAX && bytes < PAGE_BYTES_MAX {
            let Some(row) = rows.next().transpose()? else {
                self.is_complete = true;
                break;
            };
            bytes += row.0.len() + row.1.len();
            self.page.push_back(row);
        }
        drop(rows);
        if let Some((key, _)) = self.page.back() {
            self.start = Bound::Excluded(key.to_vec());
        }
        Ok(())
    }
}

impl Iterator for Rows {
    type Item = Result<(Bytes, Bytes), ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.page.is_empty()
            && !self.is_complete
            && let Err(error) = self.read_page()
        {
            self.is_complete = true;
            self.page.clear();
            return Some(Err(error));
        }
        self.page.pop_front().map(Ok)
    }
}

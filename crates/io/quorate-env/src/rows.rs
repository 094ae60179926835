use crate::ReadError;
use crate::kv::DatabaseSnapshot;
use bytes::Bytes;
use quorate_codec::DatabaseId;
use quorate_core::{EngineError, KvRow, KvScan};
use std::collections::VecDeque;
use std::ops::Bound;

/// The rows of a scan, in key order or, with [`rev`](Iterator::rev), backwards; all from one snapshot. It
/// ends after the first error.
///
/// Rows are read a page at a time, so that a scan of any length takes little memory, and one that is soon
/// left costs little.
pub struct Rows {
    databases: DatabaseSnapshot,
    database: DatabaseId,
    /// Between these two lies what has not been read.
    start: Bound<Vec<u8>>,
    end: Bound<Vec<u8>>,
    /// The rows before `start` that are yet to be given out, and those behind `end`.
    front: VecDeque<KvRow>,
    back: VecDeque<KvRow>,
    page_rows: usize,
    is_complete: bool,
}

/// The first page has so many rows at most; each one after it, four times as many.
const FIRST_PAGE_ROWS: usize = 16;
const PAGE_ROWS_MAX: usize = 256;
/// A page ends with the row that makes it this long.
const PAGE_BYTES_MAX: usize = 1 << 20;

impl Rows {
    pub(crate) const fn new(
        databases: DatabaseSnapshot,
        database: DatabaseId,
        start: Bound<Vec<u8>>,
        end: Bound<Vec<u8>>,
    ) -> Self {
        Self {
            databases,
            database,
            start,
            end,
            front: VecDeque::new(),
            back: VecDeque::new(),
            page_rows: FIRST_PAGE_ROWS,
            is_complete: false,
        }
    }

    fn read_front(&mut self) -> Result<(), ReadError> {
        let (start, end) = (borrowed(&self.start), borrowed(&self.end));
        let rows = self.databases.scan(self.database, start, end)?;
        self.is_complete = fill(&mut self.front, rows, self.page_rows)?;
        if let Some((key, _)) = self.front.back() {
            self.start = Bound::Excluded(key.to_vec());
        }
        self.grow();
        Ok(())
    }

    fn read_back(&mut self) -> Result<(), ReadError> {
        let (start, end) = (borrowed(&self.start), borrowed(&self.end));
        let rows = self.databases.scan_back(self.database, start, end)?;
        self.is_complete = fill(&mut self.back, rows, self.page_rows)?;
        if let Some((key, _)) = self.back.back() {
            self.end = Bound::Excluded(key.to_vec());
        }
        self.grow();
        Ok(())
    }

    fn grow(&mut self) {
        self.page_rows = (self.page_rows * 4).min(PAGE_ROWS_MAX);
    }

    fn fail(&mut self, error: ReadError) -> Result<KvRow, ReadError> {
        self.is_complete = true;
        self.front.clear();
        self.back.clear();
        Err(error)
    }
}

impl Iterator for Rows {
    type Item = Result<(Bytes, Bytes), ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.front.is_empty()
            && !self.is_complete
            && let Err(error) = self.read_front()
        {
            return Some(self.fail(error));
        }
        self.front.pop_front().or_else(|| self.back.pop_back()).map(Ok)
    }
}

impl DoubleEndedIterator for Rows {
    fn next_back(&mut self) -> Option<Self::Item> {
        if self.back.is_empty()
            && !self.is_complete
            && let Err(error) = self.read_back()
        {
            return Some(self.fail(error));
        }
        self.back.pop_front().or_else(|| self.front.pop_back()).map(Ok)
    }
}

fn borrowed(bound: &Bound<Vec<u8>>) -> Bound<&[u8]> {
    bound.as_ref().map(Vec::as_slice)
}

/// Puts the next rows into an empty page, in the order in which they come; true if there are no more.
fn fill(page: &mut VecDeque<KvRow>, mut rows: KvScan<'_>, rows_max: usize) -> Result<bool, EngineError> {
    let mut bytes = 0;
    while page.len() < rows_max && bytes < PAGE_BYTES_MAX {
        let Some((key, value)) = rows.next().transpose()? else { return Ok(true) };
        bytes += key.len() + value.len();
        page.push_back((key, value));
    }
    Ok(false)
}

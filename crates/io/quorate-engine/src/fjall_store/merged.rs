use super::memtable::Row;
use bytes::Bytes;
use quorate_core::{EngineError, KvRow};
use std::cmp::Ordering;
use std::iter::Peekable;
use std::{slice, vec};

/// Which way rows are gone through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Ascending,
    Descending,
}

impl Order {
    fn compare<K: Ord + ?Sized>(self, a: &K, b: &K) -> Ordering {
        match self {
            Self::Ascending => a.cmp(b),
            Self::Descending => b.cmp(a),
        }
    }

    const fn first(self, rows: &[Row]) -> Option<&Row> {
        match self {
            Self::Ascending => rows.first(),
            Self::Descending => rows.last(),
        }
    }

    fn pass<I: DoubleEndedIterator>(self, rows: &mut I) -> Option<I::Item> {
        match self {
            Self::Ascending => rows.next(),
            Self::Descending => rows.next_back(),
        }
    }
}

/// A run that is gone through from both ends.
pub(super) trait Rest: DoubleEndedIterator {
    /// What is left of it.
    fn rest(&self) -> &[Row];
}

impl Rest for slice::Iter<'_, Row> {
    fn rest(&self) -> &[Row] {
        self.as_slice()
    }
}

impl Rest for vec::IntoIter<Row> {
    fn rest(&self) -> &[Row] {
        self.as_slice()
    }
}

/// The rows of several runs in the order of their keys: of each key the one of the newest run.
pub(super) struct Merged<R> {
    /// The newest first.
    runs: Vec<R>,
    order: Order,
}

impl<R: Rest> Merged<R> {
    pub(super) fn new(runs: impl Iterator<Item = R>, order: Order) -> Self {
        Self { runs: runs.collect(), order }
    }

    /// No more rows than these are left.
    pub(super) fn rows_max(&self) -> usize {
        self.runs.iter().map(|run| run.rest().len()).sum()
    }
}

impl<R: Rest> Iterator for Merged<R> {
    type Item = R::Item;

    fn next(&mut self) -> Option<R::Item> {
        let order = self.order;
        let mut first: Option<usize> = None;
        for index in 0..self.runs.len() {
            let Some(row) = order.first(self.runs[index].rest()) else { continue };
            let found = first.and_then(|found| order.first(self.runs[found].rest()));
            match found.map(|found| order.compare(&*row.key, &*found.key)) {
                // A newer run has the same key, whose turn comes, if not now, then later.
                Some(Ordering::Equal) => drop(order.pass(&mut self.runs[index])),
                Some(Ordering::Greater) => {}
                Some(Ordering::Less) | None => first = Some(index),
            }
        }
        order.pass(&mut self.runs[first?])
    }
}

/// The rows of memory and of tables in the order of their keys, without those that were deleted: what memory has of a
/// key is newer.
pub(super) struct Scan<'a, T: Iterator<Item = Result<KvRow, EngineError>>> {
    memory: Peekable<Merged<slice::Iter<'a, Row>>>,
    tables: Peekable<T>,
    order: Order,
    bytes: fn(&byteview::ByteView) -> Bytes,
}

impl<'a, T: Iterator<Item = Result<KvRow, EngineError>>> Scan<'a, T> {
    pub(super) fn new(
        memory: Merged<slice::Iter<'a, Row>>,
        tables: T,
        bytes: fn(&byteview::ByteView) -> Bytes,
    ) -> Self {
        let order = memory.order;
        Self { memory: memory.peekable(), tables: tables.peekable(), order, bytes }
    }
}

impl<T: Iterator<Item = Result<KvRow, EngineError>>> Iterator for Scan<'_, T> {
    type Item = Result<KvRow, EngineError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match (self.memory.peek(), self.tables.peek()) {
                (None, _) | (_, Some(Err(_))) => return self.tables.next(),
                (Some(_), None) => {}
                (Some(row), Some(Ok((key, _)))) => match self.order.compare(&*row.key, &**key) {
                    Ordering::Less => {}
                    Ordering::Equal => drop(self.tables.next()),
                    Ordering::Greater => return self.tables.next(),
                },
            }
            let row = self.memory.next()?;
            if let Some(value) = &row.value {
                return Some(Ok(((self.bytes)(&row.key), (self.bytes)(value))));
            }
        }
    }
}

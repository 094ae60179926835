use super::memtable::Row;
use bytes::Bytes;
use quorate_core::{EngineError, KvRow};
use std::cmp::Ordering;
use std::iter::Peekable;

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

    fn pass(self, rows: &mut &[Row]) {
        let _ = match self {
            Self::Ascending => rows.split_off_first(),
            Self::Descending => rows.split_off_last(),
        };
    }
}

/// The rows of several runs in the order of their keys: of each key the one of the newest run.
pub(super) struct Merged<'a> {
    /// What is left of each run, the newest first.
    runs: Vec<&'a [Row]>,
    order: Order,
}

impl<'a> Merged<'a> {
    pub(super) fn new(runs: impl Iterator<Item = &'a [Row]>, order: Order) -> Self {
        Self { runs: runs.filter(|run| !run.is_empty()).collect(), order }
    }
}

impl<'a> Iterator for Merged<'a> {
    type Item = &'a Row;

    fn next(&mut self) -> Option<&'a Row> {
        let Self { runs, order } = self;
        let mut first: Option<(usize, &Row)> = None;
        for (index, run) in runs.iter_mut().enumerate() {
            let Some(row) = order.first(run) else { continue };
            match first.map(|(_, found)| order.compare(&row.key, &found.key)) {
                // A newer run has the same key, whose turn comes, if not now, then later.
                Some(Ordering::Equal) => order.pass(run),
                Some(Ordering::Greater) => {}
                Some(Ordering::Less) | None => first = Some((index, row)),
            }
        }
        let (index, row) = first?;
        order.pass(&mut runs[index]);
        Some(row)
    }
}

/// The rows of memory and of tables in the order of their keys, without those that were deleted: what memory has of a
/// key is newer.
pub(super) struct Scan<'a, T: Iterator<Item = Result<KvRow, EngineError>>> {
    memory: Peekable<Merged<'a>>,
    tables: Peekable<T>,
    order: Order,
    bytes: fn(&byteview::ByteView) -> Bytes,
}

impl<'a, T: Iterator<Item = Result<KvRow, EngineError>>> Scan<'a, T> {
    pub(super) fn new(memory: Merged<'a>, tables: T, bytes: fn(&byteview::ByteView) -> Bytes) -> Self {
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

use super::{TransactionError, Writes};
use crate::Rows;
use bytes::Bytes;
use quorate_codec::{DatabaseId, ReadSet};
use std::cell::RefCell;
use std::collections::btree_map::IntoIter;
use std::iter::Peekable;
use std::ops::Bound;

/// The rows of a scan within a transaction, in key order: those of its snapshot and its own. It ends after
/// the first error.
pub struct TransactionRows<'a> {
    reads: &'a RefCell<ReadSet>,
    database: DatabaseId,
    start: Bound<Vec<u8>>,
    end: Bound<Vec<u8>>,
    stored: Peekable<Rows>,
    own: Peekable<IntoIter<Vec<u8>, Option<Bytes>>>,
}

/// Where the next row comes from.
enum Source {
    Stored,
    Own,
    /// An own write of a stored row.
    Both,
}

impl<'a> TransactionRows<'a> {
    pub(super) fn new(
        reads: &'a RefCell<ReadSet>,
        database: DatabaseId,
        (start, end): (Bound<Vec<u8>>, Bound<Vec<u8>>),
        stored: Rows,
        own: Writes,
    ) -> Self {
        Self { reads, database, start, end, stored: stored.peekable(), own: own.into_iter().peekable() }
    }

    fn source(&mut self) -> Option<Source> {
        match (self.stored.peek(), self.own.peek()) {
            (None, None) => None,
            (Some(Ok((stored, _))), Some((own, _))) => Some(match stored.as_ref().cmp(own.as_slice()) {
                std::cmp::Ordering::Less => Source::Stored,
                std::cmp::Ordering::Equal => Source::Both,
                std::cmp::Ordering::Greater => Source::Own,
            }),
            (Some(_), _) => Some(Source::Stored),
            (None, Some(_)) => Some(Source::Own),
        }
    }

    /// The next row that is there. Rows removed by the transaction are passed over.
    fn next_row(&mut self) -> Option<Result<(Bytes, Bytes), TransactionError>> {
        loop {
            match self.source()? {
                Source::Stored => return self.stored.next().map(|row| row.map_err(TransactionError::from)),
                Source::Own => {}
                Source::Both => drop(self.stored.next()),
            }
            if let Some((key, Some(value))) = self.own.next() {
                return Some(Ok((Bytes::from(key), value)));
            }
        }
    }

    /// Everything from the scan's start up to this end was seen.
    fn note(&self, end: Bound<&[u8]>) {
        let start = self.start.as_ref().map(Vec::as_slice);
        self.reads.borrow_mut().add_range(self.database, start, end);
    }
}

impl Iterator for TransactionRows<'_> {
    type Item = Result<(Bytes, Bytes), TransactionError>;

    fn next(&mut self) -> Option<Self::Item> {
        let row = self.next_row();
        match &row {
            Some(Ok((key, _))) => self.note(Bound::Included(key)),
            Some(Err(_)) => {}
            None => self.note(self.end.as_ref().map(Vec::as_slice)),
        }
        row
    }
}

//! Many writes, of which a bounded number is under way.

use quorate::{BytesDatabase, Commit, CommitToken, Committed, WriteError};
use std::collections::VecDeque;

/// Writes in the order in which they were begun; the oldest is waited for when too many are under way.
pub(crate) struct Pipeline {
    depth: usize,
    under_way: VecDeque<Commit>,
}

impl Pipeline {
    pub(crate) const fn new(depth: usize) -> Self {
        Self { depth, under_way: VecDeque::new() }
    }

    /// Takes in a write, and returns the outcome of the oldest if there are too many now.
    pub(crate) fn push(&mut self, write: Commit) -> Option<Result<Committed, WriteError>> {
        self.under_way.push_back(write);
        if self.under_way.len() > self.depth { self.under_way.pop_front().map(Commit::wait) } else { None }
    }

    /// The outcomes of all that are still under way.
    pub(crate) fn finish(self) -> impl Iterator<Item = Result<Committed, WriteError>> {
        self.under_way.into_iter().map(Commit::wait)
    }
}

/// A key that sorts as its number.
pub(crate) fn key(number: u64) -> [u8; 8] {
    number.to_be_bytes()
}

/// Puts the keys of these numbers, each with `value` of its number, all of which must succeed. Returns the
/// last one's token.
pub(crate) fn fill(
    database: &BytesDatabase,
    numbers: impl IntoIterator<Item = u64>,
    value: impl Fn(u64) -> Vec<u8>,
) -> CommitToken {
    let mut pipeline = Pipeline::new(4096);
    let mut last = None;
    for number in numbers {
        last = pipeline.push(database.put(&key(number), &value(number))).map(Result::unwrap).or(last);
    }
    last = pipeline.finish().map(Result::unwrap).last().or(last);
    last.expect("at least one write").token
}

/// A value of `bytes` bytes that no other number has.
pub(crate) fn value(number: u64, bytes: usize) -> Vec<u8> {
    (0..bytes as u64)
        .map(|at| (number.wrapping_mul(0x9e37_79b9).wrapping_add(at * 7) >> (at % 5)) as u8)
        .collect()
}

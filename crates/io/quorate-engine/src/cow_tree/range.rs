use super::sorted::{Keyed, Probe, Sorted};
use super::{Child, Node, Row};
use bytes::Bytes;
use std::ops::Bound;
use std::slice;

/// In which order of their keys rows are visited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Ascending,
    Descending,
}

/// The rows between two bounds, one after the other.
pub(crate) struct Range<'a> {
    direction: Direction,
    /// What is left of each branch on the way down to the present leaf.
    branches: Vec<slice::Iter<'a, Child>>,
    rows: slice::Iter<'a, Row>,
    last: Bound<Bytes>,
}

impl<'a> Range<'a> {
    /// The rows of a tree from the bound `first` to the bound `last`, as they are met in this direction.
    pub(super) fn new(root: &'a Node, direction: Direction, first: Bound<&[u8]>, last: Bound<&[u8]>) -> Self {
        let last = last.map(Bytes::copy_from_slice);
        let mut range = Self { direction, branches: Vec::new(), rows: [].iter(), last };
        range.descend(root, first);
        range
    }

    /// Goes down to the leaf in which the rows from `first` on begin.
    fn descend(&mut self, mut node: &'a Node, first: Bound<&[u8]>) {
        loop {
            match node {
                Node::Branch(children) => {
                    let at = self.child(children, first);
                    let children = children.items();
                    self.branches.push(match self.direction {
                        Direction::Ascending => children[at + 1..].iter(),
                        Direction::Descending => children[..at].iter(),
                    });
                    node = &children[at].node;
                }
                Node::Leaf(rows) => {
                    let rows = rows.items();
                    self.rows = match self.direction {
                        Direction::Ascending => rows[rows_below(rows, first)..].iter(),
                        Direction::Descending => rows[..rows_up_to(rows, first)].iter(),
                    };
                    return;
                }
            }
        }
    }

    /// The child in which the rows from `first` on begin; they may lie in its next neighbour only.
    fn child(&self, children: &Sorted<Child>, first: Bound<&[u8]>) -> usize {
        match (first, self.direction) {
            (Bound::Included(key) | Bound::Excluded(key), _) => children.place_below(Probe::new(key)),
            (Bound::Unbounded, Direction::Ascending) => 0,
            (Bound::Unbounded, Direction::Descending) => children.items().len() - 1,
        }
    }

    fn next_row(&mut self) -> Option<&'a Row> {
        loop {
            if let Some(row) = step(&mut self.rows, self.direction) {
                return Some(row);
            }
            match step(self.branches.last_mut()?, self.direction) {
                Some(child) => self.descend(&child.node, Bound::Unbounded),
                None => {
                    self.branches.pop();
                }
            }
        }
    }

    fn is_before_end(&self, key: &[u8]) -> bool {
        match (&self.last, self.direction) {
            (Bound::Unbounded, _) => true,
            (Bound::Included(last), Direction::Ascending) => key <= last,
            (Bound::Excluded(last), Direction::Ascending) => key < last,
            (Bound::Included(last), Direction::Descending) => key >= last,
            (Bound::Excluded(last), Direction::Descending) => key > last,
        }
    }
}

impl Iterator for Range<'_> {
    type Item = (Bytes, Bytes);

    fn next(&mut self) -> Option<Self::Item> {
        let row = self.next_row()?;
        if self.is_before_end(row.key()) {
            return Some(row.to_pair());
        }
        self.branches.clear();
        self.rows = [].iter();
        None
    }
}

fn step<'a, T>(items: &mut slice::Iter<'a, T>, direction: Direction) -> Option<&'a T> {
    match direction {
        Direction::Ascending => items.next(),
        Direction::Descending => items.next_back(),
    }
}

/// How many rows lie below a lower bound.
fn rows_below(rows: &[Row], start: Bound<&[u8]>) -> usize {
    rows.partition_point(|row| match start {
        Bound::Unbounded => false,
        Bound::Included(key) => row.key() < key,
        Bound::Excluded(key) => row.key() <= key,
    })
}

/// How many rows an upper bound lets in.
fn rows_up_to(rows: &[Row], end: Bound<&[u8]>) -> usize {
    rows.partition_point(|row| match end {
        Bound::Unbounded => true,
        Bound::Included(key) => row.key() <= key,
        Bound::Excluded(key) => row.key() < key,
    })
}

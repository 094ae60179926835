mod range;

use arrayvec::ArrayVec;
use bytes::Bytes;
use range::{Direction, Range};
use std::cmp::Ordering;
use std::ops::Bound;
use std::sync::Arc;

/// Rows of a leaf, or children of a branch, at most. A copy of a shared node costs about a microsecond at
/// this size.
const NODE_LEN_MAX: usize = 32;
/// Memory that is kept for putting rows together, in bytes.
const SCRATCH_BYTES_KEPT_MAX: usize = 64 << 10;

/// An ordered map of bytes whose clones share all nodes until one of them is changed.
///
/// A B+ tree with reference-counted nodes: a change copies the nodes on its path that somebody else holds,
/// once, and works in place on the others. So a clone costs one counter, and a batch of changes copies each
/// node at most once.
///
/// 1. Every leaf but an only root has a row, every branch a child.
/// 2. The keys below a child lie at or above its floor and below the floor of its right neighbour; what sorts
///    before the first floor belongs to the first child.
/// 3. Nodes are removed when they are empty, never merged.
pub(crate) struct CowTree {
    root: Arc<Node>,
    /// Where rows are put together.
    scratch: Vec<u8>,
}

/// The rows or children lie in the node's own memory: one place to look at on each level, not two.
#[derive(Clone)]
enum Node {
    Leaf(Items<Row>),
    Branch(Items<Child>),
}

/// With room for the one that makes the node too long.
type Items<T> = ArrayVec<T, { NODE_LEN_MAX + 1 }>;

/// Key and value in one piece of memory, which all copies of the leaf share.
#[derive(Clone)]
struct Row {
    head: Head,
    bytes: Arc<[u8]>,
    key_len: usize,
}

#[derive(Clone)]
struct Child {
    head: Head,
    floor: Arc<[u8]>,
    node: Arc<Node>,
}

/// The first bytes of a key, zeros behind a shorter one: they tell most keys apart without a visit to the
/// key's own memory. Numbers are compared faster than bytes, and halves need less alignment.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Head {
    high: u64,
    low: u64,
}

/// A key to be looked for.
#[derive(Clone, Copy)]
struct Probe<'a> {
    head: Head,
    key: &'a [u8],
}

impl CowTree {
    /// The value of a key.
    pub(crate) fn get(&self, key: &[u8]) -> Option<Bytes> {
        self.row(key).map(|row| row.to_pair().1)
    }

    /// Sets a key.
    pub(crate) fn insert(&mut self, key: &[u8], value: &[u8]) {
        let row = Row::new(key, value, &mut self.scratch);
        if let Some(right) = insert_below(&mut self.root, row) {
            let left = Child::new(&[], Arc::clone(&self.root));
            self.root = Arc::new(Node::Branch([left, right].into_iter().collect()));
        }
    }

    /// Removes a key, if it is there.
    pub(crate) fn remove(&mut self, key: &[u8]) {
        if self.row(key).is_none() {
            return;
        }
        if remove_below(&mut self.root, Probe::new(key)) {
            *self = Self::default();
        }
        while let Some(only) = self.root.only_child() {
            self.root = only;
        }
    }

    /// The rows between two bounds, in key order.
    pub(crate) fn range(&self, start: Bound<&[u8]>, end: Bound<&[u8]>) -> Range<'_> {
        Range::new(&self.root, Direction::Ascending, start, end)
    }

    /// The rows between two bounds, in descending order of their keys.
    pub(crate) fn range_back(&self, start: Bound<&[u8]>, end: Bound<&[u8]>) -> Range<'_> {
        Range::new(&self.root, Direction::Descending, end, start)
    }

    fn row(&self, key: &[u8]) -> Option<&Row> {
        let (mut node, probe) = (&*self.root, Probe::new(key));
        loop {
            match node {
                Node::Branch(children) => node = &children[child_of(children, probe)].node,
                Node::Leaf(rows) => return find(rows, probe).ok().map(|at| &rows[at]),
            }
        }
    }
}

impl Row {
    fn new(key: &[u8], value: &[u8], scratch: &mut Vec<u8>) -> Self {
        scratch.clear();
        scratch.extend_from_slice(key);
        scratch.extend_from_slice(value);
        let bytes = Arc::from(scratch.as_slice());
        scratch.shrink_to(SCRATCH_BYTES_KEPT_MAX);
        Self { head: Head::of(key), bytes, key_len: key.len() }
    }

    fn key(&self) -> &[u8] {
        &self.bytes[..self.key_len]
    }

    fn probe(&self) -> Probe<'_> {
        Probe { head: self.head, key: self.key() }
    }

    fn cmp(&self, probe: Probe<'_>) -> Ordering {
        self.head.cmp(&probe.head).then_with(|| self.key().cmp(probe.key))
    }

    /// Key and value, sharing the row's memory.
    fn to_pair(&self) -> (Bytes, Bytes) {
        let mut key = Bytes::from_owner(Arc::clone(&self.bytes));
        let value = key.split_off(self.key_len);
        (key, value)
    }
}

impl Child {
    fn new(floor: &[u8], node: Arc<Node>) -> Self {
        Self { head: Head::of(floor), floor: floor.into(), node }
    }

    fn cmp(&self, probe: Probe<'_>) -> Ordering {
        self.head.cmp(&probe.head).then_with(|| (*self.floor).cmp(probe.key))
    }
}

impl Head {
    fn of(key: &[u8]) -> Self {
        let mut head = [0; 16];
        let len = key.len().min(head.len());
        head[..len].copy_from_slice(&key[..len]);
        let whole = u128::from_be_bytes(head);
        Self { high: (whole >> 64) as u64, low: whole as u64 }
    }

    const fn whole(self) -> u128 {
        (self.high as u128) << 64 | self.low as u128
    }
}

impl Ord for Head {
    fn cmp(&self, other: &Self) -> Ordering {
        self.whole().cmp(&other.whole())
    }
}

impl PartialOrd for Head {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<'a> Probe<'a> {
    fn new(key: &'a [u8]) -> Self {
        Self { head: Head::of(key), key }
    }
}

/// A map without rows.
impl Default for CowTree {
    fn default() -> Self {
        Self { root: Arc::new(Node::Leaf(Items::new())), scratch: Vec::new() }
    }
}

/// Shares all nodes.
impl Clone for CowTree {
    fn clone(&self) -> Self {
        Self { root: Arc::clone(&self.root), scratch: Vec::new() }
    }
}

impl Node {
    fn only_child(&self) -> Option<Arc<Self>> {
        match self {
            Self::Branch(children) if children.len() == 1 => Some(Arc::clone(&children[0].node)),
            _ => None,
        }
    }
}

fn child_of(children: &[Child], probe: Probe<'_>) -> usize {
    children.partition_point(|child| child.cmp(probe).is_le()).saturating_sub(1)
}

fn find(rows: &[Row], probe: Probe<'_>) -> Result<usize, usize> {
    rows.binary_search_by(|row| row.cmp(probe))
}

/// Puts a row below `node` and returns the right half of the node if it had to be split.
fn insert_below(node: &mut Arc<Node>, row: Row) -> Option<Child> {
    match Arc::make_mut(node) {
        Node::Leaf(rows) => {
            match find(rows, row.probe()) {
                Ok(at) => rows[at] = row,
                Err(at) => rows.insert(at, row),
            }
            let right = right_half(rows)?;
            let floor = right[0].key().to_vec();
            Some(Child::new(&floor, Arc::new(Node::Leaf(right))))
        }
        Node::Branch(children) => {
            let at = child_of(children, row.probe());
            let sibling = insert_below(&mut children[at].node, row)?;
            children.insert(at + 1, sibling);
            let right = right_half(children)?;
            let (head, floor) = (right[0].head, Arc::clone(&right[0].floor));
            Some(Child { head, floor, node: Arc::new(Node::Branch(right)) })
        }
    }
}

fn right_half<T>(items: &mut Items<T>) -> Option<Items<T>> {
    (items.len() > NODE_LEN_MAX).then(|| items.drain(items.len() / 2..).collect())
}

/// Removes a key below `node`; true if that left the node empty.
fn remove_below(node: &mut Arc<Node>, probe: Probe<'_>) -> bool {
    match Arc::make_mut(node) {
        Node::Leaf(rows) => {
            if let Ok(at) = find(rows, probe) {
                rows.remove(at);
            }
            rows.is_empty()
        }
        Node::Branch(children) => {
            let at = child_of(children, probe);
            if remove_below(&mut children[at].node, probe) {
                children.remove(at);
            }
            children.is_empty()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    type Model = BTreeMap<Vec<u8>, Bytes>;

    /// Few distinct keys, so that keys are overwritten and removed, and leaves run empty.
    fn key() -> impl Strategy<Value = Vec<u8>> {
        vec(0_u8..12, 1..4)
    }

    /// Keys set, or removed where there is no value.
    fn changes(count_max: usize) -> impl Strategy<Value = Vec<(Vec<u8>, Option<u8>)>> {
        vec((key(), any::<Option<u8>>()), 0..count_max)
    }

    fn change(tree: &mut CowTree, model: &mut Model, key: Vec<u8>, value: Option<u8>) {
        match value {
            Some(value) => {
                let value = Bytes::from(vec![value]);
                tree.insert(&key, &value);
                model.insert(key, value);
            }
            None => {
                tree.remove(&key);
                model.remove(&key);
            }
        }
    }

    fn rows_of(model: &Model) -> Vec<(Bytes, Bytes)> {
        model.iter().map(|(key, value)| (Bytes::copy_from_slice(key), value.clone())).collect()
    }

    fn all(tree: &CowTree) -> Vec<(Bytes, Bytes)> {
        tree.range(Bound::Unbounded, Bound::Unbounded).collect()
    }

    proptest! {
        #[test]
        fn it_holds_what_an_ordered_map_holds(changes in changes(2000), from in key(), to in key()) {
            let (mut tree, mut model) = (CowTree::default(), Model::new());
            for (key, value) in changes {
                change(&mut tree, &mut model, key, value);
            }
            prop_assert_eq!(all(&tree), rows_of(&model));
            let back = tree.range_back(Bound::Unbounded, Bound::Unbounded);
            prop_assert!(back.eq(rows_of(&model).into_iter().rev()));
            for key in model.keys().chain([&from, &to]) {
                prop_assert_eq!(tree.get(key), model.get(key).cloned());
            }
            if from < to {
                let bounds = (Bound::Excluded(&from[..]), Bound::Included(&to[..]));
                let expected: Vec<_> =
                    rows_of(&model).into_iter().filter(|row| row.0 > from[..] && row.0 <= to[..]).collect();
                prop_assert_eq!(tree.range(bounds.0, bounds.1).collect::<Vec<_>>(), &expected[..]);
                prop_assert!(tree.range_back(bounds.0, bounds.1).eq(expected.into_iter().rev()));
            }
        }

        #[test]
        fn a_clone_never_changes(before in changes(500), after in changes(500)) {
            let (mut tree, mut model) = (CowTree::default(), Model::new());
            for (key, value) in before {
                change(&mut tree, &mut model, key, value);
            }
            let (clone, then) = (tree.clone(), rows_of(&model));
            for (key, value) in after {
                change(&mut tree, &mut model, key, value);
            }
            prop_assert_eq!(all(&clone), then);
            prop_assert_eq!(all(&tree), rows_of(&model));
        }
    }

    #[test]
    fn removing_every_row_leaves_an_empty_tree() {
        let mut tree = CowTree::default();
        for number in 0..5000_u32 {
            tree.insert(&number.to_be_bytes(), b"");
        }
        for number in (0..5000_u32).rev() {
            tree.remove(&number.to_be_bytes());
        }
        assert_eq!(all(&tree), []);
        assert!(matches!(&*tree.root, Node::Leaf(rows) if rows.is_empty()));
    }
}

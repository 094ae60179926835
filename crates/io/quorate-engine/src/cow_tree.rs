mod range;
mod sorted;

use bytes::Bytes;
use range::{Direction, Range};
use sorted::{Head, Keyed, Probe, Sorted};
use std::hint::black_box;
use std::ops::Bound;
use std::sync::Arc;

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

#[derive(Clone)]
enum Node {
    Leaf(Sorted<Row>),
    Branch(Sorted<Child>),
}

/// Key and value in one piece of memory, which all copies of the leaf share.
#[derive(Clone)]
struct Row {
    bytes: Arc<[u8]>,
    key_len: usize,
}

#[derive(Clone)]
struct Child {
    floor: Arc<[u8]>,
    node: Arc<Node>,
}

impl CowTree {
    /// The value of a key.
    pub(crate) fn get(&self, key: &[u8]) -> Option<Bytes> {
        self.row(key).map(|row| row.to_pair().1)
    }

    /// Sets a key.
    pub(crate) fn insert(&mut self, key: &[u8], value: &[u8]) {
        let row = Row::new(key, value, &mut self.scratch);
        if let Some(right) = insert_below(&mut self.root, Probe::new(key), row) {
            let left = Child { floor: Arc::default(), node: Arc::clone(&self.root) };
            self.root = Arc::new(Node::Branch([left, right].into_iter().collect()));
        }
    }

    /// Visits the nodes on the paths to these keys, so that changes find them in the processor's cache.
    ///
    /// A single descent waits for memory at every level. Many side by side wait together, after the idea of group
    /// prefetching (Chen, Ailamaki, Gibbons and Mowry, "Improving hash join performance through prefetching", ICDE
    /// 2004).
    pub(crate) fn approach<'k>(&self, keys: impl Iterator<Item = &'k [u8]>) {
        let mut descents: Vec<(Probe<'_>, &Node)> = keys.map(|key| (Probe::new(key), &*self.root)).collect();
        let mut is_at_leaves = false;
        while !is_at_leaves {
            is_at_leaves = true;
            for (probe, node) in &mut descents {
                match *node {
                    Node::Branch(children) => {
                        *node = &children.below(*probe).node;
                        is_at_leaves = false;
                    }
                    Node::Leaf(rows) => {
                        black_box(rows.find(*probe).is_ok());
                    }
                }
            }
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
                Node::Branch(children) => node = &children.below(probe).node,
                Node::Leaf(rows) => return rows.find(probe).ok().map(|at| &rows.items()[at]),
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
        Self { bytes, key_len: key.len() }
    }

    /// Key and value, sharing the row's memory.
    fn to_pair(&self) -> (Bytes, Bytes) {
        let mut key = Bytes::from_owner(Arc::clone(&self.bytes));
        let value = key.split_off(self.key_len);
        (key, value)
    }
}

impl Keyed for Row {
    fn key(&self) -> &[u8] {
        &self.bytes[..self.key_len]
    }
}

impl Keyed for Child {
    fn key(&self) -> &[u8] {
        &self.floor
    }
}

/// A map without rows.
impl Default for CowTree {
    fn default() -> Self {
        Self { root: Arc::new(Node::Leaf(Sorted::default())), scratch: Vec::new() }
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
            Self::Branch(children) => match children.items() {
                [only] => Some(Arc::clone(&only.node)),
                _ => None,
            },
            Self::Leaf(_) => None,
        }
    }
}

/// Puts a row below `node` and returns the right half of the node if it had to be split.
fn insert_below(node: &mut Arc<Node>, probe: Probe<'_>, row: Row) -> Option<Child> {
    match Arc::make_mut(node) {
        Node::Leaf(rows) => {
            match rows.find(probe) {
                Ok(at) => *rows.item_mut(at) = row,
                Err(at) => rows.insert(at, probe.head, row),
            }
            let right = rows.split()?;
            Some(Child { floor: right.items()[0].key().into(), node: Arc::new(Node::Leaf(right)) })
        }
        Node::Branch(children) => {
            let at = children.place_below(probe);
            let sibling = insert_below(&mut children.item_mut(at).node, probe, row)?;
            children.insert(at + 1, Head::of(&sibling.floor), sibling);
            let right = children.split()?;
            Some(Child { floor: Arc::clone(&right.items()[0].floor), node: Arc::new(Node::Branch(right)) })
        }
    }
}

/// Removes a key below `node`; true if that left the node empty.
fn remove_below(node: &mut Arc<Node>, probe: Probe<'_>) -> bool {
    match Arc::make_mut(node) {
        Node::Leaf(rows) => {
            if let Ok(at) = rows.find(probe) {
                rows.remove(at);
            }
            rows.items().is_empty()
        }
        Node::Branch(children) => {
            let at = children.place_below(probe);
            if remove_below(&mut children.item_mut(at).node, probe) {
                children.remove(at);
            }
            children.items().is_empty()
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
        assert!(matches!(&*tree.root, Node::Leaf(rows) if rows.items().is_empty()));
    }
}

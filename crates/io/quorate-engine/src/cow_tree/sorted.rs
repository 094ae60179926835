use arrayvec::ArrayVec;
use std::cmp::Ordering;

/// Items of a node at most. A copy of a shared node costs about a microsecond at this size.
const LEN_MAX: usize = 32;

/// The items of a node in the order of their keys, in the node's own memory.
///
/// The keys' heads lie side by side, so that a search visits few lines of memory.
#[derive(Clone)]
pub(super) struct Sorted<T> {
    heads: Items<Head>,
    items: Items<T>,
}

/// With room for the one that makes the node too long.
type Items<T> = ArrayVec<T, { LEN_MAX + 1 }>;

/// What lies in a node.
pub(super) trait Keyed {
    /// Its whole key.
    fn key(&self) -> &[u8];
}

/// The first bytes of a key, zeros behind a shorter one: they tell most keys apart without a visit to the
/// key's own memory. Numbers are compared faster than bytes, and halves need less alignment.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    high: u64,
    low: u64,
}

/// A key to be looked for.
#[derive(Clone, Copy)]
pub(super) struct Probe<'a> {
    pub(super) head: Head,
    key: &'a [u8],
}

impl<T: Keyed> Sorted<T> {
    pub(super) fn items(&self) -> &[T] {
        &self.items
    }

    pub(super) fn item_mut(&mut self, at: usize) -> &mut T {
        &mut self.items[at]
    }

    /// Where the item with this key is, or would have to be.
    pub(super) fn find(&self, probe: Probe<'_>) -> Result<usize, usize> {
        let start = self.heads.partition_point(|head| *head < probe.head);
        if self.heads.get(start) != Some(&probe.head) {
            return Err(start);
        }
        let alike = self.heads[start..].partition_point(|head| *head == probe.head);
        let found = self.items[start..start + alike].binary_search_by(|item| item.key().cmp(probe.key));
        found.map(|at| start + at).map_err(|at| start + at)
    }

    /// The place of the last item at or below this key, or the first.
    pub(super) fn place_below(&self, probe: Probe<'_>) -> usize {
        self.find(probe).unwrap_or_else(|at| at.saturating_sub(1))
    }

    /// The last item at or below this key, or the first.
    pub(super) fn below(&self, probe: Probe<'_>) -> &T {
        &self.items[self.place_below(probe)]
    }

    /// Puts in an item whose key has this head. The node may have to be [split](Self::split) then.
    pub(super) fn insert(&mut self, at: usize, head: Head, item: T) {
        self.heads.insert(at, head);
        self.items.insert(at, item);
    }

    pub(super) fn remove(&mut self, at: usize) {
        self.heads.remove(at);
        self.items.remove(at);
    }

    /// Takes the upper half away, if there are too many.
    pub(super) fn split(&mut self) -> Option<Self> {
        let half = self.items.len() / 2;
        let upper = |sorted: &mut Self| Self {
            heads: sorted.heads.drain(half..).collect(),
            items: sorted.items.drain(half..).collect(),
        };
        (self.items.len() > LEN_MAX).then(|| upper(self))
    }
}

/// Of items that are in order.
impl<T: Keyed> FromIterator<T> for Sorted<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        let items: Items<T> = items.into_iter().collect();
        Self { heads: items.iter().map(|item| Head::of(item.key())).collect(), items }
    }
}

impl<T> Default for Sorted<T> {
    fn default() -> Self {
        Self { heads: Items::new(), items: Items::new() }
    }
}

impl Head {
    pub(super) fn of(key: &[u8]) -> Self {
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
    pub(super) fn new(key: &'a [u8]) -> Self {
        Self { head: Head::of(key), key }
    }
}

use super::filter::Filter;
use super::merged::{Merged, Order};
use byteview::ByteView;
use quorate_core::KvOperation;
use std::cmp::Ordering;
use std::ops::Bound;
use std::slice;
use std::sync::Arc;
use xxhash_rust::xxh3::xxh3_64;

/// What was written last under a key.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) key: ByteView,
    /// The key's.
    pub(super) hash: u64,
    /// `None` if the row was deleted.
    pub(super) value: Option<ByteView>,
}

/// Rows in the order of their keys, one for each key.
#[derive(Debug)]
pub(super) struct Run {
    rows: Vec<Row>,
    filter: Filter,
}

/// Rows that are in no table yet: runs of which none changes any more, the oldest first.
///
/// A write is a run of its own, and runs of about the same length become one. So a row is put in its place by a few
/// passes through memory from end to end, as in a log-structured merge tree on disk, where a search for its place
/// would wait for memory at every step.
#[derive(Default)]
pub(super) struct Memtable {
    runs: Vec<Arc<Run>>,
    bytes: u64,
}

/// So many of about the same length become one. A reader looks into fewer than so many of each length.
const SIMILAR_MAX: usize = 4;
/// Longer ones, in rows, stay as they are: the writer, and who begins to read, waits while runs become one.
const MERGED_ROWS_MAX: usize = 4096;
/// Values of more bytes have memory of their own: one that was overwritten frees it before all of its write is.
const SHARED_BYTES_MAX: usize = 4 << 10;

impl Memtable {
    pub(super) const fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Memory of all that was written, in bytes, with what has been overwritten since.
    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The runs, the newest first.
    pub(super) fn runs(&self) -> impl Iterator<Item = &Arc<Run>> {
        self.runs.iter().rev()
    }

    /// Takes in a write.
    pub(super) fn insert(&mut self, run: Run) {
        if run.rows.is_empty() {
            return;
        }
        self.bytes += run.rows.iter().map(Row::bytes).sum::<u64>();
        self.runs.push(Arc::new(run));
        while let Some(similar) = self.similar() {
            let merged = merge(self.runs.drain(self.runs.len() - similar..).rev());
            self.runs.push(Arc::new(merged));
        }
    }

    /// How many of the newest runs are to become one.
    fn similar(&self) -> Option<usize> {
        let class = |run: &Arc<Run>| run.rows.len().checked_ilog(SIMILAR_MAX);
        let newest = self.runs.last().map(class)?;
        let is_similar = |run: &&Arc<Run>| class(run) <= newest && run.rows.len() <= MERGED_ROWS_MAX;
        let similar = self.runs().take_while(is_similar).count();
        (similar >= SIMILAR_MAX).then_some(similar)
    }
}

impl Run {
    fn new(rows: Vec<Row>) -> Self {
        Self { filter: Filter::of(&rows), rows }
    }

    pub(super) fn rows(&self) -> &[Row] {
        &self.rows
    }

    fn find(&self, key: &[u8], hash: u64) -> Option<&Row> {
        if !self.filter.may_have(hash) {
            return None;
        }
        let found = self.rows.binary_search_by(|row| (*row.key).cmp(key)).ok()?;
        Some(&self.rows[found])
    }
}

impl Row {
    fn compare_keys(&self, other: &Self) -> Ordering {
        (*self.key).cmp(&*other.key)
    }

    fn bytes(&self) -> u64 {
        (size_of::<Self>() + self.key.len() + self.value.as_ref().map_or(0, |value| value.len())) as u64
    }
}

/// The run of one write.
pub(super) fn run_of(operations: &[KvOperation<'_>]) -> Run {
    let mut shared = Vec::new();
    for operation in operations {
        let (key, value) = parts(operation);
        shared.extend_from_slice(key);
        shared.extend_from_slice(value.filter(|value| is_shared(value)).unwrap_or_default());
    }
    let shared = ByteView::new(&shared);
    let mut place = 0;
    let mut next = |bytes: &[u8]| {
        place += bytes.len();
        // Of the shared memory, what is short is copied into the row.
        shared.slice(place - bytes.len()..place)
    };
    let rows = operations.iter().map(|operation| {
        let (key, value) = parts(operation);
        let (key, hash) = (next(key), hash(key));
        let value = value.map(|value| if is_shared(value) { next(value) } else { ByteView::new(value) });
        Row { key, hash, value }
    });
    let mut rows: Vec<Row> = rows.collect();
    // The sort is stable: of each key the newest stays first.
    rows.reverse();
    rows.sort_by(Row::compare_keys);
    rows.dedup_by(|older, newer| *older.key == *newer.key);
    Run::new(rows)
}

pub(super) fn hash(key: &[u8]) -> u64 {
    xxh3_64(key)
}

const fn is_shared(value: &[u8]) -> bool {
    value.len() <= SHARED_BYTES_MAX
}

const fn parts<'a>(operation: &KvOperation<'a>) -> (&'a [u8], Option<&'a [u8]>) {
    match *operation {
        KvOperation::Put { key, value } => (key, Some(value)),
        KvOperation::Delete { key } => (key, None),
    }
}

/// One run of several, the newest first. Rows are copied only from runs that somebody else holds.
fn merge(runs: impl Iterator<Item = Arc<Run>>) -> Run {
    let rows = runs.map(|run| Arc::try_unwrap(run).map_or_else(|run| run.rows.clone(), |run| run.rows));
    let merged = Merged::new(rows.map(Vec::into_iter), Order::Ascending);
    let mut rows = Vec::with_capacity(merged.rows_max());
    rows.extend(merged);
    Run::new(rows)
}

/// What memory held at one moment: runs, the newest first.
#[derive(Default)]
pub(super) struct View(Vec<Arc<Run>>);

impl View {
    pub(super) fn new<'a>(runs: impl Iterator<Item = &'a Arc<Run>>) -> Self {
        Self(runs.cloned().collect())
    }

    /// What was written last under a key.
    pub(super) fn find(&self, key: &[u8]) -> Option<&Row> {
        let hash = hash(key);
        self.0.iter().find_map(|run| run.find(key, hash))
    }

    /// The rows, deleted ones among them, whose keys lie between two bounds that are in order.
    pub(super) fn range(
        &self,
        start: Bound<&[u8]>,
        end: Bound<&[u8]>,
        order: Order,
    ) -> Merged<slice::Iter<'_, Row>> {
        let runs = self.0.iter().map(|run| {
            let run = run.rows();
            let from = match start {
                Bound::Unbounded => 0,
                Bound::Included(key) => run.partition_point(|row| *row.key < *key),
                Bound::Excluded(key) => run.partition_point(|row| *row.key <= *key),
            };
            let to = match end {
                Bound::Unbounded => run.len(),
                Bound::Included(key) => run.partition_point(|row| *row.key <= *key),
                Bound::Excluded(key) => run.partition_point(|row| *row.key < *key),
            };
            run[from..to].iter()
        });
        Merged::new(runs, order)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    type Model = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

    fn operation((key, value): &(Vec<u8>, Option<Vec<u8>>)) -> KvOperation<'_> {
        match value {
            Some(value) => KvOperation::Put { key, value },
            None => KvOperation::Delete { key },
        }
    }

    fn view(memtable: &Memtable) -> View {
        View::new(memtable.runs())
    }

    fn rows(found: Merged<slice::Iter<'_, Row>>) -> Vec<(Vec<u8>, Option<Vec<u8>>)> {
        found.map(|row| (row.key.to_vec(), row.value.as_ref().map(|value| value.to_vec()))).collect()
    }

    fn check(view: &View, model: &Model, [a, b]: [&[u8]; 2]) {
        for key in 0..64_u8 {
            let found = view.find(&[key]).map(|row| row.value.as_ref().map(|value| value.to_vec()));
            assert_eq!(found.as_ref(), model.get(&[key][..]));
        }
        for (start, end) in [
            (Bound::Unbounded, Bound::Unbounded),
            (Bound::Included(a), Bound::Excluded(b)),
            (Bound::Excluded(a), Bound::Included(b)),
        ] {
            let mut expected: Vec<_> = model
                .range::<[u8], _>((start, end))
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect();
            assert_eq!(rows(view.range(start, end, Order::Ascending)), expected);
            expected.reverse();
            assert_eq!(rows(view.range(start, end, Order::Descending)), expected);
        }
    }

    proptest! {
        #[test]
        fn every_view_shows_what_was_written_last_before_it(
            writes in prop::collection::vec(
                prop::collection::vec((0..64_u8, prop::option::of(prop::sample::select(vec![0, 3, 40, 5_000]))), 0..40),
                0..60,
            ),
            bounds in (0..32_u8, 33..64_u8),
        ) {
            let (mut memtable, mut model, mut views) = (Memtable::default(), Model::new(), Vec::new());
            for (number, write) in writes.iter().enumerate() {
                let rows: Vec<_> = write
                    .iter()
                    .map(|(key, bytes)| (vec![*key], bytes.map(|bytes| vec![number as u8; bytes])))
                    .collect();
                memtable.insert(run_of(&rows.iter().map(operation).collect::<Vec<_>>()));
                model.extend(rows);
                if number % 7 == 0 {
                    views.push((view(&memtable), model.clone()));
                }
            }
            views.push((view(&memtable), model));
            for (view, model) in &views {
                check(view, model, [&[bounds.0], &[bounds.1]]);
            }
        }
    }

    #[test]
    fn a_reader_looks_into_few_runs_however_many_writes_there_were() {
        let mut memtable = Memtable::default();
        let mut written = 0_u32;
        for number in 0..3_000_u32 {
            let keys: Vec<_> =
                (0..=number % 50).map(|row| (written + row).reverse_bits().to_be_bytes()).collect();
            written += keys.len() as u32;
            let operations: Vec<_> =
                keys.iter().map(|key| KvOperation::Put { key, value: b"value" }).collect();
            memtable.insert(run_of(&operations));
            // Fewer than four of each length up to 4^6 rows, and the longer ones.
            let runs_max = 3 * 7 + written as usize / MERGED_ROWS_MAX;
            assert!(memtable.runs.len() <= runs_max, "{} runs after {written} rows", memtable.runs.len());
        }
        let all = view(&memtable);
        assert_eq!(all.range(Bound::Unbounded, Bound::Unbounded, Order::Ascending).count() as u32, written);
    }
}

use super::memory::Memory;
use super::memtable::{Memtable, Row, View};
use super::merged::Order;
use super::unfinished_table::{UnfinishedMerge, UnfinishedTable};
use super::words;
use lsm_tree::compaction::Leveled;
use lsm_tree::compaction::filter::{CompactionFilter, Context, Factory, ItemAccessor, Verdict};
use lsm_tree::{AbstractTree, AnyTree, InternalValue, SequenceNumberCounter, ValueType};
use std::collections::VecDeque;
use std::io;
use std::ops::Bound;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Memtables that may wait to be written out; the writer waits while there are more.
const SEALED_MAX: usize = 3;
/// Tables that were written out and not merged, at which they are merged: a merge reads and writes most rows again, so
/// that half as many merges cost a tenth less processor time for each write.
const UNMERGED_MIN: u8 = 8;
/// The writer waits while more tables than these are not merged: a read may have to look into each of them.
const UNMERGED_MAX: usize = 24;
/// Length of a merged table, in bytes. It becomes durable as a whole, and the log's syncs wait for the disk meanwhile.
const TABLE_BYTES: u64 = 16 << 20;
/// The levels of a tree.
const LEVELS: usize = 7;
/// Rows between two looks at whether others wait for the processor.
const ROWS_PER_TURN: usize = 128;
/// Rows between two times that what has been written of a table is sent on its way to the disk.
const ROWS_PER_ADVICE: usize = 1024;
/// How long nothing more is written then. A table is made faster than the disk takes it, and the log's syncs would wait for
/// all that was sent before them.
const PAUSE: Duration = Duration::from_millis(1);

/// Longer values are written out from where they lie, shorter ones from a copy.
const COPY_BYTES_MAX: usize = 512;

/// Writes full memtables out as tables, on one thread, and merges tables, on another: a memtable need not
/// wait for a long merge. Ends both when it is dropped.
pub(super) struct Tables {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

struct Shared {
    tree: Arc<AnyTree>,
    /// The tree's: of rows, and of its lists of tables. A snapshot shows what has smaller numbers than its own.
    numbers: SequenceNumberCounter,
    memory: Arc<Memory>,
    state: Mutex<State>,
    changed: Condvar,
    merging: Arc<Pace>,
}

#[derive(Default)]
struct State {
    /// The memtables that wait, oldest first.
    sealed: VecDeque<Sealed>,
    /// So many of the store's writes are in tables, durably.
    durable_writes: u64,
    /// Somebody waits until so many are.
    awaited_writes: u64,
    /// Tables that were written out and not merged.
    unmerged: usize,
    /// There may be something to merge.
    merge_is_due: bool,
    is_closing: bool,
    /// Why nothing is written out any more.
    failed: Option<String>,
}

struct Sealed {
    memtable: Arc<Memtable>,
    /// How many writes the store had seen when it was sealed.
    writes: u64,
}

impl State {
    /// Nobody waits until the memtable that is being written out is a table.
    fn has_time(&self) -> bool {
        !self.is_closing && self.sealed.len() == 1 && self.awaited_writes <= self.durable_writes
    }
}

impl Tables {
    /// Starts both threads. The merges of `tree` go at the pace of `merging`.
    ///
    /// # Errors
    /// That of the operating system.
    pub(super) fn start(
        tree: Arc<AnyTree>,
        numbers: SequenceNumberCounter,
        memory: Arc<Memory>,
        merging: Arc<Pace>,
    ) -> io::Result<Self> {
        let state = State { unmerged: tree.l0_run_count(), merge_is_due: true, ..State::default() };
        let state = Mutex::new(state);
        let shared = Arc::new(Shared { tree, numbers, memory, state, changed: Condvar::new(), merging });
        let mut tables = Self { shared, threads: Vec::new() };
        tables.spawn("quorate-flush", Shared::write_out)?;
        tables.spawn("quorate-merge", Shared::merge)?;
        Ok(tables)
    }

    fn spawn(&mut self, name: &str, work: fn(&Shared) -> Result<(), lsm_tree::Error>) -> io::Result<()> {
        let shared = Arc::clone(&self.shared);
        let thread = thread::Builder::new().name(name.to_owned()).spawn(move || {
            let mut ending = Ending { shared: &shared, failed: Some("a thread of it panicked".to_owned()) };
            ending.failed = work(&shared).err().map(|error| words(&error));
        })?;
        self.threads.push(thread);
        Ok(())
    }

    /// Waits until the writer may go on.
    ///
    /// # Errors
    /// Why a memtable could not be written out, or tables merged.
    pub(super) fn wait_for_room(&self) -> Result<(), String> {
        self.wait_until(|state| state.sealed.len() <= SEALED_MAX && state.unmerged <= UNMERGED_MAX).map(drop)
    }

    /// Has a memtable written out that was sealed after so many writes.
    pub(super) fn sealed(&self, memtable: Arc<Memtable>, writes: u64) {
        self.shared.state().sealed.push_back(Sealed { memtable, writes });
        self.shared.changed.notify_all();
    }

    /// Takes in that all of so many writes are sealed: the last ones changed nothing.
    pub(super) fn all_sealed(&self, writes: u64) {
        let mut state = self.shared.state();
        match state.sealed.back_mut() {
            Some(last) => last.writes = writes,
            None => state.durable_writes = writes,
        }
    }

    /// Waits until so many writes are durable.
    ///
    /// # Errors
    /// As [`wait_for_room`](Self::wait_for_room).
    pub(super) fn wait_until_durable(&self, writes: u64) -> Result<(), String> {
        let mut state = self.shared.state();
        state.awaited_writes = state.awaited_writes.max(writes);
        drop(state);
        self.wait_until(|state| state.durable_writes >= writes).map(drop)
    }

    /// So many writes are durable.
    ///
    /// # Errors
    /// As [`wait_for_room`](Self::wait_for_room).
    pub(super) fn durable_writes(&self) -> Result<u64, String> {
        self.wait_until(|_| true).map(|state| state.durable_writes)
    }

    fn wait_until(&self, holds: impl Fn(&State) -> bool) -> Result<MutexGuard<'_, State>, String> {
        let state = self.shared.wait_while(|state| state.failed.is_none() && !holds(state));
        match &state.failed {
            Some(detail) => Err(detail.clone()),
            None => Ok(state),
        }
    }
}

impl Drop for Tables {
    fn drop(&mut self) {
        self.shared.state().is_closing = true;
        self.shared.changed.notify_all();
        self.shared.merging.is_cancelled.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn write_out(&self) -> Result<(), lsm_tree::Error> {
        loop {
            let state = self.wait_while(|state| !state.is_closing && state.sealed.is_empty());
            if state.is_closing {
                return Ok(());
            }
            let Some(memtable) = state.sealed.front().map(|sealed| Arc::clone(&sealed.memtable)) else {
                continue;
            };
            drop(state);
            self.write_out_one(&memtable)?;
            self.memory.written_out(self.numbers.get());
            let mut state = self.state_with_unmerged();
            let written_out = state.sealed.pop_front().map(|sealed| sealed.writes);
            state.durable_writes = written_out.unwrap_or(state.durable_writes);
            state.merge_is_due = true;
            drop(state);
            self.changed.notify_all();
        }
    }

    fn write_out_one(&self, memtable: &Memtable) -> Result<(), lsm_tree::Error> {
        let mut table = UnfinishedTable::next_of(&self.tree);
        self.merging.leave_out(&table);
        let (number, mut passed) = (self.numbers.next(), 0);
        let view = View::new(memtable.runs());
        let rows = view.range(Bound::Unbounded, Bound::Unbounded, Order::Ascending).map(|row| {
            passed += 1;
            give_way(passed, || table.start_writing(), || self.state().has_time());
            Ok(numbered(row, number))
        });
        if let Some((tables, blob_files)) = self.tree.flush_to_tables(rows)? {
            let oldest = self.memory.oldest_snapshot();
            self.tree.register_tables(&tables, blob_files.as_deref(), None, &[], oldest)?;
        }
        Ok(())
    }

    fn merge(&self) -> Result<(), lsm_tree::Error> {
        loop {
            let mut state = self.wait_while(|state| !state.is_closing && !state.merge_is_due);
            if state.is_closing {
                return Ok(());
            }
            state.merge_is_due = false;
            drop(state);
            let before = self.shape();
            let merged = self.merge_one();
            if self.merging.is_cancelled.load(Ordering::Relaxed) {
                return Ok(());
            }
            merged?;
            self.memory.merged(self.numbers.get());
            let has_changed = self.shape() != before;
            self.state_with_unmerged().merge_is_due |= has_changed;
            self.changed.notify_all();
        }
    }

    /// Merges what it is time to merge, if anything.
    fn merge_one(&self) -> Result<(), lsm_tree::Error> {
        let strategy = Leveled::default().with_l0_threshold(UNMERGED_MIN).with_table_target_size(TABLE_BYTES);
        self.merging.begin(UnfinishedMerge::of(&self.tree));
        self.tree.compact(Arc::new(strategy), self.memory.oldest_snapshot())
    }

    /// What a merge changes: the tables of each level, and their bytes.
    fn shape(&self) -> ([Option<usize>; LEVELS], u64) {
        (std::array::from_fn(|level| self.tree.level_table_count(level)), self.tree.disk_space())
    }

    /// The state, with the number of tables that are not merged. That is behind a lock under which tables become durable,
    /// and the writer, which needs the state, must not wait for it.
    fn state_with_unmerged(&self) -> MutexGuard<'_, State> {
        let unmerged = self.tree.l0_run_count();
        self.merging.is_urgent.store(unmerged > UNMERGED_MAX / 2, Ordering::Relaxed);
        let mut state = self.state();
        state.unmerged = unmerged;
        state
    }

    fn wait_while(&self, holds: impl Fn(&State) -> bool) -> MutexGuard<'_, State> {
        let waited = self.changed.wait_while(self.state(), |state| holds(state));
        waited.unwrap_or_else(PoisonError::into_inner)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A row as the tree takes it.
fn numbered(row: &Row, number: u64) -> InternalValue {
    let key = row.key.clone();
    match &row.value {
        // To count whoever shares the memory of its write would be to wait for that memory, too.
        Some(value) if value.len() <= COPY_BYTES_MAX => {
            InternalValue::from_components(key, &**value, number, ValueType::Value)
        }
        Some(value) => InternalValue::from_components(key, value.clone(), number, ValueType::Value),
        None => InternalValue::new_tombstone(key, number),
    }
}

/// After so many rows of a table: sends them on their way when it is time, and lets others have the processor or the disk
/// if there is time.
fn give_way(rows: usize, start_writing: impl FnOnce(), has_time: impl FnOnce() -> bool) {
    if rows.is_multiple_of(ROWS_PER_ADVICE) {
        start_writing();
        if has_time() {
            thread::sleep(PAUSE);
        }
    } else if rows.is_multiple_of(ROWS_PER_TURN) && has_time() {
        thread::yield_now();
    }
}

/// How merges go along: they let others have the processor and the disk every few rows, unless they are urgent, send what
/// they have written on its way, and end early when the store is closed.
#[derive(Default)]
pub(super) struct Pace {
    is_urgent: AtomicBool,
    is_cancelled: AtomicBool,
    tables: Mutex<Option<UnfinishedMerge>>,
}

impl Pace {
    fn begin(&self, merge: UnfinishedMerge) {
        *self.tables() = Some(merge);
    }

    /// A memtable is written out, perhaps beside a merge.
    fn leave_out(&self, table: &UnfinishedTable) {
        if let Some(merge) = self.tables().as_mut() {
            merge.leave_out(table.id());
        }
    }

    fn start_writing(&self) {
        if let Some(merge) = self.tables().as_mut() {
            merge.start_writing();
        }
    }

    fn tables(&self) -> MutexGuard<'_, Option<UnfinishedMerge>> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes the merges of a tree go at a pace.
pub(super) struct Paced(pub(super) Arc<Pace>);

impl Factory for Paced {
    fn name(&self) -> &'static str {
        "pace"
    }

    fn make_filter(&self, _: &Context) -> Box<dyn CompactionFilter> {
        Box::new(PacedMerge { pace: Arc::clone(&self.0), rows: 0 })
    }
}

/// Looks at every row of a merge, and keeps it.
struct PacedMerge {
    pace: Arc<Pace>,
    rows: usize,
}

impl CompactionFilter for PacedMerge {
    fn filter_item(&mut self, _: ItemAccessor<'_>, _: &Context) -> lsm_tree::Result<Verdict> {
        self.rows += 1;
        if self.rows.is_multiple_of(ROWS_PER_TURN) && self.pace.is_cancelled.load(Ordering::Relaxed) {
            return Err(lsm_tree::Error::Io(io::ErrorKind::Interrupted.into()));
        }
        give_way(self.rows, || self.pace.start_writing(), || !self.pace.is_urgent.load(Ordering::Relaxed));
        Ok(Verdict::Keep)
    }
}

/// Tells everybody that a thread has ended before it should, by an error or a panic.
struct Ending<'a> {
    shared: &'a Shared,
    failed: Option<String>,
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        if let Some(detail) = self.failed.take() {
            self.shared.state().failed = Some(detail);
            self.shared.changed.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{FjallConfig, open_tree};
    use super::*;
    use lsm_tree::SequenceNumberCounter;

    #[test]
    fn what_a_merge_writes_is_on_its_way_to_the_disk_before_the_merge_ends() {
        let directory = tempfile::tempdir().unwrap();
        let merging = Arc::<Pace>::default();
        let numbers = SequenceNumberCounter::default();
        let paced = Paced(Arc::clone(&merging));
        let tree = open_tree(directory.path(), &FjallConfig::default(), &numbers, paced).unwrap();
        for number in 0..u64::from(UNMERGED_MIN) {
            for key in 0..2 * ROWS_PER_ADVICE {
                tree.insert(key.to_be_bytes(), [7; 100], number);
            }
            tree.flush_active_memtable(0).unwrap();
        }
        let (state, changed) = (Mutex::default(), Condvar::default());
        let (tree, memory) = (Arc::new(tree), Arc::default());
        let shared = Shared { tree, numbers, memory, state, changed, merging };
        shared.merge_one().unwrap();
        assert_eq!(shared.tree.l0_run_count(), 0, "all is merged");
        let started_bytes = shared.merging.tables().as_ref().map_or(0, UnfinishedMerge::started_bytes);
        assert!(started_bytes > 50_000, "{started_bytes}");
    }
}

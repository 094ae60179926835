use super::open_snapshots::OpenSnapshots;
use lsm_tree::compaction::{CompactionStrategy, Leveled};
use lsm_tree::{AbstractTree, AnyTree};
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::{io, mem};

/// Memtables that may wait to be written out; the writer waits while there are more.
const SEALED_MAX: usize = 3;
/// Tables that were written out and not merged, at which they are merged: a merge reads and writes most rows again, so
/// that half as many merges cost a tenth less processor time for each write.
const UNMERGED_MAX: u8 = 8;
/// The levels of a tree.
const LEVELS: usize = 7;

/// Writes full memtables out as tables, on one thread, and merges tables, on another: a memtable need not
/// wait for a long merge. Ends both when it is dropped.
pub(super) struct Tables {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

struct Shared {
    tree: Arc<AnyTree>,
    snapshots: Arc<OpenSnapshots>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// How many writes the store had seen when each of the memtables that wait was sealed, oldest first.
    sealed: VecDeque<u64>,
    /// So many of the store's writes are in tables, durably.
    durable_writes: u64,
    /// There may be something to merge.
    merge_is_due: bool,
    is_closing: bool,
    /// Why nothing is written out any more.
    failed: Option<String>,
}

impl Tables {
    /// Starts both threads.
    ///
    /// # Errors
    /// That of the operating system.
    pub(super) fn start(tree: Arc<AnyTree>, snapshots: Arc<OpenSnapshots>) -> io::Result<Self> {
        let state = Mutex::new(State { merge_is_due: true, ..State::default() });
        let shared = Arc::new(Shared { tree, snapshots, state, changed: Condvar::new() });
        let mut tables = Self { shared, threads: Vec::new() };
        tables.spawn("quorate-flush", Shared::write_out)?;
        tables.spawn("quorate-merge", Shared::merge)?;
        Ok(tables)
    }

    fn spawn(&mut self, name: &str, work: fn(&Shared) -> Result<(), lsm_tree::Error>) -> io::Result<()> {
        let shared = Arc::clone(&self.shared);
        let thread = thread::Builder::new().name(name.to_owned()).spawn(move || {
            let mut ending = Ending { shared: &shared, detail: "a thread of it panicked".to_owned() };
            match work(&shared) {
                Ok(()) => mem::forget(ending),
                Err(error) => ending.detail = error.to_string(),
            }
        })?;
        self.threads.push(thread);
        Ok(())
    }

    /// Waits until the writer may go on.
    ///
    /// # Errors
    /// Why a memtable could not be written out.
    pub(super) fn wait_for_room(&self) -> Result<(), String> {
        self.wait_until(|state| state.sealed.len() <= SEALED_MAX).map(drop)
    }

    /// Has the memtable written out that was sealed after so many writes.
    pub(super) fn sealed(&self, writes: u64) {
        self.shared.state().sealed.push_back(writes);
        self.shared.changed.notify_all();
    }

    /// Waits until so many writes are durable.
    ///
    /// # Errors
    /// Why a memtable could not be written out.
    pub(super) fn wait_until_durable(&self, writes: u64) -> Result<(), String> {
        self.wait_until(|state| state.durable_writes >= writes).map(drop)
    }

    /// So many writes are durable.
    ///
    /// # Errors
    /// Why a memtable could not be written out.
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
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn write_out(&self) -> Result<(), lsm_tree::Error> {
        loop {
            let state = self.wait_while(|state| !state.is_closing && state.sealed.is_empty());
            // The next lines write out at least those that are sealed by now.
            let count = state.sealed.len();
            if state.is_closing {
                return Ok(());
            }
            drop(state);
            self.tree.flush(&self.tree.get_flush_lock(), self.snapshots.oldest())?;
            let mut state = self.state();
            let written_out = state.sealed.drain(..count).next_back();
            state.durable_writes = written_out.unwrap_or(state.durable_writes);
            state.merge_is_due = true;
            drop(state);
            self.changed.notify_all();
        }
    }

    fn merge(&self) -> Result<(), lsm_tree::Error> {
        let strategy: Arc<dyn CompactionStrategy> = Arc::new(Leveled::default().with_l0_threshold(UNMERGED_MAX));
        loop {
            let mut state = self.wait_while(|state| !state.is_closing && !state.merge_is_due);
            if state.is_closing {
                return Ok(());
            }
            state.merge_is_due = false;
            drop(state);
            let before = self.shape();
            self.tree.compact(Arc::clone(&strategy), self.snapshots.oldest())?;
            if self.shape() != before {
                self.state().merge_is_due = true;
            }
        }
    }

    /// What a merge changes: the tables of each level, and their bytes.
    fn shape(&self) -> ([Option<usize>; LEVELS], u64) {
        (std::array::from_fn(|level| self.tree.level_table_count(level)), self.tree.disk_space())
    }

    fn wait_while(&self, holds: impl Fn(&State) -> bool) -> MutexGuard<'_, State> {
        let waited = self.changed.wait_while(self.state(), |state| holds(state));
        waited.unwrap_or_else(PoisonError::into_inner)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells everybody that a thread has ended before it should.
struct Ending<'a> {
    shared: &'a Shared,
    detail: String,
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.shared.state().failed = Some(mem::take(&mut self.detail));
        self.shared.changed.notify_all();
    }
}

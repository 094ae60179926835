use super::memtable::{Memtable, Run, View};
use super::open_snapshots::{OpenSnapshot, OpenSnapshots};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What is in no table yet, and which tables show beside it.
#[derive(Default)]
pub(super) struct Memory {
    contents: Mutex<Contents>,
    snapshots: Arc<OpenSnapshots>,
}

#[derive(Default)]
struct Contents {
    /// Where rows go.
    active: Memtable,
    /// Full ones, which are being written out, oldest first.
    sealed: VecDeque<Arc<Memtable>>,
    /// What readers see, if one has looked since the last change.
    view: Option<Arc<View>>,
}

impl Memory {
    /// Nothing, beside tables of which those with rows of smaller numbers show.
    pub(super) fn beside_tables_below(visible: u64) -> Self {
        let memory = Self::default();
        memory.snapshots.publish(visible);
        memory
    }

    /// Takes in a write, and returns how much memory the rows take that are not sealed, in bytes.
    pub(super) fn write(&self, run: Run) -> u64 {
        let mut contents = self.contents();
        contents.view = None;
        contents.active.insert(run);
        contents.active.bytes()
    }

    /// Seals what was written, if there is anything.
    pub(super) fn seal(&self) -> Option<Arc<Memtable>> {
        let mut contents = self.contents();
        if contents.active.is_empty() {
            return None;
        }
        let memtable = Arc::new(std::mem::take(&mut contents.active));
        contents.sealed.push_back(Arc::clone(&memtable));
        Some(memtable)
    }

    /// Forgets the oldest sealed memtable: it is in a table, which shows as of now, as do all rows of smaller numbers. The
    /// caller holds it until nobody waits.
    pub(super) fn written_out(&self, visible: u64) {
        let mut contents = self.contents();
        contents.view = None;
        contents.sealed.pop_front();
        self.snapshots.publish(visible);
    }

    /// Tables have merged; those that are left show as of now.
    pub(super) fn merged(&self, visible: u64) {
        let _contents = self.contents();
        self.snapshots.publish(visible);
    }

    /// What memory and tables hold now.
    pub(super) fn snapshot(&self) -> (OpenSnapshot, Arc<View>) {
        let mut contents = self.contents();
        let Contents { active, sealed, view } = &mut *contents;
        let runs = || active.runs().chain(sealed.iter().rev().flat_map(|memtable| memtable.runs()));
        let view = view.get_or_insert_with(|| Arc::new(View::new(runs())));
        (self.snapshots.open(), Arc::clone(view))
    }

    /// No snapshot shows rows of tables below a smaller number, now or later.
    pub(super) fn oldest_snapshot(&self) -> u64 {
        self.snapshots.oldest()
    }

    fn contents(&self) -> MutexGuard<'_, Contents> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

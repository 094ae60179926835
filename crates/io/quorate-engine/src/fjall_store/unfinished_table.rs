use lsm_tree::{AbstractTree, AnyTree};
use std::fs::File;
use std::num::NonZeroU64;
use std::path::PathBuf;
use std::sync::{Arc, Weak};

/// The file of a table that is being written out. What is in it is sent on its way to the disk now and then: if
/// all of it were left to the sync at its end, the log's syncs would wait for it meanwhile.
///
/// Nothing depends on it: should the tree name its files otherwise, or a merge and a memtable begin a table at the same time, a
/// table takes the disk at once, or is read from there sooner.
pub(super) struct UnfinishedTable {
    id: u64,
    path: PathBuf,
    file: Option<File>,
    /// So many bytes of it are on their way.
    started_bytes: u64,
}

impl UnfinishedTable {
    /// The table that the tree begins next.
    pub(super) fn next_of(tree: &AnyTree) -> Self {
        Self::of(tree, tree.next_table_id())
    }

    fn of(tree: &AnyTree, id: u64) -> Self {
        let path = tree.tree_config().path.join("tables").join(id.to_string());
        Self { id, path, file: None, started_bytes: 0 }
    }

    pub(super) const fn id(&self) -> u64 {
        self.id
    }

    pub(super) fn start_writing(&mut self) {
        if self.file.is_none() {
            self.file = File::open(&self.path).ok();
        }
        let Some(file) = &self.file else { return };
        let Ok(bytes) = file.metadata().map(|metadata| metadata.len()) else { return };
        if let Some(count) = NonZeroU64::new(bytes.saturating_sub(self.started_bytes)) {
            writing::start(file, self.started_bytes, count);
            self.started_bytes = bytes;
        }
    }
}

/// The tables that a merge writes, one after the other: each is sent on its way as [`UnfinishedTable`] is.
pub(super) struct UnfinishedMerge {
    tree: Weak<AnyTree>,
    /// Tables before this one were there before the merge.
    first: u64,
    /// Tables that something else than the merge writes.
    others: Vec<u64>,
    table: Option<UnfinishedTable>,
}

impl UnfinishedMerge {
    /// A merge of the tree that is about to begin.
    pub(super) fn of(tree: &Arc<AnyTree>) -> Self {
        let (first, tree) = (tree.next_table_id(), Arc::downgrade(tree));
        Self { tree, first, others: Vec::new(), table: None }
    }

    /// This table is not the merge's.
    pub(super) fn leave_out(&mut self, id: u64) {
        self.others.push(id);
    }

    pub(super) fn start_writing(&mut self) {
        let Some(tree) = self.tree.upgrade() else { return };
        let newest = (self.first..tree.next_table_id()).rev().find(|id| !self.others.contains(id));
        let Some(id) = newest else { return };
        let table = self.table.take().filter(|table| table.id == id);
        self.table.insert(table.unwrap_or_else(|| UnfinishedTable::of(&tree, id))).start_writing();
    }

    /// So many bytes of the present table are on their way.
    #[cfg(test)]
    pub(super) fn started_bytes(&self) -> u64 {
        self.table.as_ref().map_or(0, |table| table.started_bytes)
    }
}

#[cfg(target_os = "linux")]
mod writing {
    use rustix::fs::{Advice, fadvise};
    use std::fs::File;
    use std::num::NonZeroU64;

    /// Linux writes out what it is told that nobody needs, before it lets go of it; what is not written yet, it keeps.
    pub(super) fn start(file: &File, offset: u64, count: NonZeroU64) {
        let _ = fadvise(file, offset, Some(count), Advice::DontNeed);
    }
}

#[cfg(not(target_os = "linux"))]
mod writing {
    use std::fs::File;
    use std::num::NonZeroU64;

    /// Left to the table's sync.
    pub(super) const fn start(_file: &File, _offset: u64, _count: NonZeroU64) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use lsm_tree::{Config, Memtable, SequenceNumberCounter};

    /// A tree, and a full table in its memory.
    fn full(directory: &tempfile::TempDir) -> (Arc<AnyTree>, Arc<Memtable>) {
        let counter = SequenceNumberCounter::default;
        let tree = Config::new(directory.path(), counter(), counter()).open().unwrap();
        for key in 0..2000_u32 {
            tree.insert(key.to_be_bytes(), [7; 100], key.into());
        }
        let memtable = tree.rotate_memtable().unwrap();
        (Arc::new(tree), memtable)
    }

    /// Writes a table, looks twice at what is on its way of it, and returns what was seen.
    fn write(tree: &AnyTree, memtable: &Memtable, mut look: impl FnMut() -> u64) -> Vec<u64> {
        let mut rows = 0;
        let mut seen = Vec::new();
        let rows = memtable.iter().inspect(|_| {
            rows += 1;
            if rows % 1000 == 0 {
                seen.push(look());
            }
        });
        tree.flush_to_tables(rows.map(Ok)).unwrap().unwrap();
        seen
    }

    #[test]
    fn a_table_is_on_its_way_to_the_disk_before_it_is_finished() {
        let directory = tempfile::tempdir().unwrap();
        let (tree, memtable) = full(&directory);
        let mut table = UnfinishedTable::next_of(&tree);
        let seen = write(&tree, &memtable, || {
            table.start_writing();
            table.started_bytes
        });
        assert!(seen[0] > 50_000 && seen[1] > seen[0], "{seen:?}");
    }

    #[test]
    fn of_a_merge_each_table_is_on_its_way_before_it_is_finished_and_no_other_table() {
        let directory = tempfile::tempdir().unwrap();
        let (tree, memtable) = full(&directory);
        let mut merge = UnfinishedMerge::of(&tree);
        let started = |merge: &mut UnfinishedMerge| {
            merge.start_writing();
            merge.started_bytes()
        };
        for _ in 0..2 {
            let seen = write(&tree, &memtable, || started(&mut merge));
            assert!(seen[0] > 50_000 && seen[1] > seen[0], "{seen:?}");
        }
        let last = started(&mut merge);
        merge.leave_out(tree.next_table_id());
        assert_eq!(write(&tree, &memtable, || started(&mut merge)), [last, last]);
    }
}

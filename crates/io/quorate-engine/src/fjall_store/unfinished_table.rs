use lsm_tree::{AbstractTree, AnyTree};
use std::fs::File;
use std::num::NonZeroU64;
use std::path::PathBuf;

/// The file of a table that is being written out. What is in it is sent on its way to the disk now and then: if
/// all of it were left to the sync at its end, the log's syncs would wait for it meanwhile.
///
/// Nothing depends on it: should the tree name its files otherwise, or a merge take the number first, a table takes the disk
/// at once.
pub(super) struct UnfinishedTable {
    path: PathBuf,
    file: Option<File>,
    /// So many bytes of it are on their way.
    started_bytes: u64,
}

impl UnfinishedTable {
    /// The table that the tree begins next.
    pub(super) fn next_of(tree: &AnyTree) -> Self {
        let path = tree.tree_config().path.join("tables").join(tree.next_table_id().to_string());
        Self { path, file: None, started_bytes: 0 }
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
    use lsm_tree::{Config, SequenceNumberCounter};

    #[test]
    fn a_table_is_on_its_way_to_the_disk_before_it_is_finished() {
        let directory = tempfile::tempdir().unwrap();
        let counter = SequenceNumberCounter::default;
        let tree = Config::new(directory.path(), counter(), counter()).open().unwrap();
        for key in 0..2000_u32 {
            tree.insert(key.to_be_bytes(), [7; 100], key.into());
        }
        let memtable = tree.rotate_memtable().unwrap();
        let mut table = UnfinishedTable::next_of(&tree);
        let mut rows = 0;
        let mut started_bytes = Vec::new();
        let rows = memtable.iter().inspect(|_| {
            rows += 1;
            if rows % 1000 == 0 {
                table.start_writing();
                started_bytes.push(table.started_bytes);
            }
        });
        tree.flush_to_tables(rows.map(Ok)).unwrap().unwrap();
        assert!(started_bytes[0] > 50_000 && started_bytes[1] > started_bytes[0], "{started_bytes:?}");
    }
}

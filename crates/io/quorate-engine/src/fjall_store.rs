mod filter;
mod memory;
mod memtable;
mod merged;
mod open_snapshots;
mod tables;
mod unfinished_table;

use crate::range::is_empty_range;
use crate::{OpenError, directory};
use bytes::Bytes;
use byteview::ByteView;
use lsm_tree::config::CompressionPolicy;
use lsm_tree::{
    AbstractTree, AnyTree, Cache, CompressionType, Config, Guard, KvSeparationOptions, SequenceNumberCounter,
};
use memory::Memory;
use memtable::{View, run_of};
use merged::{Order, Scan};
use open_snapshots::OpenSnapshot;
use quorate_core::{Checkpoint, EngineError, KvOperation, KvRow, KvScan, KvSnapshot, KvStore};
use std::fs::{File, TryLockError};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Read, Write};
use std::ops::Bound;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tables::{Pace, Paced, Tables};

const ENGINE: &str = "fjall";
/// The file by which a directory is known to be a store's, and by which it is locked.
const MARKER: &str = "quorate";
/// What stands in it.
const FORMAT: &[u8] = b"fjall tree 1\n";
/// The longest key that a tree takes, in bytes; it panics beyond.
const KEY_BYTES_MAX: usize = u16::MAX as usize;
/// Values of this length in bytes and more lie in files of their own, which are not read and written again
/// each time that tables are merged.
const SEPARATE_BYTES_MIN: u32 = 64 << 10;
/// Longer rows are handed out in the memory that holds them, with what lies around them, shorter ones copied.
const COPY_BYTES_MAX: usize = 4 << 10;

/// How a [`FjallStore`] uses its memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FjallConfig {
    /// Memory for blocks that were read, in bytes. Default 8 MiB.
    pub cache_bytes: u64,
    /// Size of a table of new rows in memory, in bytes, at which it is written out. Up to five of them exist
    /// under a load of writes. Default 16 MiB.
    pub memtable_bytes: u64,
}

impl Default for FjallConfig {
    fn default() -> Self {
        Self { cache_bytes: 8 << 20, memtable_bytes: 16 << 20 }
    }
}

/// A store in one directory: the log-structured merge tree of fjall, without fjall's journal.
///
/// Writes go to a table in memory, which becomes durable when it is full, or with the next [`flush`](KvStore::flush).
/// After a crash the rest is gone: that is what the replicated log is for.
pub struct FjallStore {
    tables: Tables,
    tree: Arc<AnyTree>,
    memory: Arc<Memory>,
    writer: Mutex<Writer>,
    memtable_bytes: u64,
    /// Holds the directory's lock.
    _marker: File,
}

struct Writer {
    /// Since the store was opened.
    writes: u64,
    /// The memtable is sealed at this length, in bytes.
    memtable_bytes: u64,
}

impl FjallStore {
    /// Opens the directory at `path`, or creates it in its parent, which must exist.
    ///
    /// # Errors
    /// [`OpenError`] says what to do.
    pub fn open(path: &Path, config: &FjallConfig) -> Result<Self, OpenError> {
        let io = |error| OpenError::io(path, error);
        let marker = claim(path)?;
        let numbers = SequenceNumberCounter::default();
        let merging = Arc::<Pace>::default();
        let tree = open_tree(path, config, &numbers, Paced(Arc::clone(&merging)));
        let tree = Arc::new(tree.map_err(|error| refused(path, error))?);
        directory::sync_parent(path).map_err(io)?;
        // The number of a snapshot of nothing is 1.
        let next = tree.get_highest_seqno().map_or(1, |number| number + 1);
        numbers.fetch_max(next);
        let memory = Arc::new(Memory::beside_tables_below(next));
        let tables = Tables::start(Arc::clone(&tree), numbers, Arc::clone(&memory), merging).map_err(io)?;
        let writer = Mutex::new(Writer { writes: 0, memtable_bytes: staggered(config.memtable_bytes) });
        Ok(Self { tables, tree, memory, writer, memtable_bytes: config.memtable_bytes, _marker: marker })
    }

    /// Has the table in memory written out, if there is anything in it.
    fn seal(&self, writer: &mut Writer) {
        match self.memory.seal() {
            Some(memtable) => {
                self.tables.sealed(memtable, writer.writes);
                writer.memtable_bytes = staggered(self.memtable_bytes);
            }
            None => self.tables.all_sealed(writer.writes),
        }
    }

    fn writer(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl KvStore for FjallStore {
    fn write(&self, operations: &[KvOperation<'_>]) -> Result<(), EngineError> {
        operations.iter().try_for_each(check_key)?;
        let run = run_of(operations);
        let mut writer = self.writer();
        self.tables.wait_for_room().map_err(stopped)?;
        let bytes = self.memory.write(run);
        writer.writes += 1;
        if bytes >= writer.memtable_bytes {
            self.seal(&mut writer);
        }
        Ok(())
    }

    fn flush(&self) -> Result<bool, EngineError> {
        let mut writer = self.writer();
        self.seal(&mut writer);
        let writes = writer.writes;
        drop(writer);
        self.tables.wait_until_durable(writes).map_err(stopped)?;
        Ok(true)
    }

    fn checkpoint(&self) -> Result<Checkpoint, EngineError> {
        self.tables.durable_writes().map(Checkpoint::Writes).map_err(stopped)
    }

    fn snapshot(&self) -> Result<Arc<dyn KvSnapshot>, EngineError> {
        let (open, memory) = self.memory.snapshot();
        Ok(Arc::new(FjallSnapshot { open, memory, tree: Arc::clone(&self.tree) }))
    }
}

struct FjallSnapshot {
    open: OpenSnapshot,
    memory: Arc<View>,
    tree: Arc<AnyTree>,
}

impl KvSnapshot for FjallSnapshot {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, EngineError> {
        match self.memory.find(key) {
            Some(row) => Ok(row.value.as_ref().map(bytes)),
            None => {
                Ok(self.tree.get(key, self.open.number).map_err(failed)?.map(|value| bytes(&value.into())))
            }
        }
    }

    fn scan(&self, start: Bound<&[u8]>, end: Bound<&[u8]>) -> Result<KvScan<'_>, EngineError> {
        if is_empty_range(start, end) {
            return Ok(Box::new(std::iter::empty()));
        }
        let tables = self.tree.range::<&[u8], _>((start, end), self.open.number, None).map(row);
        Ok(Box::new(Scan::new(self.memory.range(start, end, Order::Ascending), tables, bytes)))
    }

    fn scan_back(&self, start: Bound<&[u8]>, end: Bound<&[u8]>) -> Result<KvScan<'_>, EngineError> {
        if is_empty_range(start, end) {
            return Ok(Box::new(std::iter::empty()));
        }
        let tables = self.tree.range::<&[u8], _>((start, end), self.open.number, None).rev().map(row);
        Ok(Box::new(Scan::new(self.memory.range(start, end, Order::Descending), tables, bytes)))
    }
}

/// Up to a quarter less than `bytes`, at random: the nodes of a group hold the same rows, and should not all write them out
/// at the same time.
fn staggered(bytes: u64) -> u64 {
    bytes - RandomState::new().hash_one(()) % (bytes / 4).max(1)
}

fn row(row: impl Guard) -> Result<KvRow, EngineError> {
    let (key, value) = row.into_inner().map_err(failed)?;
    Ok((bytes(&key.into()), bytes(&value.into())))
}

fn bytes(view: &ByteView) -> Bytes {
    if view.len() <= COPY_BYTES_MAX { Bytes::copy_from_slice(view) } else { Bytes::from_owner(view.clone()) }
}

fn open_tree(
    path: &Path,
    config: &FjallConfig,
    numbers: &SequenceNumberCounter,
    paced: Paced,
) -> lsm_tree::Result<AnyTree> {
    // The tree shows whoever asks the second counter what was written; snapshots here have their own numbers,
    // which move with whole writes only.
    Config::new(path, numbers.clone(), SequenceNumberCounter::default())
        .use_cache(Arc::new(Cache::with_capacity_bytes(config.cache_bytes)))
        .data_block_compression_policy(CompressionPolicy::new([
            CompressionType::None,
            CompressionType::None,
            CompressionType::Lz4,
        ]))
        .with_kv_separation(Some(KvSeparationOptions::default().separation_threshold(SEPARATE_BYTES_MIN)))
        .with_compaction_filter_factory(Some(Arc::new(paced)))
        .open()
}

/// Makes the directory this store's, unless it is something else's, and locks it.
fn claim(path: &Path) -> Result<File, OpenError> {
    let io = |error| OpenError::io(path, error);
    if !path.join(MARKER).try_exists().map_err(io)? && directory::has_entries(path).map_err(io)? {
        let is_fjall = path.join(crate::import::FJALL_MARKER).try_exists().map_err(io)?;
        let detail =
            if is_fjall { "it is a fjall database, which can be imported" } else { "it holds other files" };
        return Err(foreign(path, detail.to_owned()));
    }
    match std::fs::create_dir(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(io(error)),
        _ => {}
    }
    let options = File::options().read(true).write(true).create(true).truncate(false).open(path.join(MARKER));
    let mut marker = options.map_err(io)?;
    marker.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => OpenError::InUse { path: path.to_owned() },
        TryLockError::Error(error) => io(error),
    })?;
    let mut format = Vec::new();
    marker.read_to_end(&mut format).map_err(io)?;
    if !FORMAT.starts_with(&format) {
        return Err(foreign(
            path,
            format!("its file {MARKER:?} says {:?}", String::from_utf8_lossy(&format)),
        ));
    }
    // A crash may have come before all of it was written.
    marker.write_all(&FORMAT[format.len()..]).and_then(|()| marker.sync_all()).map_err(io)?;
    directory::sync(path).map_err(io)?;
    Ok(marker)
}

fn check_key(operation: &KvOperation<'_>) -> Result<(), EngineError> {
    let (KvOperation::Put { key, .. } | KvOperation::Delete { key }) = operation;
    if (1..=KEY_BYTES_MAX).contains(&key.len()) {
        return Ok(());
    }
    let detail = format!("a key of {} bytes is not between 1 and {KEY_BYTES_MAX} bytes long", key.len());
    Err(EngineError::Storage { engine: ENGINE, detail })
}

fn failed(error: lsm_tree::Error) -> EngineError {
    let detail = words(&error);
    match error {
        lsm_tree::Error::Io(_) => EngineError::Storage { engine: ENGINE, detail },
        _ => EngineError::Corrupt { engine: ENGINE, detail },
    }
}

fn words(error: &lsm_tree::Error) -> String {
    match error {
        lsm_tree::Error::Io(error) => error.to_string(),
        error => error.to_string(),
    }
}

fn stopped(detail: String) -> EngineError {
    EngineError::Storage { engine: ENGINE, detail }
}

fn foreign(path: &Path, detail: String) -> OpenError {
    OpenError::Foreign { path: path.to_owned(), engine: ENGINE, detail }
}

fn refused(path: &Path, error: lsm_tree::Error) -> OpenError {
    match error {
        lsm_tree::Error::InvalidVersion(version) => foreign(path, format!("it has file format {version}")),
        lsm_tree::Error::Io(source) => OpenError::io(path, source),
        error => OpenError::Damaged { path: path.to_owned(), engine: ENGINE, detail: words(&error) },
    }
}

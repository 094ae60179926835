use crate::engine_file::EngineFiles;
use crate::machine::GROUP;
use crate::network::letter;
use quorate_core::{
    EngineError, HardState, Incarnation, LogError, LogStore, NodeId, StateStore, StateStoreError, Term,
};
use quorate_engine::{OpenError, RedbConfig, RedbStore};
use quorate_env::Applier;
use quorate_env::kv::{KvEngine, KvReader};
use quorate_log::vfs::{MemoryVfs, Vfs};
use quorate_log::{HardStateFile, Log, LogConfig};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Where a node keeps everything.
pub(crate) const DIRECTORY: &str = "data";
/// Where its log lies.
pub(crate) const LOG_DIRECTORY: &str = "data/log";
/// Its engine's file.
pub(crate) const ENGINE_FILE: &str = "data/engine";
/// Short segments, so that a few groups fill one.
const SEGMENT_BYTES: u32 = 4 << 10;
/// Enough for all that a sweep writes, so that redb writes to its file only when it is flushed.
const CACHE_BYTES: usize = 16 << 20;

/// What a node keeps on its disk, open: production code over a simulated disk.
pub(crate) struct Storage {
    state: HardStateFile,
    /// The hard state as stored last.
    pub(crate) hard: HardState,
    pub(crate) log: Log,
    pub(crate) engine: Applier,
    pub(crate) rows: KvReader,
}

/// Why a part of a node's storage cannot be opened or used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StorageError {
    #[error("the hard state: {0}")]
    State(#[from] StateStoreError),
    #[error("the log: {0}")]
    Log(#[from] LogError),
    #[error("the engine's store: {0}")]
    Store(#[from] OpenError),
    #[error("the engine: {0}")]
    Engine(#[from] EngineError),
    #[error("the disk: {0}")]
    Disk(#[from] io::Error),
}

impl Storage {
    /// Opens everything in the order in which a node does, and counts the opening.
    pub(crate) fn open(disk: &MemoryVfs) -> Result<Self, StorageError> {
        Self::open_as(disk, NodeId::new(1), false)
    }

    /// As [`open`](Self::open), for this node of a group; the engine's file is verified where asked.
    pub(crate) fn open_as(
        disk: &MemoryVfs,
        node: NodeId,
        verifies_engine: bool,
    ) -> Result<Self, StorageError> {
        let vfs: Arc<dyn Vfs> = Arc::new(disk.clone());
        vfs.create_directory(Path::new(DIRECTORY))?;
        let mut state = HardStateFile::new(Arc::clone(&vfs), DIRECTORY);
        let mut hard = state.load()?.unwrap_or_else(|| new_hard_state(node));
        let config = LogConfig { segment_bytes: SEGMENT_BYTES, ..LogConfig::new(hard.incarnation.0) };
        let log = Log::open(vfs, LOG_DIRECTORY, config)?;
        hard.open_count += 1;
        hard.recovering |= log.summary().lost_durable_end;
        state.store(&hard)?;
        let path = Path::new(ENGINE_FILE);
        let files = EngineFiles(disk.clone());
        let config = RedbConfig { cache_bytes: CACHE_BYTES, verify_on_open: verifies_engine };
        let store = RedbStore::open_among(&files, path, &config)?;
        let engine = KvEngine::open(Arc::new(store))?;
        let rows = engine.reader();
        Ok(Self { state, hard, log, engine: Applier::new(Box::new(engine)), rows })
    }

    /// Promises a term.
    pub(crate) fn promise(&mut self, promised: Term) -> Result<(), StorageError> {
        let hard = HardState { promised, ..self.hard.clone() };
        self.store(hard)
    }

    /// Stores the hard state.
    pub(crate) fn store(&mut self, hard: HardState) -> Result<(), StorageError> {
        self.state.store(&hard)?;
        self.hard = hard;
        Ok(())
    }
}

fn new_hard_state(node: NodeId) -> HardState {
    HardState {
        group: GROUP.into(),
        node: letter(node).to_string(),
        id: node,
        incarnation: Incarnation(0x5eed << 64 | u128::from(node.as_u16())),
        open_count: 0,
        promised: Term::ZERO,
        roster: None,
        unsynced_mark: None,
        recovering: false,
        lease_granted: Duration::ZERO,
    }
}

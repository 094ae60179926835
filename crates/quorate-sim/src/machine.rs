//! One node's machine: what survives its processes.

mod at_rest;

pub(crate) use at_rest::{Backup, SegmentFile};

use crate::BrokenRule;
use crate::SimTime;
use crate::apply_worker::ApplyWorker;
use crate::checker::{Checker, Ending, Found, Rule, Violation};
use crate::engine_disk::EngineDisk;
use crate::engine_file::EngineFiles;
use crate::log_scan::{LogScan, read_all};
use crate::log_writer::LogWriter;
use crate::network::letter;
use crate::process::{Effects, Parts, Process, Stop};
use crate::profile::Profile;
use crate::sim_time::LocalClock;
use bytes::Bytes;
use quorate_core::{
    Batch, BootId, Engine, EngineError, HardState, Incarnation, KvStore, LogStore, MemberList, NodeId,
    Random, StateStore, Term, Time,
};
use quorate_engine::{OpenError, RedbConfig, RedbStore};
use quorate_env::Applier;
use quorate_env::kv::KvEngine;
use quorate_log::vfs::{MemoryVfs, Retain, Vfs};
use quorate_log::{HardStateFile, Log, LogConfig};
use quorate_replica::{LeaseTerms, Node, NodeConfig, Opened};
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;
use std::time::Duration;

/// The group that all simulated nodes belong to.
pub(crate) const GROUP: &str = "simulated";
/// Where a node keeps everything.
const DIRECTORY: &str = "data";
const LOG_DIRECTORY: &str = "data/log";
/// Short segments, so that logs roll, are trimmed and recycle.
const SEGMENT_BYTES: u32 = 16 << 10;
/// The engine's file, where it lies on the disk.
const ENGINE_FILE: &str = "data/engine";
/// Where it is moved if it is damaged.
const ENGINE_FILE_AWAY: &str = "data/engine.damaged";
/// Memory for the engine's pages.
const ENGINE_CACHE_BYTES: usize = 4 << 20;

/// A machine with its disk, its engine's disk, and at most one process.
pub(crate) struct Machine {
    pub(crate) id: NodeId,
    pub(crate) disk: MemoryVfs,
    pub(crate) engine: EngineDisk,
    /// The engine lies in a redb file on the disk instead.
    engine_on_redb: bool,
    /// Its processes pass writes on, as replicas.
    forwards_writes: bool,
    lease: Option<LeaseTerms>,
    /// The engine's rows, as the present process has them open.
    store: Option<Arc<dyn KvStore>>,
    pub(crate) process: Option<Process>,
    broken: Option<BrokenRule>,
    boots: u64,
    lives: u64,
    /// How the last processes ended, the worst of them since the log was opened last.
    ending: Ending,
}

impl Machine {
    /// A machine with empty disks, of the kind that the profile says.
    pub(crate) fn new(id: NodeId, profile: &Profile) -> Self {
        let Profile { broken, engine_on_redb, forwards_writes, lease, .. } = *profile;
        Self {
            id,
            disk: MemoryVfs::new(),
            engine: EngineDisk::default(),
            engine_on_redb,
            forwards_writes,
            lease,
            store: None,
            process: None,
            broken,
            boots: 1,
            lives: 0,
            ending: Ending::Process,
        }
    }

    /// Whether a planned crash has turned the machine off.
    pub(crate) fn is_off(&self) -> bool {
        self.disk.list(DIRECTORY.as_ref()).is_err_and(|error| error.kind() != std::io::ErrorKind::NotFound)
    }

    /// The process ends, and its machine with it if the power goes; returns it for whoever waited for it.
    pub(crate) fn end(&mut self, ending: Ending, engine_ahead: bool, random: &mut Random) -> Option<Process> {
        match ending {
            Ending::Process => self.disk.kill(),
            Ending::Power => {
                self.disk.lose_power(Retain::Random(random.next_u64()));
                self.boots += 1;
                self.ending = Ending::Power;
            }
        }
        self.engine.crash(engine_ahead);
        self.store = None;
        self.process.take()
    }

    /// The process ends with its power, and the log keeps no more than `retain` says.
    pub(crate) fn lose_power(&mut self, retain: Retain) -> Option<Process> {
        self.disk.lose_power(retain);
        self.boots += 1;
        self.ending = Ending::Power;
        self.engine.crash(false);
        self.store = None;
        self.process.take()
    }

    /// Starts a process, in the order in which a node starts: hard state, log, engine, protocol.
    pub(crate) fn start(
        &mut self,
        now: SimTime,
        rate_per_mille: u64,
        list: &MemberList,
        random: &mut Random,
        checker: &mut Checker,
        effects: &mut Effects,
    ) -> Result<(), Stop> {
        let vfs: Arc<dyn Vfs> = Arc::new(self.disk.clone());
        self.lives += 1;
        vfs.create_directory(DIRECTORY.as_ref()).map_err(Stop::failed)?;
        let in_log = self.broken.and_then(BrokenRule::in_log);
        let mut state = HardStateFile::new(Arc::clone(&vfs), DIRECTORY).breaking(in_log);
        let stored = state.load()?;
        let mut hard = stored.unwrap_or_else(|| self.new_hard_state(list, random));
        let config = LogConfig {
            segment_bytes: SEGMENT_BYTES,
            mutation: in_log,
            ..LogConfig::new(hard.incarnation.0)
        };
        let log = Log::open(vfs, LOG_DIRECTORY, config)?;
        let (summary, reader) = (log.summary(), log.reader());
        hard.open_count += 1;
        hard.recovering |= summary.lost_durable_end;
        state.store(&hard)?;
        checker.stored(self.id, &hard);
        let store = self.open_store(checker, effects)?;
        let engine = KvEngine::open(Arc::clone(&store)).map_err(Stop::failed)?;
        let engine = engine.breaking(self.broken.and_then(BrokenRule::in_engine));
        self.store = Some(store);
        self.check_found(&hard, &log, &engine, checker)?;

        let kv = engine.reader();
        let opened = Opened {
            hard_state: hard,
            boot: BootId(u128::from(self.boots)),
            log: summary,
            engine_applied: engine.applied(),
        };
        let node = Node::new(self.node_config(random), opened, list.clone(), Time::ZERO);
        let parts = Parts {
            node,
            clock: LocalClock::new(now, rate_per_mille),
            state,
            log: LogWriter::new(self.id, log),
            log_reader: reader,
            apply: ApplyWorker::new(self.id, Applier::new(Box::new(engine))),
            kv,
            forwards_writes: self.forwards_writes,
        };
        let process = self.process.insert(Process::new(self.id, self.lives, parts));
        process.begin(now, checker, effects)?;
        checker.engine_goes_on(self.id);
        Ok(())
    }

    /// Opens the engine's store. One that is refused as damaged is moved away, as its operator is told to,
    /// and the node goes on with an empty one, if its log still has everything.
    fn open_store(&self, checker: &mut Checker, effects: &mut Effects) -> Result<Arc<dyn KvStore>, Stop> {
        if !self.engine_on_redb {
            return Ok(Arc::new(self.engine.clone()));
        }
        match self.open_redb() {
            Err(error) if checker.engine_is_damaged(self.id) && !self.is_off() => {
                effects.notes.push(format!("refuses its engine: {error}"));
                effects.engines_refused += 1;
                self.disk.rename(ENGINE_FILE.as_ref(), ENGINE_FILE_AWAY.as_ref()).map_err(Stop::failed)?;
                self.disk.sync_directory(DIRECTORY.as_ref()).map_err(Stop::failed)?;
                checker.engine_was_moved_away(self.id);
                Ok(Arc::new(self.open_redb().map_err(Stop::failed)?))
            }
            opened => Ok(Arc::new(opened.map_err(Stop::failed)?)),
        }
    }

    fn open_redb(&self) -> Result<RedbStore, OpenError> {
        let config = RedbConfig { cache_bytes: ENGINE_CACHE_BYTES, verify_on_open: true };
        RedbStore::open_among(&EngineFiles(self.disk.clone()), ENGINE_FILE.as_ref(), &config)
    }

    /// All rows of the engine, its own ones included, while a process has it open.
    pub(crate) fn rows(&self) -> Result<BTreeMap<Bytes, Bytes>, EngineError> {
        let Some(store) = &self.store else { return Ok(BTreeMap::new()) };
        store.snapshot()?.scan(Bound::Unbounded, Bound::Unbounded)?.collect()
    }

    fn new_hard_state(&self, list: &MemberList, random: &mut Random) -> HardState {
        let member = list.member(self.id).expect("the simulated group's members are its machines");
        HardState {
            group: GROUP.into(),
            node: member.name.clone(),
            id: self.id,
            incarnation: Incarnation(u128::from(random.next_u64()) << 64 | u128::from(random.next_u64())),
            open_count: 0,
            promised: Term::ZERO,
            roster: None,
            unsynced_mark: None,
            recovering: false,
            lease_granted: Duration::ZERO,
        }
    }

    /// Small windows and batches, so that feeders and engines read from the disk too.
    fn node_config(&self, random: &mut Random) -> NodeConfig {
        NodeConfig {
            window_bytes_max: 4 << 10,
            batch_bytes_max: 1 << 10,
            apply_lag_bytes_max: 8 << 10,
            engine_flush_interval: Duration::from_millis(300),
            lease: self.lease,
            seed: random.next_u64(),
            mutation: self.broken.and_then(BrokenRule::in_node),
            ..NodeConfig::default()
        }
    }

    fn check_found(
        &mut self,
        hard: &HardState,
        log: &Log,
        engine: &KvEngine,
        checker: &mut Checker,
    ) -> Result<(), Stop> {
        let batches = read_all(log)
            .map_err(|error| Stop::Failed(format!("{} cannot read its log: {error}", letter(self.id))))?;
        let summary = log.summary();
        let found = Found {
            promised: hard.promised,
            base: summary.terms.base(),
            batches: &batches,
            last: summary.terms.last_vlsn(),
            damaged: !summary.damaged.is_empty() || summary.lost_durable_end,
            engine_applied: engine.applied(),
        };
        checker.opened(self.id, self.ending, &found)?;
        self.ending = Ending::Process;
        Ok(self.check_scan(&batches, checker)?)
    }

    /// Whatever the log's index finds, a scan of the log's files finds too.
    pub(crate) fn check_index(&self, checker: &Checker) -> Result<(), Violation> {
        let Some(process) = self.process.as_ref().filter(|_| checker.is_free_of_rot(self.id)) else {
            return Ok(());
        };
        match read_all(process.log.log()) {
            Ok(found) => self.check_scan(&found, checker),
            Err(error) => Rule::LogsKeep.broken(format!("{} cannot read its log: {error}", letter(self.id))),
        }
    }

    fn check_scan(&self, found: &[Batch], checker: &Checker) -> Result<(), Violation> {
        let scan = LogScan::of(&self.disk, LOG_DIRECTORY.as_ref());
        match scan.difference(found, checker.is_untouched(self.id)) {
            None => Ok(()),
            Some(vlsn) => Rule::LogsKeep.broken(format!(
                "{}'s index finds entry {vlsn}, and a scan of its log finds it elsewhere or not at all",
                letter(self.id)
            )),
        }
    }
}

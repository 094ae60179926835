use super::catalog::Catalog;
use super::layout;
use super::plan::Plan;
use super::reader::KvReader;
use super::sessions::Sessions;
use bytes::Bytes;
use quorate_codec::DatabaseId;
use quorate_core::{Checkpoint, Committed, Engine, EngineError, EntryId, KvStore, Vlsn};
use std::sync::Arc;

/// The version of write batches that [`KvEngine`] understands; it stands in their envelope.
pub const SCHEMA_VERSION: u16 = 1;
/// The longest key in bytes: every store takes it with what the engine puts in front of it.
pub const KEY_BYTES_MAX: usize = u16::MAX as usize - layout::PREFIX_BYTES_MAX;

/// Memory for keys that is kept from one run of entries to the next, in bytes.
const KEPT_BYTES_MAX: usize = 1 << 20;
/// A store that decides by itself when to make its writes durable is made to do so after so many bytes of payloads: they
/// may have left next to nothing in it, and the log cannot be trimmed before.
const UNFLUSHED_BYTES_MAX: usize = 64 << 20;

/// Named databases of keys and values over any [`KvStore`]: applies the write batches that a replicated
/// environment commits.
///
/// 1. A run of entries and its last id go into the store in one write.
/// 2. An entry takes effect as a whole or, where it asks for what cannot be, not at all; which of both
///    depends on the entries before it alone, so it is the same on every node. The entry's result says so
///    (see [`Outcome`](crate::kv::Outcome)).
/// 3. A request that names a session is carried out once, however many entries ask for it; who has asked for
///    what is part of the state, bounded in number and in age.
/// 4. Databases are numbered from 1 in the order of their creation, and number 1 is always there.
pub struct KvEngine {
    store: Arc<dyn KvStore>,
    applied: Option<EntryId>,
    catalog: Catalog,
    /// `None` if the last run failed: then they are read again.
    sessions: Option<Sessions>,
    bytes: Vec<u8>,
    /// Writes to the store since it was opened.
    writes: u64,
    /// The last entry known to be durable.
    durable: Option<EntryId>,
    /// What has to be durable before anything newer is known to be.
    pending: Option<Mark>,
    /// Length of the payloads that were applied since `durable` changed, in bytes.
    unflushed_bytes: usize,
}

/// Which entry the store was at after so many writes.
struct Mark {
    writes: u64,
    last: EntryId,
}

impl KvEngine {
    /// An engine over what `store` holds. Nobody else may write to the store from now on.
    ///
    /// # Errors
    /// [`EngineError::Corrupt`] if the store holds what this version did not write; any error of the store.
    pub fn open(store: Arc<dyn KvStore>) -> Result<Self, EngineError> {
        let snapshot = store.snapshot()?;
        layout::check_format(&*snapshot)?;
        let applied = layout::read_applied(&*snapshot)?;
        let catalog = Catalog::load(&*snapshot)?;
        let sessions = Some(Sessions::load(&*snapshot)?);
        Ok(Self {
            store,
            applied,
            catalog,
            sessions,
            bytes: Vec::new(),
            writes: 0,
            // What was found may not be durable: the store says so when it is asked.
            durable: None,
            pending: None,
            unflushed_bytes: 0,
        })
    }

    /// A reader of the same store, for any thread.
    #[must_use]
    pub fn reader(&self) -> KvReader {
        KvReader::new(Arc::clone(&self.store))
    }

    /// The same engine, with a rule broken.
    #[cfg(feature = "mutations")]
    #[must_use]
    pub fn breaking(mut self, mutation: Option<crate::Mutation>) -> Self {
        if let Some(sessions) = &mut self.sessions {
            sessions.mutation = mutation;
        }
        self
    }

    /// Takes in that the store has made its first writes durable. One mark at a time is enough: when it is durable, the
    /// next one is set.
    fn writes_are_durable(&mut self, writes: u64) {
        if writes >= self.writes {
            return self.is_durable_through(self.applied);
        }
        if let Some(mark) = self.pending.take_if(|mark| writes >= mark.writes) {
            self.is_durable_through(Some(mark.last));
        }
        if self.pending.is_none() {
            self.pending = self.applied.map(|last| Mark { writes: self.writes, last });
        }
    }

    fn is_durable_through(&mut self, last: Option<EntryId>) {
        self.durable = last;
        self.pending = None;
        self.unflushed_bytes = 0;
    }

    /// Writes a run of entries and returns the databases that it created.
    fn write(
        &mut self,
        entries: &[Committed],
        last: EntryId,
        results: &mut Vec<Bytes>,
    ) -> Result<Vec<(String, DatabaseId)>, EngineError> {
        let mut sessions = match self.sessions.take() {
            Some(sessions) => sessions,
            None => Sessions::load(&*self.store.snapshot()?)?,
        };
        let mut plan = Plan::new(&self.catalog, &mut sessions, &mut self.bytes);
        for entry in entries {
            results.push(plan.add(entry)?);
        }
        plan.mark(last, self.applied.is_none());
        self.store.write(&plan.operations())?;
        self.writes += 1;
        let created = plan.into_created();
        self.sessions = Some(sessions);
        Ok(created)
    }
}

impl Engine for KvEngine {
    fn applied(&self) -> Option<EntryId> {
        self.applied
    }

    /// # Panics
    /// If the entries do not follow the last one applied, which is a bug of ours.
    fn apply(&mut self, entries: &[Committed], results: &mut Vec<Bytes>) -> Result<(), EngineError> {
        let Some(last) = entries.last() else { return Ok(()) };
        assert_in_order(self.applied, entries);
        let results_before = results.len();
        let created =
            self.write(entries, last.id, results).inspect_err(|_| results.truncate(results_before))?;
        for (name, id) in created {
            self.catalog.insert(name, id);
        }
        self.applied = Some(last.id);
        self.unflushed_bytes += entries.iter().map(|entry| entry.payload.len()).sum::<usize>();
        self.bytes.clear();
        self.bytes.shrink_to(KEPT_BYTES_MAX);
        Ok(())
    }

    fn flush(&mut self) -> Result<Option<EntryId>, EngineError> {
        if self.store.flush()? {
            self.is_durable_through(self.applied);
        }
        Ok(self.durable)
    }

    fn checkpoint(&mut self) -> Result<Option<EntryId>, EngineError> {
        match self.store.checkpoint()? {
            Checkpoint::Nothing => {}
            Checkpoint::Everything => self.is_durable_through(self.applied),
            Checkpoint::Writes(writes) => {
                self.writes_are_durable(writes);
                if self.unflushed_bytes >= UNFLUSHED_BYTES_MAX {
                    return self.flush();
                }
            }
        }
        Ok(self.durable)
    }
}

fn assert_in_order(applied: Option<EntryId>, entries: &[Committed]) {
    let mut before = applied;
    for entry in entries {
        assert_eq!(
            entry.id.vlsn,
            Vlsn::after(before.map(|id| id.vlsn)),
            "entries are applied in order, each once"
        );
        assert!(before.is_none_or(|id| id.term <= entry.id.term), "terms of applied entries never decrease");
        before = Some(entry.id);
    }
}

#[cfg(test)]
mod tests;

use crate::WriteError;
use bytes::Bytes;
use quorate_codec::{DatabaseId, Envelope, Operation, Operations, PayloadKind, ReadSet};
use quorate_core::{EntryId, GroupUuid, TermTable, Vlsn};
use quorate_policy::CommitToken;
use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;
use std::sync::Arc;

/// The keys that a master's latest entries have written, to check what transactions have read.
///
/// ```text
///  log:  ... | start | entry entry entry | entry entry |
///              |     |<---- indexed ---->|<- pending ->|      pending entries are indexed by the next check
///              |     |<------------- window ---------->|
///              oldest snapshot that can be checked
/// ```
///
/// 1. The window has no gap: it covers every entry behind its start, committed or not, up to the last one
///    recorded, which may not have been written yet. 2. It lies within one term: its master has appended
///    every entry in it. 3. It is bounded: the oldest entries leave it, and its start moves on.
/// 4. A check that passes is right: nothing that was read has been written since. One that fails may be wrong
///    only about entries that had no effect.
///
/// Without transactions nothing is indexed, and an entry costs next to nothing.
#[derive(Debug)]
pub struct Conflicts {
    start: EntryId,
    last: Vlsn,
    limits: Limits,
    pending: VecDeque<(Vlsn, Bytes)>,
    pending_bytes: usize,
    /// Oldest first.
    writes: VecDeque<KeyWrite>,
    write_bytes: usize,
    latest: BTreeMap<DatabaseId, BTreeMap<Arc<[u8]>, Vlsn>>,
}

/// Why what was read cannot be built upon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// Something of it was written since.
    Written {
        /// The last entry that did so.
        by: EntryId,
    },
    /// It was read before the window begins.
    TooOld {
        /// The oldest entry as of which can be read.
        oldest: EntryId,
    },
}

/// How much a window holds.
#[derive(Clone, Copy, Debug)]
struct Limits {
    /// Keys that are indexed.
    keys: usize,
    /// Memory for them in bytes.
    bytes: usize,
    /// Entries that are not indexed yet.
    pending: usize,
    /// Their payloads in bytes.
    pending_bytes: usize,
}

const LIMITS: Limits = Limits { keys: 65_536, bytes: 16 << 20, pending: 8192, pending_bytes: 8 << 20 };

/// What an indexed key takes beside itself.
const KEY_OVERHEAD_BYTES: usize = 128;

/// One key written by one entry.
#[derive(Debug)]
struct KeyWrite {
    vlsn: Vlsn,
    database: DatabaseId,
    key: Arc<[u8]>,
    /// The entry that had written it last.
    before: Option<Vlsn>,
}

impl Conflicts {
    /// A window that begins behind `start`, an entry of the term that the master leads.
    #[must_use]
    pub const fn new(start: EntryId) -> Self {
        Self::with_limits(start, LIMITS)
    }

    const fn with_limits(start: EntryId, limits: Limits) -> Self {
        Self {
            start,
            last: start.vlsn,
            limits,
            pending: VecDeque::new(),
            pending_bytes: 0,
            writes: VecDeque::new(),
            write_bytes: 0,
            latest: BTreeMap::new(),
        }
    }

    /// The oldest entry as of which can be read. Its term is the window's.
    #[must_use]
    pub const fn start(&self) -> EntryId {
        self.start
    }

    /// Whether what a write of `group` has read still holds. `reads`, an encoded [`ReadSet`], came from anybody;
    /// `terms` are those of the master's log.
    ///
    /// # Errors
    /// [`WriteError::Malformed`] if `reads` is no read set; [`WriteError::Conflict`] if something that was read has
    /// been written since; [`WriteError::SnapshotTooOld`] if nobody can tell any more.
    pub fn check_encoded(
        &mut self,
        group: GroupUuid,
        terms: &TermTable,
        reads: &[u8],
    ) -> Result<(), WriteError> {
        if reads.is_empty() {
            return Ok(());
        }
        let reads =
            ReadSet::decode(reads).map_err(|error| WriteError::Malformed { detail: error.to_string() })?;
        let is_ours = |id: EntryId| terms.term_at(id.vlsn) == Some(id.term);
        let oldest = self.start;
        let checked = match reads.snapshot() {
            Some(snapshot) if is_ours(snapshot) => self.check(&reads),
            _ => Err(Obstacle::TooOld { oldest }),
        };
        let token = |id| CommitToken::new(group, id);
        checked.map_err(|obstacle| match obstacle {
            Obstacle::Written { by } => WriteError::Conflict { by: token(by) },
            Obstacle::TooOld { oldest } => WriteError::SnapshotTooOld { oldest: token(oldest) },
        })
    }

    /// Takes in the entry at `vlsn`, which follows all those before: it is about to be written.
    pub fn record(&mut self, vlsn: Vlsn, payload: Bytes) {
        assert!(vlsn > self.last, "entries are recorded in order");
        self.last = vlsn;
        self.pending_bytes += payload.len();
        self.pending.push_back((vlsn, payload));
        while self.pending.len() > self.limits.pending || self.pending_bytes > self.limits.pending_bytes {
            self.drop_oldest_pending();
        }
    }

    /// Forgets the entries behind `keep`: they were not written after all.
    pub fn forget_after(&mut self, keep: Vlsn) {
        while let Some((_, payload)) = self.pending.pop_back_if(|(vlsn, _)| *vlsn > keep) {
            self.pending_bytes -= payload.len();
        }
        while let Some(write) = self.writes.pop_back_if(|write| write.vlsn > keep) {
            self.write_bytes -= write.bytes();
            let Some(keys) = self.latest.get_mut(&write.database) else { continue };
            match write.before.filter(|before| *before > self.start.vlsn) {
                Some(before) => drop(keys.insert(write.key, before)),
                None => drop(keys.remove(&write.key)),
            }
        }
        self.start.vlsn = self.start.vlsn.min(keep);
        self.last = self.last.min(keep);
    }

    /// Whether nothing that was read has been written since, by any entry recorded.
    ///
    /// # Errors
    /// [`Obstacle`].
    pub fn check(&mut self, reads: &ReadSet) -> Result<(), Obstacle> {
        let snapshot = reads.snapshot().map(|id| id.vlsn).filter(|vlsn| *vlsn >= self.start.vlsn);
        let Some(snapshot) = snapshot else { return Err(Obstacle::TooOld { oldest: self.start }) };
        if snapshot >= self.last {
            return Ok(());
        }
        self.index_pending();
        if snapshot < self.start.vlsn {
            return Err(Obstacle::TooOld { oldest: self.start });
        }
        let points = reads.points().filter_map(|(database, key)| self.latest.get(&database)?.get(key));
        let ranges = reads.ranges().filter_map(|(database, start, end)| self.latest_in(database, start, end));
        match points.copied().chain(ranges).max() {
            Some(vlsn) if vlsn > snapshot => {
                Err(Obstacle::Written { by: EntryId { term: self.start.term, vlsn } })
            }
            _ => Ok(()),
        }
    }

    /// The last entry that has written a key from `start` to before `end`, which lies behind it.
    fn latest_in(&self, database: DatabaseId, start: &[u8], end: Option<&[u8]>) -> Option<Vlsn> {
        let bounds = (Bound::Included(start), end.map_or(Bound::Unbounded, Bound::Excluded));
        self.latest.get(&database)?.range::<[u8], _>(bounds).map(|(_, vlsn)| *vlsn).max()
    }

    fn index_pending(&mut self) {
        while let Some((vlsn, payload)) = self.pending.pop_front() {
            self.pending_bytes -= payload.len();
            keys_written(&payload, |database, key| self.index(vlsn, database, key));
        }
        while self.writes.len() > self.limits.keys || self.write_bytes > self.limits.bytes {
            self.drop_oldest_write();
        }
    }

    fn index(&mut self, vlsn: Vlsn, database: DatabaseId, key: &[u8]) {
        let keys = self.latest.entry(database).or_default();
        let before = keys.get(key).copied();
        if before == Some(vlsn) {
            return;
        }
        let key: Arc<[u8]> = Arc::from(key);
        keys.insert(Arc::clone(&key), vlsn);
        let write = KeyWrite { vlsn, database, key, before };
        self.write_bytes += write.bytes();
        self.writes.push_back(write);
    }

    fn drop_oldest_write(&mut self) {
        let Some(write) = self.writes.pop_front() else { return };
        self.write_bytes -= write.bytes();
        self.start.vlsn = self.start.vlsn.max(write.vlsn);
        let Some(keys) = self.latest.get_mut(&write.database) else { return };
        if keys.get(&write.key) == Some(&write.vlsn) {
            keys.remove(&write.key);
        }
        if keys.is_empty() {
            self.latest.remove(&write.database);
        }
    }

    /// Everything that is indexed is older, and goes too.
    fn drop_oldest_pending(&mut self) {
        let Some((vlsn, payload)) = self.pending.pop_front() else { return };
        self.pending_bytes -= payload.len();
        self.start.vlsn = self.start.vlsn.max(vlsn);
        self.writes.clear();
        self.write_bytes = 0;
        self.latest.clear();
    }
}

impl KeyWrite {
    fn bytes(&self) -> usize {
        self.key.len() + KEY_OVERHEAD_BYTES
    }
}

/// Calls `take` for every key that a payload writes. Its operations have been checked.
fn keys_written(payload: &[u8], mut take: impl FnMut(DatabaseId, &[u8])) {
    let Ok(Envelope { kind: PayloadKind::WriteBatch, body, .. }) = Envelope::decode(payload) else { return };
    for operation in Operations::new(body).flatten() {
        match operation {
            Operation::Put { database, key, .. } | Operation::Delete { database, key } => take(database, key),
            Operation::CreateDatabase { .. } => {}
        }
    }
}

use bytes::Bytes;
use quorate_core::{EntryId, GroupUuid, TermTable, Time, Vlsn};
use quorate_policy::{
    CommitDurability, CommitToken, ReplicaAckPolicy, SyncPolicy, TokenVerdict, token_verdict,
};
use quorate_replica::Progress;
use std::collections::VecDeque;

/// The writes that wait for the acknowledgements they asked for. `T` is whom to tell.
///
/// ```text
///  register --acks none----> local ------------------------------------------> Written
///           --others-------> undecided --> committed --acks majority---------> Done
///                                |             |
///                                |             +--acks all--> unacknowledged -> Done
///                                +--------------------------------------------> Lost
/// ```
///
/// 1. Each write waits for its own position only. 2. Every write leaves: by its outcome, or at its
///    deadline. 3. That a master steps down decides nothing: its successor may commit the entry. Nor does a
///    truncation here: another node may hold the entry yet, and win. Lost is a write only once a committed
///    entry stands in its way.
///
/// Call [`advance`](Self::advance) after every event of the node and before the next
/// [`register`](Self::register).
#[derive(Debug)]
pub struct CommitWaiters<T> {
    local: [VecDeque<Waiter<T>>; 3],
    undecided: VecDeque<Waiter<T>>,
    committed: VecDeque<Waiter<T>>,
    unacknowledged: [VecDeque<Waiter<T>>; 2],
}

#[derive(Debug)]
struct Waiter<T> {
    id: EntryId,
    durability: CommitDurability,
    deadline: Time,
    result: Bytes,
    whom: T,
}

/// What became of a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommitOutcome {
    /// It is committed, applied here, and acknowledged as its policy asks.
    Done {
        /// The entry.
        id: EntryId,
        /// What the engine said of it.
        result: Bytes,
    },
    /// The master's own copy is as durable as asked; nobody else was asked.
    Written {
        /// The entry.
        id: EntryId,
    },
    /// It will never be committed: a committed entry of another master excludes it.
    Lost {
        /// The entry.
        id: EntryId,
    },
    /// Its acknowledgements did not come in time; it may still be committed.
    Unknown {
        /// The entry.
        id: EntryId,
        /// What was asked for it.
        durability: CommitDurability,
    },
}

impl CommitOutcome {
    /// The entry that the write was proposed as.
    #[must_use]
    pub const fn id(&self) -> EntryId {
        match self {
            Self::Done { id, .. } | Self::Written { id } | Self::Lost { id } | Self::Unknown { id, .. } => {
                *id
            }
        }
    }
}

/// Whom to tell, and what.
pub type Resolved<T> = Vec<(T, CommitOutcome)>;

impl<T> CommitWaiters<T> {
    /// Nobody waits.
    #[must_use]
    pub fn new() -> Self {
        Self {
            local: [VecDeque::new(), VecDeque::new(), VecDeque::new()],
            undecided: VecDeque::new(),
            committed: VecDeque::new(),
            unacknowledged: [VecDeque::new(), VecDeque::new()],
        }
    }

    /// Takes in a write that was proposed as the entry `id`. One whose deadline comes before that of a write
    /// registered earlier may be given up as late as that.
    pub fn register(&mut self, id: EntryId, durability: CommitDurability, deadline: Time, whom: T) {
        let waiter = Waiter { id, durability, deadline, result: Bytes::new(), whom };
        let queue = match durability.acks {
            ReplicaAckPolicy::None => &mut self.local[place(durability.local)],
            ReplicaAckPolicy::All | ReplicaAckPolicy::SimpleMajority => &mut self.undecided,
        };
        let follows = queue.back().is_none_or(|last| last.id.vlsn < id.vlsn && last.id.term <= id.term);
        assert!(follows, "writes are registered in the order of their entries");
        queue.push_back(waiter);
    }

    /// How many writes wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.queues().map(VecDeque::len).sum()
    }

    /// Whether no write waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes in what the engine said of committed entries: `results[0]` of the one at `first`, and so on.
    /// It may come before the [`advance`](Self::advance) that finds them committed.
    pub fn applied(&mut self, first: Vlsn, results: &[Bytes]) {
        for queue in [&mut self.committed, &mut self.undecided] {
            let start = queue.partition_point(|waiter| waiter.id.vlsn < first);
            for waiter in queue.range_mut(start..) {
                let Some(result) = results.get(waiter.id.vlsn.since(first) as usize) else { break };
                waiter.result = result.clone();
            }
        }
    }

    /// Takes in how far the node has come, and returns the writes whose outcome that decides. `terms` are
    /// those of everything handed to the log writer.
    pub fn advance(&mut self, progress: &Progress, terms: &TermTable) -> Resolved<T> {
        let mut resolved = Vec::new();
        self.decide(progress, terms, &mut resolved);
        self.release_local(progress, terms, &mut resolved);
        self.release_applied(progress, &mut resolved);
        self.release_acknowledged(progress, &mut resolved);
        resolved
    }

    /// Gives up the writes whose deadline has come.
    pub fn expire(&mut self, now: Time) -> Resolved<T> {
        let mut expired = Vec::new();
        for queue in self.queues_mut() {
            while let Some(waiter) = queue.pop_front_if(|waiter| waiter.deadline <= now) {
                let outcome = CommitOutcome::Unknown { id: waiter.id, durability: waiter.durability };
                expired.push((waiter.whom, outcome));
            }
        }
        expired
    }

    /// When to call [`expire`](Self::expire) next.
    #[must_use]
    pub fn deadline(&self) -> Option<Time> {
        self.queues().filter_map(|queue| queue.front()).map(|waiter| waiter.deadline).min()
    }

    /// Gives up all writes: the node will not learn their outcome any more.
    pub fn abandon(&mut self) -> Resolved<T> {
        self.expire(Time::from_nanos(u64::MAX))
    }

    /// Finds out what the commit point says of the writes that it was not known of.
    fn decide(&mut self, progress: &Progress, terms: &TermTable, resolved: &mut Resolved<T>) {
        let committed = progress.watermarks.committed;
        while let Some(waiter) = self.undecided.front() {
            let verdict = judge(waiter.id, terms, committed);
            if verdict == TokenVerdict::Pending {
                break;
            }
            let Some(waiter) = self.undecided.pop_front() else { break };
            match verdict {
                TokenVerdict::CommitLost { .. } => resolved.push(waiter.lost()),
                _ => self.committed.push_back(waiter),
            }
        }
    }

    fn release_local(&mut self, progress: &Progress, terms: &TermTable, resolved: &mut Resolved<T>) {
        let marks = progress.watermarks;
        for (queue, held) in self.local.iter_mut().zip([terms.last_vlsn(), marks.written, marks.durable]) {
            while let Some(waiter) = queue.front() {
                let id = waiter.id;
                let verdict = judge(id, terms, marks.committed);
                let is_held = Some(id.vlsn) <= held && is_in(id, terms);
                if verdict == TokenVerdict::Pending && !is_held {
                    break;
                }
                let Some(waiter) = queue.pop_front() else { break };
                let is_lost = matches!(verdict, TokenVerdict::CommitLost { .. });
                resolved.push(if is_lost { waiter.lost() } else { waiter.written() });
            }
        }
    }

    fn release_applied(&mut self, progress: &Progress, resolved: &mut Resolved<T>) {
        let applied = progress.watermarks.applied;
        while let Some(waiter) = self.committed.pop_front_if(|waiter| Some(waiter.id.vlsn) <= applied) {
            match waiter.durability.acks {
                ReplicaAckPolicy::All => {
                    let needs_sync = waiter.durability.replica == SyncPolicy::Sync;
                    self.unacknowledged[usize::from(needs_sync)].push_back(waiter);
                }
                ReplicaAckPolicy::SimpleMajority | ReplicaAckPolicy::None => resolved.push(waiter.done()),
            }
        }
    }

    fn release_acknowledged(&mut self, progress: &Progress, resolved: &mut Resolved<T>) {
        let held = progress.held_by_all;
        for (queue, held) in self.unacknowledged.iter_mut().zip([held.written, held.durable]) {
            while let Some(waiter) = queue.pop_front_if(|waiter| Some(waiter.id.vlsn) <= held) {
                resolved.push(waiter.done());
            }
        }
    }

    fn queues(&self) -> impl Iterator<Item = &VecDeque<Waiter<T>>> {
        let [written, synced] = &self.unacknowledged;
        self.local.iter().chain([&self.undecided, &self.committed, written, synced])
    }

    fn queues_mut(&mut self) -> impl Iterator<Item = &mut VecDeque<Waiter<T>>> {
        let [written, synced] = &mut self.unacknowledged;
        self.local.iter_mut().chain([&mut self.undecided, &mut self.committed, written, synced])
    }
}

impl<T> Default for CommitWaiters<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Waiter<T> {
    fn done(self) -> (T, CommitOutcome) {
        (self.whom, CommitOutcome::Done { id: self.id, result: self.result })
    }

    fn written(self) -> (T, CommitOutcome) {
        (self.whom, CommitOutcome::Written { id: self.id })
    }

    fn lost(self) -> (T, CommitOutcome) {
        (self.whom, CommitOutcome::Lost { id: self.id })
    }
}

/// The queue of a write that asks for nothing but the master's own copy: the one of all that was handed to
/// the log writer, written, or fsynced.
const fn place(local: SyncPolicy) -> usize {
    match local {
        SyncPolicy::NoSync => 0,
        SyncPolicy::WriteNoSync => 1,
        SyncPolicy::Sync => 2,
    }
}

/// Whether an entry is committed, by the rule that judges tokens; of its own group, and as if everything
/// committed were applied.
fn judge(id: EntryId, terms: &TermTable, committed: Option<Vlsn>) -> TokenVerdict {
    const OWN: GroupUuid = GroupUuid(0);
    token_verdict(&CommitToken::new(OWN, id), OWN, terms, committed, committed)
}

/// Whether the log holds the entry, or held it until it was trimmed.
fn is_in(id: EntryId, terms: &TermTable) -> bool {
    terms.term_at(id.vlsn) == Some(id.term) || terms.base().is_some_and(|base| id.vlsn < base.vlsn)
}

use crate::freshness::Freshness;
use quorate_core::{EntryId, GroupUuid, TermTable, Time, Vlsn};
use quorate_policy::{CommitToken, ConsistencyPolicy, TokenVerdict, token_verdict};
use quorate_replica::{Progress, ReadId};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// The reads that wait until this node may serve them. `T` is whom to tell.
///
/// A read that names a commit waits until that is applied here. A linearizable read is handed to the node,
/// which finds the position to wait for. Reads that bound the age of what they see share one question to the
/// node: once what it answers is applied here, everything is known that was acknowledged before it was asked.
/// Where the node fails to answer, or a message is lost, it is asked again: when its state changes, and at
/// intervals.
///
/// 1. Every read leaves at its deadline at the latest. 2. Each waits for its own position only. 3. The age of
///    what is applied is judged at the moment when a read is released, whatever happened since it came.
#[derive(Debug)]
pub struct ReadWaiters<T> {
    reads: BTreeMap<ReadId, Read<T>>,
    tokens: BTreeSet<(Vlsn, ReadId)>,
    /// When the node is to be asked for a position, next.
    questions: BTreeSet<(Time, ReadId)>,
    positions: BTreeSet<(Option<Vlsn>, ReadId)>,
    /// How old what each read sees may be.
    lags: BTreeSet<(Duration, ReadId)>,
    freshness: Freshness,
    deadlines: BTreeSet<(Time, ReadId)>,
    last: u64,
    /// The last committed entry when tokens were judged last; `None` if some token has not been judged.
    judged: Option<EntryId>,
}

#[derive(Debug)]
struct Read<T> {
    stage: Stage,
    deadline: Time,
    whom: T,
}

#[derive(Clone, Copy, Debug)]
enum Stage {
    Token(CommitToken),
    Asking { next: Time },
    Position(Option<Vlsn>),
    Lag(Duration),
}

/// What became of a read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadOutcome {
    /// This node may serve it now.
    Ready,
    /// The commit named was rolled back: no node will ever hold it.
    CommitLost {
        /// The committed entry that excludes it.
        by: EntryId,
    },
    /// The log no longer tells whether the commit named ever was.
    TokenTooOld,
    /// The commit named is another group's.
    ForeignGroup,
    /// Its time is over.
    TimedOut,
}

/// Nobody waits.
impl<T> Default for ReadWaiters<T> {
    fn default() -> Self {
        Self::new()
    }
}

/// Whom to tell, and what.
pub type ResolvedReads<T> = Vec<(T, ReadOutcome)>;

impl<T> ReadWaiters<T> {
    /// Nobody waits.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            reads: BTreeMap::new(),
            tokens: BTreeSet::new(),
            questions: BTreeSet::new(),
            positions: BTreeSet::new(),
            lags: BTreeSet::new(),
            freshness: Freshness::UNKNOWN,
            deadlines: BTreeSet::new(),
            last: 0,
            judged: None,
        }
    }

    /// Takes in a read. Ask the node for [`take_questions`](Self::take_questions) next, then
    /// [`advance`](Self::advance).
    pub fn register(&mut self, now: Time, policy: &ConsistencyPolicy, deadline: Time, whom: T) {
        let read = self.next_id();
        let stage = match policy {
            ConsistencyPolicy::CommitPointConsistency { token, .. } => {
                self.tokens.insert((token.vlsn, read));
                self.judged = None;
                Stage::Token(*token)
            }
            ConsistencyPolicy::TimeConsistency { lag, .. } if !lag.is_zero() => {
                self.lags.insert((*lag, read));
                Stage::Lag(*lag)
            }
            ConsistencyPolicy::Linearizable { .. } | ConsistencyPolicy::TimeConsistency { .. } => {
                self.questions.insert((now, read));
                Stage::Asking { next: now }
            }
            _ => {
                self.positions.insert((None, read));
                Stage::Position(None)
            }
        };
        self.deadlines.insert((deadline, read));
        self.reads.insert(read, Read { stage, deadline, whom });
    }

    /// The reads that the node is to be asked for, now, and again after `retry_interval` while it does not answer.
    pub fn take_questions(&mut self, now: Time, retry_interval: Duration) -> Vec<ReadId> {
        let due: Vec<_> = self.questions.iter().copied().take_while(|(at, _)| *at <= now).collect();
        for (_, read) in &due {
            self.ask_at(*read, now + retry_interval);
        }
        let shared = self.shared_question(now, retry_interval);
        due.into_iter().map(|(_, read)| read).chain(shared).collect()
    }

    /// A question on behalf of all reads that bound the age of what they see, if one of them needs it now. It
    /// has a name of its own each time, so that an answer tells when it was asked.
    fn shared_question(&mut self, now: Time, retry_interval: Duration) -> Option<ReadId> {
        let (lag, _) = *self.lags.first()?;
        if self.freshness.is_within(lag, now) || self.freshness.asks_next()? > now {
            return None;
        }
        let read = self.next_id();
        self.freshness.asked(read, now, retry_interval);
        Some(read)
    }

    /// The node has found the position that a read must wait for.
    pub fn ready(&mut self, read: ReadId, at: Option<Vlsn>) {
        self.freshness.answered(read, at);
        let Some(waiting) = self.reads.get_mut(&read) else { return };
        if let Stage::Asking { next } = waiting.stage {
            waiting.stage = Stage::Position(at);
            self.questions.remove(&(next, read));
            self.positions.insert((at, read));
        }
    }

    /// The node's state has changed: it is asked again for all reads that it has not answered.
    pub fn state_changed(&mut self, now: Time) {
        let asking: Vec<_> = self.questions.iter().map(|(_, read)| *read).collect();
        for read in asking {
            self.ask_at(read, now);
        }
        self.freshness.ask_again(now);
    }

    /// As of when everything acknowledged anywhere is known to be applied here.
    #[must_use]
    pub const fn fresh_as_of(&self) -> Option<Time> {
        self.freshness.as_of()
    }

    /// Takes in how far the node has come, and returns the reads that this decides. `group` is the node's,
    /// once it has one.
    pub fn advance(
        &mut self,
        now: Time,
        progress: &Progress,
        terms: &TermTable,
        group: Option<GroupUuid>,
    ) -> ResolvedReads<T> {
        let mut resolved = Vec::new();
        self.release_positions(progress.watermarks.applied, &mut resolved);
        self.freshness.applied(progress.watermarks.applied);
        self.release_lags(now, &mut resolved);
        if let Some(group) = group {
            self.judge_tokens(progress, terms, group, &mut resolved);
        }
        resolved
    }

    /// Gives up the reads whose deadline has come.
    pub fn expire(&mut self, now: Time) -> ResolvedReads<T> {
        let mut expired = Vec::new();
        while let Some((deadline, read)) = self.deadlines.first().copied()
            && deadline <= now
        {
            self.resolve(read, ReadOutcome::TimedOut, &mut expired);
        }
        expired
    }

    /// When to come back: for [`expire`](Self::expire) or [`take_questions`](Self::take_questions).
    #[must_use]
    pub fn deadline(&self) -> Option<Time> {
        let first = |times: &BTreeSet<(Time, ReadId)>| times.first().map(|(at, _)| *at);
        let shared = if self.lags.is_empty() { None } else { self.freshness.asks_next() };
        [first(&self.deadlines), first(&self.questions), shared].into_iter().flatten().min()
    }

    /// How many reads wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.reads.len()
    }

    /// Whether no read waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.reads.is_empty()
    }

    /// Gives up all reads: this node serves none any more.
    pub fn abandon(&mut self) -> Vec<T> {
        let waiting = std::mem::take(self);
        waiting.reads.into_values().map(|read| read.whom).collect()
    }

    const fn next_id(&mut self) -> ReadId {
        self.last += 1;
        ReadId(self.last)
    }

    fn ask_at(&mut self, read: ReadId, at: Time) {
        let Some(waiting) = self.reads.get_mut(&read) else { return };
        if let Stage::Asking { next } = &mut waiting.stage {
            self.questions.remove(&(*next, read));
            self.questions.insert((at, read));
            *next = at;
        }
    }

    fn release_positions(&mut self, applied: Option<Vlsn>, resolved: &mut ResolvedReads<T>) {
        while let Some((position, read)) = self.positions.first().copied()
            && position <= applied
        {
            self.resolve(read, ReadOutcome::Ready, resolved);
        }
    }

    /// Releases the reads that allow what they see to be as old as it is.
    fn release_lags(&mut self, now: Time, resolved: &mut ResolvedReads<T>) {
        let Some(as_of) = self.freshness.as_of() else { return };
        let allowing = self.lags.range((now.since(as_of), ReadId(0))..);
        for (_, read) in allowing.copied().collect::<Vec<_>>() {
            self.resolve(read, ReadOutcome::Ready, resolved);
        }
    }

    /// Tokens up to what is applied can be judged for good; those beyond can only be lost, to a later term.
    fn judge_tokens(
        &mut self,
        progress: &Progress,
        terms: &TermTable,
        group: GroupUuid,
        resolved: &mut ResolvedReads<T>,
    ) {
        if self.tokens.is_empty() {
            return;
        }
        let marks = progress.watermarks;
        let committed = marks.committed.and_then(|vlsn| terms.entry_at(vlsn));
        let all = self.judged.is_none_or(|judged| committed.is_some_and(|entry| entry.term > judged.term));
        let near = self.tokens.iter().copied().take_while(|(vlsn, _)| all || Some(*vlsn) <= marks.applied);
        for (_, read) in near.collect::<Vec<_>>() {
            let Some(Stage::Token(token)) = self.reads.get(&read).map(|read| read.stage) else { continue };
            let outcome = match token_verdict(&token, group, terms, marks.committed, marks.applied) {
                TokenVerdict::Pending => continue,
                TokenVerdict::Met => ReadOutcome::Ready,
                TokenVerdict::CommitLost { by } => ReadOutcome::CommitLost { by },
                TokenVerdict::TokenTooOld => ReadOutcome::TokenTooOld,
                _ => ReadOutcome::ForeignGroup,
            };
            self.resolve(read, outcome, resolved);
        }
        self.judged = committed;
    }

    fn resolve(&mut self, read: ReadId, outcome: ReadOutcome, resolved: &mut ResolvedReads<T>) {
        let Some(waiting) = self.reads.remove(&read) else { return };
        self.deadlines.remove(&(waiting.deadline, read));
        match waiting.stage {
            Stage::Token(token) => drop(self.tokens.remove(&(token.vlsn, read))),
            Stage::Asking { next } => drop(self.questions.remove(&(next, read))),
            Stage::Position(at) => drop(self.positions.remove(&(at, read))),
            Stage::Lag(lag) => drop(self.lags.remove(&(lag, read))),
        }
        resolved.push((waiting.whom, outcome));
    }
}

use super::{TransactError, TransactOptions};
use crate::core::{Core, with_result};
use crate::{ClientSession, Committed, Outcome, ReadError, Snapshot, WriteError, WriteRequest, kv};
use quorate_codec::{ReadSet, Session, WriteBatch};
use quorate_core::Time;
use quorate_policy::{CommitDurability, CommitToken, ConsistencyPolicy};
use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

/// The attempts at one transaction: what to wait for before each, how each is committed, and what to make of
/// what comes of it.
///
/// Each attempt has a number in a session. Where its outcome is unknown, a fence with the same number finds
/// it out, or sees to it that the attempt never takes effect; only then there is another one.
pub(super) struct Attempts<'a> {
    core: &'a Arc<Core>,
    timeout: Duration,
    deadline: Time,
    durability: CommitDurability,
    consistency: ConsistencyPolicy,
    count: u32,
    /// Why the last attempt failed.
    last: Option<WriteError>,
}

/// What became of an attempt.
enum Fate {
    Done(CommitToken),
    NotDone(WriteError),
}

/// The timeout is so many times the one for acknowledgements, by default.
const ACK_TIMEOUTS: u32 = 4;
/// Between two attempts, where there is nothing to wait for but a better time.
const PAUSE: Duration = Duration::from_millis(20);

impl<'a> Attempts<'a> {
    pub(super) fn new(core: &'a Arc<Core>, options: TransactOptions) -> Self {
        let timeout = options.timeout.unwrap_or_else(|| core.limits.ack_timeout.saturating_mul(ACK_TIMEOUTS));
        Self {
            core,
            timeout,
            deadline: core.clock.now() + timeout,
            durability: with_result(options.durability.unwrap_or(core.durability)),
            consistency: options.consistency.unwrap_or(core.consistency),
            count: 0,
            last: None,
        }
    }

    pub(super) const fn count(&self) -> u32 {
        self.count
    }

    /// The snapshot of the next attempt, once there is hope for it.
    pub(super) async fn begin<E>(&mut self) -> Result<Snapshot, TransactError<E>> {
        if let Some(error) = &self.last {
            self.pause_after(error).await;
            let policy = awaited(error, self.left());
            self.wait_for(policy).await?;
        }
        let snapshot = self.core.begin_read(self.consistency).await.map_err(TransactError::Read)?;
        self.count += 1;
        Ok(snapshot)
    }

    /// Commits an attempt. `None` if it has not taken effect and never will, but another one may.
    pub(super) async fn commit<E>(
        &mut self,
        batch: WriteBatch,
        reads: ReadSet,
    ) -> Result<Option<CommitToken>, TransactError<E>> {
        let request = WriteRequest::new(batch).durability(self.durability).reads(reads);
        self.core.limits.check_batch(&request.batch).map_err(TransactError::Refused)?;
        let mut session = match self.session().await {
            Ok(session) => session,
            Err(error) => return self.failed(error),
        };
        let number = session.next_request();
        let fate = match self.core.submit_request(&request.session(number)).await {
            Ok(committed) => Fate::Done(committed.token),
            Err(error) if error.outcome() == Outcome::NotDone => Fate::NotDone(error),
            Err(error) => self.settle(number, error).await?,
        };
        let is_spent = matches!(fate, Fate::NotDone(WriteError::SessionExpired | WriteError::StaleSequence));
        if !is_spent {
            self.core.sessions.give_back(session);
        }
        match fate {
            Fate::Done(token) => Ok(Some(token)),
            Fate::NotDone(error) => self.failed(error),
        }
    }

    /// An attempt, or the preparation of one, has failed; there may be another one if that can help.
    fn failed<E, T>(&mut self, error: WriteError) -> Result<Option<T>, TransactError<E>> {
        if !self.core.may_pass(&error) {
            return Err(TransactError::Refused(error));
        }
        self.last = Some(error);
        Ok(None)
    }

    /// A session that nobody else uses meanwhile.
    async fn session(&self) -> Result<ClientSession, WriteError> {
        match self.core.sessions.take() {
            Some(session) => Ok(session),
            None => self.core.open_session().await,
        }
    }

    /// Finds out what became of an attempt, or prevents it.
    async fn settle<E>(&self, number: Session, unknown: WriteError) -> Result<Fate, TransactError<E>> {
        let fence = WriteRequest::new(WriteBatch::new())
            .durability(self.core.durability_with_result())
            .session(number);
        loop {
            let error = match self.core.submit_request(&fence).await {
                Ok(committed) if is_fenced(&committed) => return Ok(Fate::NotDone(unknown)),
                Ok(committed) => return Ok(Fate::Done(committed.token)),
                Err(error) => error,
            };
            let told = match error {
                WriteError::SessionExpired | WriteError::StaleSequence => Err(error),
                WriteError::Closed | WriteError::Halted { .. } => Err(error),
                error if self.core.may_pass(&error) => {
                    self.pause_after(&error).await;
                    let policy = ConsistencyPolicy::Linearizable { timeout: self.left() };
                    self.wait_for::<E>(policy).await.map_err(|_| error)
                }
                // A fence asks for nothing that could be refused: this is what became of the attempt.
                error => return Ok(Fate::NotDone(error)),
            };
            if told.is_err() {
                return Err(TransactError::Unknown { source: unknown });
            }
        }
    }

    /// Lets time pass after what only time cures.
    async fn pause_after(&self, error: &WriteError) {
        if matches!(error, WriteError::Busy | WriteError::InsufficientReplicas { .. }) {
            let mut pause = self.core.pause(PAUSE.min(self.left()));
            poll_fn(|context| pause.poll(context)).await;
        }
    }

    /// Waits for what a policy says. That a commit waited for was lost is as good as that it was applied.
    async fn wait_for<E>(&self, policy: ConsistencyPolicy) -> Result<(), TransactError<E>> {
        if self.left().is_zero() {
            return Err(self.timed_out());
        }
        match self.core.begin_read(policy).await {
            Ok(_) | Err(ReadError::CommitLost { .. } | ReadError::TokenTooOld { .. }) => Ok(()),
            Err(ReadError::TimedOut { .. }) => Err(self.timed_out()),
            Err(error) => Err(TransactError::Read(error)),
        }
    }

    fn timed_out<E>(&self) -> TransactError<E> {
        TransactError::TimedOut { timeout: self.timeout, attempts: self.count, last: self.last.clone() }
    }

    fn left(&self) -> Duration {
        self.core.clock.until(self.deadline)
    }
}

/// What is to be waited for after an attempt has failed: that what came between is visible here, or that a
/// master answers.
const fn awaited(error: &WriteError, timeout: Duration) -> ConsistencyPolicy {
    match error {
        WriteError::Conflict { by: token } | WriteError::SnapshotTooOld { oldest: token } => {
            ConsistencyPolicy::CommitPointConsistency { token: *token, timeout }
        }
        _ => ConsistencyPolicy::Linearizable { timeout },
    }
}

fn is_fenced(committed: &Committed) -> bool {
    kv::Outcome::decode(&committed.result) == Some(kv::Outcome::Fenced)
}

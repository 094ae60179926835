use crate::ReadError;
use crate::core::Core;
use crate::slot::{self, Slot};
use quorate_core::Time;
use quorate_policy::ConsistencyPolicy;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

/// The right to read what is applied here, under way: what a policy asks for is waited for, and then what is
/// to be read is taken.
///
/// Where a policy bounds the age of what is read, that age is looked at again once it was taken: a process
/// that was stopped in between asks anew.
pub(crate) struct Admission {
    core: Arc<Core>,
    policy: ConsistencyPolicy,
    deadline: Time,
    slot: Slot<Answer>,
}

/// What the event loop says to a read.
pub(crate) type Answer = Result<Grant, ReadError>;

/// A read may be served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Grant {
    /// Until when what is applied is recent enough; `None` for ever.
    pub(crate) until: Option<Time>,
}

impl Admission {
    /// Begins to wait for what a policy asks for.
    pub(crate) fn begin(core: &Arc<Core>, policy: ConsistencyPolicy) -> Self {
        let at_once = || slot::answered(Ok(Grant { until: None }));
        let (deadline, slot) = match policy.timeout() {
            // It asks for nothing, not even what time it is.
            None => (Time::ZERO, at_once()),
            Some(timeout) => {
                let deadline = core.clock.now() + timeout;
                let is_leased = is_leased(core, policy);
                (deadline, if is_leased { at_once() } else { core.ask_for_read(policy, deadline) })
            }
        };
        Self { core: Arc::clone(core), policy, deadline, slot }
    }

    /// Blocks until the policy is met, then takes what is to be read.
    pub(crate) fn wait<T>(mut self, take: impl Fn(&Core) -> Result<T, ReadError>) -> Result<T, ReadError> {
        loop {
            let answer = self.slot.wait();
            if let Some(taken) = self.finish(answer, &take)? {
                return Ok(taken);
            }
        }
    }

    /// As [`wait`](Self::wait), for a future.
    pub(crate) fn poll<T>(
        &mut self,
        context: &mut Context<'_>,
        take: impl Fn(&Core) -> Result<T, ReadError>,
    ) -> Poll<Result<T, ReadError>> {
        loop {
            let answer = ready!(self.slot.poll(context));
            if let Some(taken) = self.finish(answer, &take).transpose() {
                return Poll::Ready(taken);
            }
        }
    }

    /// `None` if what was taken is too old by now, and was asked for again. The event loop has ended if there
    /// was no answer.
    fn finish<T>(
        &mut self,
        answer: Option<Answer>,
        take: impl Fn(&Core) -> Result<T, ReadError>,
    ) -> Result<Option<T>, ReadError> {
        let ended = || self.core.ended().map_or(ReadError::Closed, ReadError::from);
        let grant = answer.unwrap_or_else(|| Err(ended()))?;
        let taken = take(&self.core)?;
        if grant.until.is_none_or(|until| self.core.clock.now() <= until) {
            return Ok(Some(taken));
        }
        self.slot = self.core.ask_for_read(self.policy, self.deadline);
        Ok(None)
    }
}

/// Whether a read may be served without asking the event loop: the snapshot is taken later.
fn is_leased(core: &Core, policy: ConsistencyPolicy) -> bool {
    matches!(policy, ConsistencyPolicy::Linearizable { .. }) && core.read_lease.is_running(&core.clock)
}

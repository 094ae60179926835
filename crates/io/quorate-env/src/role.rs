use crate::{MasterAddress, StateChangeEvent, WaitError};
use quorate_core::{NodeState, Term};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long to sleep where the deadline lies beyond the clock's range; the wait goes on after it.
const FOREVER: Duration = Duration::from_secs(3600);

/// The node's state as its application sees it: set by the event loop, read and waited for by anybody.
#[derive(Debug)]
pub(crate) struct Role {
    now: Mutex<StateChangeEvent>,
    changed: Condvar,
}

impl Role {
    pub(crate) fn new() -> Self {
        let start = StateChangeEvent { state: NodeState::Unknown, term: Term::ZERO, master: None };
        Self { now: Mutex::new(start), changed: Condvar::new() }
    }

    pub(crate) fn now(&self) -> StateChangeEvent {
        self.lock().clone()
    }

    /// Changes the state, unless it is the same; nothing follows [`NodeState::Detached`]. `tell` is called,
    /// and must not block, before anybody can see the change: whoever sees it and adds a listener then
    /// finds it told.
    pub(crate) fn change(&self, event: StateChangeEvent, tell: impl FnOnce(StateChangeEvent)) {
        let mut now = self.lock();
        if *now == event || now.state == NodeState::Detached {
            return;
        }
        tell(event.clone());
        *now = event;
        drop(now);
        self.changed.notify_all();
    }

    /// Blocks until the state satisfies `wanted` and returns it.
    pub(crate) fn wait(
        &self,
        timeout: Duration,
        wanted: impl Fn(&StateChangeEvent) -> bool,
    ) -> Result<StateChangeEvent, WaitError> {
        let deadline = Instant::now().checked_add(timeout);
        let mut now = self.lock();
        loop {
            if wanted(&now) {
                return Ok(now.clone());
            }
            if now.state == NodeState::Detached {
                return Err(WaitError::Detached);
            }
            let left = deadline.map_or(FOREVER, |at| at.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return Err(WaitError::TimedOut { timeout, last: now.clone() });
            }
            now = self.changed.wait_timeout(now, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Blocks until a master is known.
    pub(crate) fn wait_for_master(&self, timeout: Duration) -> Result<MasterAddress, WaitError> {
        let found = self.wait(timeout, |event| event.master.is_some())?;
        found.master.ok_or(WaitError::Detached)
    }

    /// No code panics while it holds the lock.
    fn lock(&self) -> MutexGuard<'_, StateChangeEvent> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

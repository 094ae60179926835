use crate::ClientSession;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The environment's own sessions that no transaction uses at present.
///
/// Whoever takes one is its only user until it is given back, so numbers are used in order.
#[derive(Debug, Default)]
pub(crate) struct SessionPool(Mutex<Vec<ClientSession>>);

/// More are forgotten; the group forgets them in time.
const SESSIONS_MAX: usize = 1024;

impl SessionPool {
    /// The session used last, if there is any: that keeps those in use fresh.
    pub(crate) fn take(&self) -> Option<ClientSession> {
        self.lock().pop()
    }

    /// Takes a session back whose requests are all settled.
    pub(crate) fn give_back(&self, session: ClientSession) {
        let mut sessions = self.lock();
        if sessions.len() < SESSIONS_MAX {
            sessions.push(session);
        }
    }

    /// No code panics while it holds the lock.
    fn lock(&self) -> MutexGuard<'_, Vec<ClientSession>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

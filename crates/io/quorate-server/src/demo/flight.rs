use super::{DemoError, Killer};
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// Counts the writes under way, and kills the master when the time has come.
///
/// The kill happens while the count is held still: what counts as under way had been sent and had not been
/// answered at that moment.
#[derive(Debug)]
pub struct Flight(Mutex<State>);

#[derive(Debug)]
struct State {
    unanswered: u64,
    acked: u64,
    kill_at: u64,
    last_ack_by: Option<usize>,
    killers: Vec<Killer>,
    kill: Option<Kill>,
    first_ack_after_kill: Option<Instant>,
    failure: Option<io::Error>,
}

/// The death of a master.
#[derive(Clone, Copy, Debug)]
pub struct Kill {
    /// Which node was killed.
    pub node: usize,
    /// When.
    pub at: Instant,
    /// How many writes had been sent and not answered.
    pub in_flight: u64,
}

impl Flight {
    /// Kills the master, one of `killers`, as soon as `kill_at` writes are acknowledged and another one is
    /// under way.
    #[must_use]
    pub const fn new(kill_at: u64, killers: Vec<Killer>) -> Self {
        Self(Mutex::new(State {
            unanswered: 0,
            acked: 0,
            kill_at,
            last_ack_by: None,
            killers,
            kill: None,
            first_ack_after_kill: None,
            failure: None,
        }))
    }

    /// A write has been sent to `node`.
    pub fn sent(&self, node: usize) {
        let mut state = self.lock();
        state.unanswered += 1;
        if state.last_ack_by.is_none_or(|master| master == node) {
            state.kill_if_due(node);
        }
    }

    /// `node` has acknowledged a write.
    pub fn acknowledged(&self, node: usize) {
        let mut state = self.lock();
        state.answered();
        state.acked += 1;
        state.last_ack_by = Some(node);
        if state.kill.is_some_and(|kill| kill.node != node) && state.first_ack_after_kill.is_none() {
            state.first_ack_after_kill = Some(Instant::now());
        }
        state.kill_if_due(node);
    }

    /// A write was refused, or its connection broke.
    pub fn failed(&self) {
        self.lock().answered();
    }

    /// How many writes are acknowledged.
    #[must_use]
    pub fn acked(&self) -> u64 {
        self.lock().acked
    }

    /// The kill, once it has happened.
    ///
    /// # Errors
    /// [`DemoError::System`] if it failed.
    pub fn kill(&self) -> Result<Option<Kill>, DemoError> {
        let mut state = self.lock();
        match state.failure.take() {
            Some(error) => Err(DemoError::system("killing the master")(error)),
            None => Ok(state.kill),
        }
    }

    /// When the first write was acknowledged by another node than the one killed.
    #[must_use]
    pub fn first_ack_after_kill(&self) -> Option<Instant> {
        self.lock().first_ack_after_kill
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn answered(&mut self) {
        assert!(self.unanswered > 0, "only what was sent is answered");
        self.unanswered -= 1;
    }

    /// Kills `node`, the master as far as is known, once enough is acknowledged and something is under way.
    fn kill_if_due(&mut self, node: usize) {
        if self.kill.is_some() || self.acked < self.kill_at || self.unanswered == 0 {
            return;
        }
        let at = Instant::now();
        if let Err(error) = self.killers[node].kill() {
            self.failure = Some(error);
        }
        self.kill = Some(Kill { node, at, in_flight: self.unanswered });
    }
}

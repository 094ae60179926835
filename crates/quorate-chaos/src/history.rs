use quorate_check::list_append::{Fate, Step, Transaction};
use quorate_check::{RegisterCall, RegisterOperation, RegisterOutcome};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// What clients asked for and what they were told, as it happens.
#[derive(Debug)]
pub(crate) struct History {
    start: Instant,
    values: AtomicU64,
    records: Mutex<Records>,
}

/// A whole history.
#[derive(Debug, Default)]
pub(crate) struct Records {
    /// Calls on single keys.
    pub(crate) calls: Vec<(String, RegisterCall<u64>)>,
    /// Transactions on lists.
    pub(crate) transactions: Vec<Transaction<String, u64>>,
    /// How often clients were told that nothing was done.
    pub(crate) refusals: u64,
}

/// What is known of one call's outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    Done,
    NotDone,
    Nothing,
}

impl History {
    pub(crate) fn begin() -> Self {
        Self { start: Instant::now(), values: AtomicU64::new(1), records: Mutex::default() }
    }

    /// Nanoseconds since the history began.
    pub(crate) fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// A value that nobody has written.
    pub(crate) fn new_value(&self) -> u64 {
        self.values.fetch_add(1, Ordering::Relaxed)
    }

    /// A call has come to its end. One that had no effect is no part of the history.
    pub(crate) fn call(
        &self,
        (client, key, began): (u64, &str, u64),
        operation: RegisterOperation<u64>,
        outcome: RegisterOutcome<u64>,
        told: Told,
    ) {
        let now = self.now();
        let (ended, outcome) = match told {
            Told::Done => (Some(now), Some(outcome)),
            Told::Nothing => (None, None),
            Told::NotDone => return self.refused(),
        };
        let call = RegisterCall { client, began, ended, operation, outcome };
        self.lock().calls.push((key.to_owned(), call));
    }

    /// A transaction has come to its end. One that had no effect stays in the history: what it was to append
    /// must never be read.
    pub(crate) fn transaction(&self, client: u64, began: u64, steps: Vec<Step<String, u64>>, told: Told) {
        let now = self.now();
        let (ended, fate) = match told {
            Told::Done => (Some(now), Fate::Committed),
            Told::Nothing => (None, Fate::Unknown),
            Told::NotDone => (Some(now), Fate::Aborted),
        };
        self.lock().transactions.push(Transaction { client, began, ended, fate, steps });
    }

    /// Nothing was done.
    pub(crate) fn refused(&self) {
        self.lock().refusals += 1;
    }

    /// The history so far, which begins anew.
    pub(crate) fn take(&self) -> Records {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Records> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

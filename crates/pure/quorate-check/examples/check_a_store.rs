//! Judges the history of a store of one's own: clients use it at the same time, each call is written down with
//! the moments at which it began and ended, and the checker says whether one thing at a time explains what
//! they saw. Reads of the store's copy, which lags behind, are not to be explained so.

use quorate_check::{
    Call, Register, RegisterCall, RegisterOperation, RegisterOutcome, Verdict, linearizable,
};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

/// A store of one value and a copy of it, refreshed by every second write.
#[derive(Default)]
struct Store {
    value: AtomicU64,
    copy: AtomicU64,
}

impl Store {
    fn write(&self, value: u64) {
        self.value.store(value, SeqCst);
        if value.is_multiple_of(2) {
            self.copy.store(value, SeqCst);
        }
    }
}

/// What the clients write down. Its clock counts events.
#[derive(Default)]
struct Recorder {
    clock: AtomicU64,
    calls: Mutex<Vec<RegisterCall<u64>>>,
}

impl Recorder {
    fn record(
        &self,
        client: u64,
        operation: RegisterOperation<u64>,
        call: impl FnOnce() -> RegisterOutcome<u64>,
    ) {
        let began = self.clock.fetch_add(1, SeqCst);
        let outcome = Some(call());
        let ended = Some(self.clock.fetch_add(1, SeqCst));
        let call = Call { client, began, ended, operation, outcome };
        self.calls.lock().expect("no client panics").push(call);
    }
}

fn main() {
    let read_value = |store: &Store| store.value.load(SeqCst);
    let read_copy = |store: &Store| store.copy.load(SeqCst);
    println!("reads of the value: {}", judge(&use_store(read_value)));
    println!("reads of the copy:  {}", judge(&use_store(read_copy)));
}

/// Three clients, each of which writes a value of its own, reads, and does so again.
fn use_store(read: fn(&Store) -> u64) -> Vec<RegisterCall<u64>> {
    let (store, recorder) = (Store::default(), Recorder::default());
    std::thread::scope(|scope| {
        for client in 1..=3 {
            let (store, recorder) = (&store, &recorder);
            scope.spawn(move || {
                for round in 0..50 {
                    let value = 3 * round + client;
                    recorder.record(client, RegisterOperation::Write(Some(value)), || {
                        store.write(value);
                        RegisterOutcome::Written
                    });
                    recorder.record(client, RegisterOperation::Read, || {
                        RegisterOutcome::Value(Some(read(store)).filter(|value| *value > 0))
                    });
                }
            });
        }
    });
    recorder.calls.into_inner().expect("no client panics")
}

fn judge(history: &[RegisterCall<u64>]) -> String {
    match linearizable::<Register<u64>>(history, 1_000_000) {
        Verdict::Linearizable => format!("{} calls, linearizable", history.len()),
        Verdict::NotLinearizable { prefix, .. } => format!("not linearizable after {} calls", prefix.len()),
        Verdict::Unknown { states } => format!("undecided after {states} configurations"),
    }
}

use std::process;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

/// Ends the process if it is not dropped in time: a call that never returns fails its test instead of hanging it.
pub(crate) struct Watchdog(Sender<()>);

/// A multiple of everything that any scenario waits for.
const PATIENCE: Duration = Duration::from_secs(170);

impl Watchdog {
    pub(crate) fn start() -> Self {
        let (sender, dropped) = channel::<()>();
        let watched = thread::current().name().unwrap_or("a test").to_owned();
        thread::spawn(move || {
            if dropped.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                eprintln!("{watched}: something has not returned within {PATIENCE:?}");
                process::abort();
            }
        });
        Self(sender)
    }
}

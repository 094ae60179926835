use std::process;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

/// Ends the process if it is not dropped in time: a call that never returns fails its test instead of
/// hanging it.
pub(crate) struct Watchdog {
    _dropped_with: Sender<()>,
}

impl Watchdog {
    /// Lets whatever happens until the drop take `patience` at most.
    pub(crate) fn start(patience: Duration) -> Self {
        let (sender, dropped) = channel::<()>();
        let watched = thread::current().name().unwrap_or("a test").to_owned();
        thread::spawn(move || {
            if dropped.recv_timeout(patience) == Err(RecvTimeoutError::Timeout) {
                eprintln!("{watched}: something has not returned within {patience:?}");
                process::abort();
            }
        });
        Self { _dropped_with: sender }
    }
}

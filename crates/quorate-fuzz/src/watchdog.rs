use crate::{Finding, Limits, Verdict};
use peak_alloc::PeakAlloc;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Looks after inputs that never end, or take all memory: no target can be interrupted, so somebody else has to
/// save what it was given.
#[derive(Debug)]
pub struct Watchdog {
    current: Arc<Mutex<Option<Current>>>,
    /// The watch ends when this is dropped.
    _alive: Sender<()>,
}

/// What is being tried.
#[derive(Debug)]
struct Current {
    target: &'static str,
    input: Vec<u8>,
    began: Instant,
}

/// How often it looks.
const LOOK_INTERVAL: Duration = Duration::from_millis(50);
/// So many bytes held by the whole process are too many, whatever the input.
const PROCESS_BYTES_MAX: usize = 1 << 30;

impl Watchdog {
    /// Begins to watch. `alarm` is told of an input that is far beyond the limits, and does not return: the
    /// process cannot go on.
    #[must_use]
    pub fn start(limits: Limits, allocator: &'static PeakAlloc, alarm: fn(&Finding) -> !) -> Self {
        let current: Arc<Mutex<Option<Current>>> = Arc::default();
        let (alive, ended) = mpsc::channel();
        let watched = Arc::clone(&current);
        thread::spawn(move || {
            while ended.recv_timeout(LOOK_INTERVAL) == Err(RecvTimeoutError::Timeout) {
                if let Some(finding) = look(&watched, limits, allocator) {
                    alarm(&finding);
                }
            }
        });
        Self { current, _alive: alive }
    }

    pub(crate) fn begin(&self, target: &'static str, input: &[u8]) {
        let mut current = locked(&self.current);
        *current = Some(Current { target, input: input.to_vec(), began: Instant::now() });
    }

    pub(crate) fn end(&self) {
        *locked(&self.current) = None;
    }
}

fn look(watched: &Mutex<Option<Current>>, limits: Limits, allocator: &PeakAlloc) -> Option<Finding> {
    let current = locked(watched);
    let Current { target, input, began } = current.as_ref()?;
    let (time, bytes) = (began.elapsed(), allocator.current_usage());
    let verdict = if bytes > PROCESS_BYTES_MAX {
        Verdict::Hungry { bytes }
    } else if time > limits.time * 2 {
        Verdict::Slow { time }
    } else {
        return None;
    };
    Some(Finding { target, input: input.clone(), verdict })
}

/// Whatever holds the lock changes all or nothing.
fn locked(current: &Mutex<Option<Current>>) -> MutexGuard<'_, Option<Current>> {
    current.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    static ALLOCATOR: PeakAlloc = PeakAlloc;

    #[test]
    fn an_input_that_does_not_end_is_named_while_it_runs() {
        let limits = Limits { time: Duration::ZERO, ..Limits::default() };
        let current =
            Current { target: "endless", input: b"round".to_vec(), began: Instant::now() - LOOK_INTERVAL };
        let watched = Mutex::new(Some(current));
        let finding = look(&watched, limits, &ALLOCATOR).expect("it takes too long");
        assert!(matches!(finding.verdict, Verdict::Slow { .. }));
        assert_eq!((finding.target, &finding.input[..]), ("endless", &b"round"[..]));
        assert!(look(&Mutex::new(None), limits, &ALLOCATOR).is_none());
    }
}

use crate::{Signature, Target, Watchdog};
use peak_alloc::PeakAlloc;
use std::cell::{Cell, RefCell};
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// One input given to one target, under limits.
#[derive(Clone, Copy, Debug)]
pub struct Trial<'a> {
    target: &'a Target,
    limits: Limits,
    allocator: Option<&'a PeakAlloc>,
    watchdog: Option<&'a Watchdog>,
}

/// What an input may cost.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Memory in bytes that any input may take.
    pub memory_bytes: usize,
    /// Memory in bytes that each byte of the input may take besides.
    pub memory_bytes_per_byte: usize,
    /// How long an input may take.
    pub time: Duration,
}

impl Default for Limits {
    /// 8 MiB and 256 bytes for each byte of the input; 10 seconds.
    fn default() -> Self {
        Self { memory_bytes: 8 << 20, memory_bytes_per_byte: 256, time: Duration::from_secs(10) }
    }
}

/// What became of an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The target survived it, with this signature.
    Survived(u128),
    /// The target panicked.
    Panicked {
        /// What the panic said, and where.
        message: String,
    },
    /// It took too much memory.
    Hungry {
        /// The most that was held at a time, in bytes.
        bytes: usize,
    },
    /// It took too long.
    Slow {
        /// How long.
        time: Duration,
    },
}

impl<'a> Trial<'a> {
    /// A trial of `target`. Memory is measured where the process runs on `allocator` and nothing else
    /// allocates meanwhile.
    #[must_use]
    pub const fn new(target: &'a Target, limits: Limits, allocator: Option<&'a PeakAlloc>) -> Self {
        Self { target, limits, allocator, watchdog: None }
    }

    /// The same, with somebody who looks after inputs that never end.
    #[must_use]
    pub const fn watched_by(self, watchdog: &'a Watchdog) -> Self {
        Self { watchdog: Some(watchdog), ..self }
    }

    /// Gives the target an input.
    #[must_use]
    pub fn run(&self, input: &[u8]) -> Verdict {
        if let Some(watchdog) = self.watchdog {
            watchdog.begin(self.target.name, input);
        }
        let verdict = self.run_unwatched(input);
        if let Some(watchdog) = self.watchdog {
            watchdog.end();
        }
        verdict
    }

    fn run_unwatched(&self, input: &[u8]) -> Verdict {
        let held_before = self.allocator.map_or(0, |allocator| {
            allocator.reset_peak_usage();
            allocator.current_usage()
        });
        let began = Instant::now();
        forget_panics();
        TRYING.set(true);
        let caught = panic::catch_unwind(AssertUnwindSafe(|| (self.target.run)(input)));
        TRYING.set(false);
        let time = began.elapsed();
        let peak = self.allocator.map_or(0, PeakAlloc::peak_usage);
        self.judge(input, caught, peak.saturating_sub(held_before), time)
    }

    fn judge(
        &self,
        input: &[u8],
        caught: std::thread::Result<Signature>,
        bytes: usize,
        time: Duration,
    ) -> Verdict {
        let message = first_panic();
        let signature = match (caught, message) {
            (Ok(signature), None) => signature,
            (_, message) => {
                let message = message.unwrap_or_else(|| "a panic that said nothing".to_owned());
                return Verdict::Panicked { message };
            }
        };
        if bytes > self.limits.memory_bytes + self.limits.memory_bytes_per_byte * input.len() {
            return Verdict::Hungry { bytes };
        }
        if time > self.limits.time {
            return Verdict::Slow { time };
        }
        Verdict::Survived(signature.finish())
    }
}

thread_local! {
    static TRYING: Cell<bool> = const { Cell::new(false) };
    static OWN_PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// The first panic of a thread that tries nothing itself: one of those that a target has started.
static OTHER_PANIC: Mutex<Option<String>> = Mutex::new(None);

/// Lets the panics of targets go unprinted, and keeps the words of the first one for the [`Verdict`]: a panic
/// counts whoever catches it, and on whichever thread it is.
pub fn hush_panics() {
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if TRYING.get() {
            let first = OWN_PANIC.take().unwrap_or_else(|| info.to_string());
            OWN_PANIC.set(Some(first));
        } else {
            other_panic().get_or_insert_with(|| info.to_string());
            before(info);
        }
    }));
}

fn forget_panics() {
    OWN_PANIC.set(None);
    *other_panic() = None;
}

fn first_panic() -> Option<String> {
    let other = other_panic().take();
    other.or(OWN_PANIC.take())
}

fn other_panic() -> MutexGuard<'static, Option<String>> {
    OTHER_PANIC.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { memory_bytes: 0, memory_bytes_per_byte: 1, time: Duration::from_secs(1) };

    fn fussy(input: &[u8]) -> Signature {
        assert!(input.len() < 3, "three bytes are too many");
        Signature::new().magnitude(input.len() as u64)
    }

    #[test]
    fn a_panic_is_told_in_its_own_words() {
        hush_panics();
        let target = Target::plain("fussy", "", fussy, Vec::new);
        let trial = Trial::new(&target, LIMITS, None);
        assert!(matches!(trial.run(b"ab"), Verdict::Survived(_)));
        let Verdict::Panicked { message } = trial.run(b"abc") else { panic!("it survived") };
        assert!(message.contains("three bytes are too many"), "{message}");
    }

    #[test]
    fn what_costs_too_much_is_named() {
        let target = Target::plain("fussy", "", fussy, Vec::new);
        let trial = Trial::new(&target, LIMITS, None);
        let judge = |bytes, time| trial.judge(b"ab", Ok(Signature::new()), bytes, time);
        assert!(matches!(judge(2, Duration::ZERO), Verdict::Survived(_)));
        assert_eq!(judge(3, Duration::ZERO), Verdict::Hungry { bytes: 3 });
        assert_eq!(judge(0, LIMITS.time * 2), Verdict::Slow { time: LIMITS.time * 2 });
    }
}

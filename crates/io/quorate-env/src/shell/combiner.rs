//! Who runs the event loop: the thread that has news for it, if nobody does already.
//!
//! A thread of its own for the loop costs two switches for every packet and every completion. Here the thread
//! that brings the news sees to it, and to what others bring meanwhile, after the idea of flat combining
//! (Hendler, Incze, Shavit and Tzafrir, "Flat combining and the synchronization-parallelism tradeoff", SPAA
//! 2010). The loop keeps a thread, its owner, for deadlines, for work that blocks, and for what nobody else has
//! time for.

use quorate_core::Time;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, Thread};
use std::time::Duration;

/// What runs in turns, on one thread at a time.
pub(crate) trait Machine: Send {
    /// Sees to what has come. On a `lent` thread it does nothing that blocks.
    fn turn(&mut self, lent: bool) -> Turn;

    /// When it has something to do although nothing has come.
    fn deadline(&self) -> Option<Time>;
}

/// How a turn has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Nothing is left to see to.
    Idle,
    /// There is more.
    More,
    /// What comes next may block.
    NeedsOwner,
    /// The machine runs no more.
    Ended,
}

/// A [`Machine`], and whoever runs it.
///
/// 1. One thread at a time runs the machine: the one that has changed `state` from idle.
/// 2. News that come during a turn are seen to in another one: whoever brings them says so in `state`, and
///    the runner goes idle only from a state without news.
/// 3. A run that a lent thread cannot end passes to the owner, and stays a run meanwhile.
pub(crate) struct Combiner<M> {
    state: AtomicU8,
    handed_over: AtomicBool,
    /// When the machine has something to do, and until when its owner sleeps: nanoseconds, of which the owner
    /// is woken if the first comes before the second.
    deadline: AtomicU64,
    owner_sleeps_until: AtomicU64,
    owner: OnceLock<Thread>,
    machine: Mutex<Option<M>>,
}

const IDLE: u8 = 0;
const RUNNING: u8 = 1;
const RUNNING_WITH_NEWS: u8 = 2;

/// So many turns a lent thread runs before the owner goes on.
const LENT_TURNS_MAX: usize = 8;
/// How long the owner sleeps where nothing is due.
const SLEEP_MAX: Duration = Duration::from_secs(60);
/// How long it leaves a deadline that has come to the thread that runs the machine at that moment.
const GRACE: Duration = Duration::from_micros(100);

thread_local! {
    static RUNNING_HERE: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread runs a machine at this moment: it cannot wait for one.
pub(crate) fn is_running_here() -> bool {
    RUNNING_HERE.get()
}

impl<M: Machine> Combiner<M> {
    /// Nobody runs anything until there is an [owner](Self::own).
    pub(crate) fn new() -> Self {
        Self {
            state: AtomicU8::new(RUNNING),
            handed_over: AtomicBool::new(false),
            deadline: AtomicU64::new(0),
            owner_sleeps_until: AtomicU64::new(0),
            owner: OnceLock::new(),
            machine: Mutex::new(None),
        }
    }

    /// There is news, and this thread has no time for it.
    pub(crate) fn notify(&self) {
        let noted = |state| (state != IDLE).then_some(RUNNING_WITH_NEWS);
        if self.state.fetch_update(Ordering::AcqRel, Ordering::Acquire, noted).is_err() {
            self.wake_owner();
        }
    }

    /// There is news, and this thread sees to it unless another does.
    pub(crate) fn help(&self) {
        if self.claim() {
            self.run_lent();
        }
    }

    /// Makes this thread the owner of a machine that has just begun. Returns the machine when it ends, or
    /// `None` if it has panicked.
    pub(crate) fn own(&self, machine: M, until: impl Fn(Time) -> Duration) -> Option<M> {
        self.owner.get_or_init(thread::current);
        *self.lock() = Some(machine);
        while self.run_own() {
            self.sleep(&until);
            while !self.take_over() && !self.claim() {
                self.sleep(&until);
            }
        }
        self.lock().take()
    }

    /// Whether this thread is the one to run the machine now; if not, the one that does knows of the news.
    fn claim(&self) -> bool {
        self.state.swap(RUNNING_WITH_NEWS, Ordering::AcqRel) == IDLE
    }

    fn take_over(&self) -> bool {
        self.handed_over.swap(false, Ordering::AcqRel)
    }

    fn run_lent(&self) {
        for _ in 0..LENT_TURNS_MAX {
            match self.turn(true) {
                Some(Turn::Idle) if self.rest() => return,
                Some(Turn::Idle | Turn::More) => {}
                Some(Turn::NeedsOwner | Turn::Ended) | None => break,
            }
        }
        self.handed_over.store(true, Ordering::Release);
        self.wake_owner();
    }

    /// False if the machine has ended.
    fn run_own(&self) -> bool {
        loop {
            match self.turn(false) {
                Some(Turn::Idle) if self.rest() => return true,
                Some(Turn::Idle | Turn::More | Turn::NeedsOwner) => {}
                Some(Turn::Ended) | None => return false,
            }
        }
    }

    /// One turn; `None` if the machine panics, which is the end of it.
    fn turn(&self, lent: bool) -> Option<Turn> {
        self.state.swap(RUNNING, Ordering::AcqRel);
        let mut machine = self.lock();
        let running = machine.as_mut()?;
        let was_running = RUNNING_HERE.replace(true);
        let turn = catch_unwind(AssertUnwindSafe(|| running.turn(lent))).ok();
        RUNNING_HERE.set(was_running);
        match turn {
            Some(_) => self.plan(running.deadline()),
            None => *machine = None,
        }
        turn
    }

    /// Ends the run, unless there is news.
    fn rest(&self) -> bool {
        self.state.compare_exchange(RUNNING, IDLE, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    fn plan(&self, deadline: Option<Time>) {
        let deadline = deadline.map_or(u64::MAX, Time::as_nanos);
        self.deadline.store(deadline, Ordering::SeqCst);
        if deadline < self.owner_sleeps_until.load(Ordering::SeqCst) {
            self.wake_owner();
        }
    }

    fn sleep(&self, until: &impl Fn(Time) -> Duration) {
        let deadline = self.deadline.load(Ordering::SeqCst);
        self.owner_sleeps_until.store(deadline, Ordering::SeqCst);
        if self.deadline.load(Ordering::SeqCst) >= deadline {
            let left = until(Time::from_nanos(deadline));
            thread::park_timeout(left.clamp(GRACE, SLEEP_MAX));
        }
        self.owner_sleeps_until.store(0, Ordering::SeqCst);
    }

    fn wake_owner(&self) {
        if let Some(owner) = self.owner.get() {
            owner.unpark();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<M>> {
        self.machine.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crossbeam_channel::{Receiver, Sender, unbounded};
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;
    use std::thread::ThreadId;

    /// What a [`Recorder`] is told.
    enum News {
        Number(u64),
        /// Only the owner may see to it.
        Blocking(Sender<ThreadId>),
        Panic,
        End,
    }

    /// Adds up what it is told.
    struct Recorder {
        queue: Receiver<News>,
        sum: u64,
        is_running: Arc<AtomicBool>,
        held: Option<Sender<ThreadId>>,
        deadline: Option<Time>,
    }

    impl Machine for Recorder {
        fn turn(&mut self, lent: bool) -> Turn {
            assert!(!self.is_running.swap(true, Ordering::SeqCst), "two threads run the machine");
            let turn = self.see_to_news(lent);
            self.is_running.store(false, Ordering::SeqCst);
            turn
        }

        fn deadline(&self) -> Option<Time> {
            self.deadline
        }
    }

    impl Recorder {
        fn see_to_news(&mut self, lent: bool) -> Turn {
            if let Some(asking) = self.held.take_if(|_| !lent) {
                asking.send(thread::current().id()).unwrap();
            }
            while self.held.is_none()
                && let Ok(news) = self.queue.try_recv()
            {
                match news {
                    News::Number(number) => self.sum += number,
                    News::Blocking(asking) => self.held = Some(asking),
                    News::Panic => panic!("as the test wants it"),
                    News::End => return Turn::Ended,
                }
            }
            if self.held.is_some() { Turn::NeedsOwner } else { Turn::Idle }
        }
    }

    struct Subject {
        combiner: Arc<Combiner<Recorder>>,
        news: Sender<News>,
        owner: thread::JoinHandle<Option<u64>>,
    }

    impl Subject {
        fn new() -> Self {
            let (news, queue) = unbounded();
            let is_running = Arc::default();
            let recorder = Recorder { queue, sum: 0, is_running, held: None, deadline: None };
            let combiner = Arc::new(Combiner::new());
            let owned = Arc::clone(&combiner);
            let owner = thread::spawn(move || {
                owned.own(recorder, |_| Duration::from_secs(3600)).map(|recorder| recorder.sum)
            });
            Self { combiner, news, owner }
        }

        /// How the machine has ended.
        fn end(self) -> Option<u64> {
            self.news.send(News::End).unwrap();
            self.combiner.notify();
            self.owner.join().unwrap()
        }
    }

    #[test]
    fn news_of_many_threads_are_all_seen_to_by_one_thread_at_a_time() {
        let subject = Subject::new();
        thread::scope(|scope| {
            for number in 0..8 {
                let (combiner, news) = (&subject.combiner, &subject.news);
                scope.spawn(move || {
                    for _ in 0..2000 {
                        news.send(News::Number(1)).unwrap();
                        if number % 2 == 0 { combiner.help() } else { combiner.notify() }
                    }
                });
            }
        });
        assert_eq!(subject.end(), Some(16_000));
    }

    #[test]
    fn the_thread_that_brings_news_sees_to_them_before_it_goes_on() {
        let subject = Subject::new();
        let (asking, answer) = unbounded();
        subject.news.send(News::Blocking(asking)).unwrap();
        subject.combiner.notify();
        answer.recv().unwrap();
        for _ in 0..1000 {
            subject.news.send(News::Number(1)).unwrap();
            subject.combiner.help();
            while !subject.news.is_empty() {
                thread::yield_now();
            }
        }
        assert_eq!(subject.end(), Some(1000));
    }

    #[test]
    fn what_blocks_is_done_by_the_owner_whoever_brings_it() {
        let subject = Subject::new();
        for helps in [true, false] {
            let (asking, answer) = unbounded();
            subject.news.send(News::Blocking(asking)).unwrap();
            if helps {
                subject.combiner.help()
            } else {
                subject.combiner.notify()
            }
            assert_eq!(answer.recv().unwrap(), subject.owner.thread().id());
        }
        assert_eq!(subject.end(), Some(0));
    }

    #[test]
    fn a_machine_that_panics_on_a_lent_thread_ends_and_the_thread_goes_on() {
        let subject = Subject::new();
        subject.news.send(News::Panic).unwrap();
        subject.combiner.help();
        assert_eq!(subject.owner.join().unwrap(), None);
    }
}

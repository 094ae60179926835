use crate::SimTime;
use crate::log_writer::LogStep;
use crate::machine::{Backup, Machine};
use crate::nemesis::Planned;
use crate::sim_time::micros_between;
use quorate_core::{NodeId, Random};
use std::collections::BTreeMap;
use std::time::Duration;

/// A machine, what ails it, and which of its threads are busy.
pub(crate) struct Host {
    pub(crate) machine: Machine,
    pub(crate) log_busy: bool,
    /// How many steps its logs have taken.
    pub(crate) log_steps: u64,
    pub(crate) apply_busy: bool,
    pub(crate) read_busy: bool,
    /// The deadline for which an event is under way.
    pub(crate) tick_at: Option<SimTime>,
    /// When the last report of a thread arrives: reports keep their order.
    reported_at: SimTime,
    /// The process is stopped until then.
    pub(crate) paused_until: SimTime,
    /// The disk is slow until then.
    pub(crate) slow_until: SimTime,
    /// The disk takes no byte more.
    pub(crate) is_full: bool,
    /// The disk's next fsync fails.
    pub(crate) awaits_sync_failure: bool,
    /// The node has stopped for good, and said why.
    pub(crate) is_retired: bool,
    /// The process is not started for the time being.
    pub(crate) is_kept_down: bool,
    /// A copy of the disks that was taken earlier.
    pub(crate) backup: Option<Backup>,
    /// Damage that is done before the next process is started.
    pub(crate) planned: Option<Planned>,
    /// How often each peer's directory had been opened when the present process met it last.
    pub(crate) acquaintances: BTreeMap<NodeId, u64>,
    /// How far the wall clock is off, in microseconds.
    pub(crate) wall_offset_micros: i64,
    /// The machine is without power: nobody answers at its address.
    pub(crate) is_dark: bool,
    /// Of the clock, in thousandths of the true rate.
    pub(crate) clock_rate: u64,
    spinning: Spinning,
}

/// What wall clocks show at the beginning of a history, in microseconds.
const BEGINNING_MICROS: u64 = 1_750_000_000_000_000;

/// How often in a row a deadline came without anything else.
#[derive(Default)]
struct Spinning {
    since: SimTime,
    ticks: u32,
}

/// How many deadlines may come within a millisecond before the node is said to spin.
const TICKS_MAX: u32 = 500;

impl Host {
    pub(crate) fn new(machine: Machine) -> Self {
        Self {
            machine,
            log_busy: false,
            log_steps: 0,
            apply_busy: false,
            read_busy: false,
            tick_at: None,
            reported_at: SimTime::ZERO,
            paused_until: SimTime::ZERO,
            slow_until: SimTime::ZERO,
            is_full: false,
            awaits_sync_failure: false,
            is_retired: false,
            is_kept_down: false,
            backup: None,
            planned: None,
            acquaintances: BTreeMap::new(),
            wall_offset_micros: 0,
            is_dark: false,
            clock_rate: 1_000,
            spinning: Spinning::default(),
        }
    }

    /// The number of the present process, if there is one.
    pub(crate) fn life(&self) -> Option<u64> {
        self.machine.process.as_ref().map(crate::process::Process::life)
    }

    /// What the wall clock shows, in microseconds.
    pub(crate) fn wall_micros(&self, now: SimTime) -> u64 {
        (BEGINNING_MICROS + now.as_micros()).saturating_add_signed(self.wall_offset_micros)
    }

    /// The fsync that was to fail has failed.
    pub(crate) fn sync_has_failed(&self) -> bool {
        self.awaits_sync_failure && !self.machine.disk.awaits_failure()
    }

    /// A process and its threads are no more.
    pub(crate) fn forget_process(&mut self) {
        self.awaits_sync_failure = false;
        self.acquaintances.clear();
        self.log_busy = false;
        self.apply_busy = false;
        self.read_busy = false;
        self.tick_at = None;
    }

    /// When a report made now reaches the event loop.
    pub(crate) fn report_time(&mut self, now: SimTime, random: &mut Random) -> SimTime {
        let earliest = now + micros_between(random, 5, 100);
        self.reported_at = earliest.max(self.reported_at + Duration::from_micros(1));
        self.reported_at
    }

    /// How long a step of the log writer takes.
    pub(crate) fn log_delay(&self, step: LogStep, now: SimTime, random: &mut Random) -> Duration {
        let delay = match step {
            LogStep::Write | LogStep::Prepare => micros_between(random, 20, 300),
            LogStep::Sync => micros_between(random, 200, 3_000),
        };
        if now < self.slow_until { delay * 100 } else { delay }
    }

    /// A deadline came; false if that happens so often that the node must be spinning.
    pub(crate) fn ticked(&mut self, now: SimTime) -> bool {
        if now.since(self.spinning.since) > Duration::from_millis(1) {
            self.spinning = Spinning { since: now, ticks: 0 };
        }
        self.spinning.ticks += 1;
        self.spinning.ticks < TICKS_MAX
    }
}

//! The machine is turned off at every operation in turn, and again while it recovers.

use super::activity::Activity;
use super::inspection::{Broken, inspect};
use super::ledger::Ledger;
use super::life::{Life, Step};
use super::storage::Storage;
use super::tally::{LossMode, Tally};
use quorate_core::Random;
use quorate_log::vfs::MemoryVfs;

/// What the crash sweep found.
#[derive(Debug, Default)]
pub struct CrashReport {
    /// How many points there were of each kind.
    pub tally: Tally,
    /// How many whole lives were lived.
    pub lives: u64,
    /// What a crash has broken.
    pub failures: Vec<CrashFailure>,
}

impl CrashReport {
    /// Adds what another sweep found.
    pub fn add(&mut self, other: Self) {
        self.tally.add(&other.tally);
        self.lives += other.lives;
        self.failures.extend(other.failures);
    }
}

/// A crash that broke a promise of the storage.
#[derive(Debug)]
pub struct CrashFailure {
    /// Of the life.
    pub seed: u64,
    /// The operation at which the machine was turned off, counted from 0.
    pub operation: u64,
    /// What became of what was unsynced.
    pub mode: LossMode,
    /// What it was at.
    pub activity: Activity,
    /// What is broken.
    pub broken: String,
}

/// Turns the machine off at every `stride`th operation of the life of this seed, the first at `offset`, in
/// each mode of loss.
#[must_use]
pub fn sweep_life(seed: u64, offset: u64, stride: u64) -> CrashReport {
    let mut report = CrashReport { lives: 1, ..CrashReport::default() };
    let mut operation = offset;
    while sweep_operation(seed, operation, &mut report) {
        operation += stride.max(1);
    }
    report
}

/// Turns the machine off at one operation of a life, in each mode of loss. False if the life has no such
/// operation.
pub fn sweep_operation(seed: u64, operation: u64, report: &mut CrashReport) -> bool {
    let disk = MemoryVfs::new();
    let mut life = Life::new(seed, &disk, Some(operation));
    let ended = life.live();
    let Some((kind, path)) = disk.crashed_at() else {
        if let Err(error) = ended {
            report.failures.push(CrashFailure {
                seed,
                operation,
                mode: LossMode::Everything,
                activity: Activity::of(life.step, quorate_log::vfs::Operation::Write, "".as_ref()),
                broken: format!("without any crash {error}"),
            });
        }
        return false;
    };
    let activity = Activity::of(life.step, kind, &path);
    for mode in LossMode::ALL {
        let point = Point { seed, operation, mode, activity };
        report.tally.count(activity, kind, mode);
        let disk = disk.snapshot();
        let mut random = Random::new(seed ^ operation << 8 ^ mode as u64);
        disk.lose_power(mode.retain(&mut random));
        let before = disk.snapshot();
        point.note(inspect(&disk, &life.ledger), report);
        point.crash_in_recovery(&before, &life.ledger, &mut random, report);
    }
    true
}

/// A crash of one kind.
struct Point {
    seed: u64,
    operation: u64,
    mode: LossMode,
    activity: Activity,
}

impl Point {
    fn note(&self, inspected: Result<(), Broken>, report: &mut CrashReport) {
        if let Err(broken) = inspected {
            report.failures.push(CrashFailure {
                seed: self.seed,
                operation: self.operation,
                mode: self.mode,
                activity: self.activity,
                broken: broken.to_string(),
            });
        }
    }

    /// The machine goes off at an operation of the recovery, and at one of the recovery from that.
    fn crash_in_recovery(
        &self,
        disk: &MemoryVfs,
        ledger: &Ledger,
        random: &mut Random,
        report: &mut CrashReport,
    ) {
        let mut disk = disk.snapshot();
        for is_second in [false, true] {
            let Some((kind, activity)) = crash_once(&disk, random) else { return };
            let activity = if is_second { Activity::SecondRecovery } else { activity };
            report.tally.count(activity, kind, self.mode);
            disk.lose_power(self.mode.retain(random));
            let before = disk.snapshot();
            Self { activity, ..*self }.note(inspect(&disk, ledger), report);
            disk = before;
        }
    }
}

/// Opens the storage up to an operation drawn at random; `None` if an opening makes none.
fn crash_once(disk: &MemoryVfs, random: &mut Random) -> Option<(quorate_log::vfs::Operation, Activity)> {
    let rehearsal = disk.snapshot();
    let opened = Storage::open(&rehearsal);
    let operations = rehearsal.operations();
    rehearsal.kill();
    drop(opened);
    disk.crash_at(disk.operations() + random.below(operations));
    let opened = Storage::open(disk);
    let crashed = disk.crashed_at();
    drop(opened);
    crashed.map(|(kind, path)| (kind, Activity::of(Step::Open, kind, &path)))
}

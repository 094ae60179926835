//! The process is killed, or the power goes, at every single write, sync, rename and removal in turn.

use crate::support::{append, entry, files, frames_of, next_batch, open, prepare, read_all, vlsn};
use quorate_core::{LogError, LogStore, Vlsn};
use quorate_log::vfs::{MemoryVfs, Retain};
use quorate_log::{Log, RollbackFile};
use std::path::Path;

/// What the log may be found to hold.
#[derive(Clone, Default)]
struct Model {
    /// Frames by position, the first at index 0.
    frames: Vec<Vec<u8>>,
    /// How many of them a sync has covered.
    durable: usize,
    /// A truncation to this many frames has begun.
    cutting: Option<usize>,
    /// Trimming up to this position has been allowed.
    trimmed: u64,
}

impl Model {
    fn append(&mut self, log: &mut Log, round: u64, count: u64, bytes: usize) -> Result<(), LogError> {
        let batch = next_batch(log, round, count, bytes);
        self.frames.extend(frames_of(&batch));
        log.append(&[batch])
    }

    fn sync(&mut self, log: &mut Log) -> Result<(), LogError> {
        let durable = log.sync()?;
        self.durable = Vlsn::number(durable) as usize;
        assert_eq!(self.durable, self.frames.len());
        Ok(())
    }

    fn truncate(&mut self, log: &mut Log, keep: u64) -> Result<(), LogError> {
        self.cutting = Some(keep as usize);
        log.truncate_after(Vlsn::new(keep))?;
        self.cutting = None;
        self.frames.truncate(keep as usize);
        self.durable = self.frames.len();
        Ok(())
    }

    fn trim(&mut self, log: &mut Log, base: u64) -> Result<(), LogError> {
        self.trimmed = base;
        log.trim_through(vlsn(base))
    }

    /// Everything a log goes through, with segments that a few groups fill.
    fn live(&mut self, disk: &MemoryVfs) -> Result<(), LogError> {
        let mut log = open(disk)?;
        for count in [1, 3, 2] {
            self.append(&mut log, 1, count, 100)?;
        }
        self.sync(&mut log)?;
        prepare(&mut log)?;
        self.append(&mut log, 1, 6, 400)?;
        self.append(&mut log, 2, 4, 300)?;
        self.sync(&mut log)?;
        self.append(&mut log, 2, 3, 500)?;
        self.append(&mut log, 3, 1, 9000)?;
        self.sync(&mut log)?;
        prepare(&mut log)?;
        self.append(&mut log, 3, 5, 500)?;
        self.truncate(&mut log, 15)?;
        self.append(&mut log, 4, 2, 700)?;
        self.sync(&mut log)?;
        self.truncate(&mut log, 16)?;
        self.append(&mut log, 5, 3, 600)?;
        drop(log);
        let mut log = open(disk)?;
        self.durable = self.frames.len();
        prepare(&mut log)?;
        self.trim(&mut log, 14)?;
        for _ in 0..4 {
            self.append(&mut log, 6, 4, 400)?;
            self.append(&mut log, 6, 1, 30)?;
            self.sync(&mut log)?;
        }
        self.trim(&mut log, 25)?;
        prepare(&mut log)?;
        self.append(&mut log, 7, 2, 10)?;
        self.truncate(&mut log, 30)?;
        self.append(&mut log, 8, 2, 10)?;
        self.sync(&mut log)
    }

    /// The log after a crash holds a prefix of what was written, with all that was acknowledged, and goes on
    /// from there.
    fn check(&self, disk: &MemoryVfs, context: &str) {
        let mut log = open(disk).unwrap_or_else(|error| panic!("{context}: {error}"));
        let summary = log.summary();
        assert!(summary.damaged.is_empty() && !summary.lost_durable_end, "{context}: {summary:?}");
        let last = Vlsn::number(summary.terms.last_vlsn()) as usize;
        let whole = (self.durable..=self.frames.len()).contains(&last);
        assert!(whole || self.cutting == Some(last), "{context}: {last} entries, {} durable", self.durable);
        let base = Vlsn::number(summary.terms.base().map(|base| base.vlsn)) as usize;
        assert!(base as u64 <= self.trimmed, "{context}: trimmed through {base}");
        assert_eq!(Vlsn::number(summary.durable) as usize, last, "{context}: what is found is durable");
        let found = read_all(&*log.reader(), base as u64 + 1, last as u64);
        assert!(found == self.frames[base..last].concat(), "{context}: other frames than those written");
        assert_eq!(log.verify(), Ok(vec![]), "{context}");
        let before = log.summary();
        let more = append(&mut log, 9, 2, 50);
        log.sync().unwrap();
        drop(log);
        let log = open(disk).unwrap_or_else(|error| panic!("{context}, once more: {error}"));
        assert_eq!(
            log.summary().terms.starts().last(),
            Some(&(more.runs()[0].term, more.first())),
            "{context}"
        );
        assert_eq!(log.summary().terms.base(), before.terms.base(), "{context}");
        assert_eq!(
            read_all(&*log.reader(), last as u64 + 1, last as u64 + 2),
            more.frames().to_vec(),
            "{context}"
        );
    }
}

fn operations_of_a_life() -> u64 {
    let disk = MemoryVfs::new();
    Model::default().live(&disk).expect("nothing fails");
    disk.operations()
}

/// Runs a life up to each operation, and calls `then` with what is left.
fn crash_at_each_operation(then: impl Fn(&Model, &MemoryVfs, u64)) {
    let operations = operations_of_a_life();
    assert!(operations > 100, "the life is long enough to be worth it: {operations}");
    for operation in 0..operations {
        let disk = MemoryVfs::new();
        disk.crash_at(operation);
        let mut model = Model::default();
        let ended = model.live(&disk);
        assert!(ended.is_err(), "operation {operation} was not survived");
        then(&model, &disk, operation);
    }
}

#[test]
fn killed_at_every_operation_it_recovers_a_prefix_with_everything_acknowledged() {
    crash_at_each_operation(|model, disk, operation| {
        disk.kill();
        model.check(disk, &format!("killed at operation {operation}"));
    });
}

#[test]
fn without_power_at_every_operation_it_recovers_a_prefix_with_everything_acknowledged() {
    crash_at_each_operation(|model, disk, operation| {
        let retained = (0..12).map(Retain::Random).chain([Retain::Nothing]);
        for retain in retained {
            let disk = disk.snapshot();
            disk.lose_power(retain);
            model.check(&disk, &format!("power lost at operation {operation}, {retain:?}"));
        }
    });
}

/// A crash during recovery itself: the second recovery finds no less than the first would have.
#[test]
fn without_power_at_every_operation_of_a_recovery_nothing_acknowledged_is_lost() {
    crash_at_each_operation(|model, disk, operation| {
        disk.lose_power(Retain::Random(operation));
        for second in 0.. {
            let disk = disk.snapshot();
            disk.crash_at(second);
            if open(&disk).is_ok() {
                break;
            }
            disk.lose_power(Retain::Random(operation ^ second << 32));
            model.check(&disk, &format!("power lost at operation {operation} and again at {second}"));
        }
    });
}

#[test]
fn a_torn_tail_is_repaired_whatever_blocks_of_it_survive() {
    let mut lengths = std::collections::BTreeSet::new();
    for seed in 0..300 {
        let disk = MemoryVfs::new();
        let mut log = open(&disk).unwrap();
        append(&mut log, 1, 2, 100);
        log.sync().unwrap();
        for count in [2, 1, 3] {
            append(&mut log, 1, count, 300);
        }
        drop(log);
        disk.lose_power(Retain::Random(seed));
        let mut log = open(&disk).unwrap();
        let summary = log.summary();
        assert!(summary.damaged.is_empty() && !summary.lost_durable_end, "seed {seed}: {summary:?}");
        let last = Vlsn::number(summary.terms.last_vlsn());
        lengths.insert(last);
        assert!([2, 4, 5, 8].contains(&last), "seed {seed}: groups survive whole, up to {last}");
        append(&mut log, 2, 1, 100);
        log.sync().unwrap();
        drop(log);
        disk.lose_power(Retain::Nothing);
        let log = open(&disk).unwrap();
        assert_eq!(
            log.summary().terms.last(),
            Some(entry(2, last + 1)),
            "seed {seed}: what was torn stays away"
        );
    }
    assert!(lengths.len() >= 3, "tails of several lengths survived: {lengths:?}");
}

/// Of two unsynced groups the second alone survived. It follows the first, so it must not come back once the
/// first is written again.
#[test]
fn a_group_that_was_cut_off_does_not_come_back_when_the_one_before_it_is_written_again() {
    let disk = MemoryVfs::new();
    let mut log = open(&disk).unwrap();
    append(&mut log, 1, 1, 100);
    log.sync().unwrap();
    let end = 1024 + 72 + 140 + 4;
    let torn = append(&mut log, 1, 1, 100);
    append(&mut log, 1, 1, 100);
    drop(log);
    disk.kill();
    let path = Path::new("log/segment-0000000000000001.log");
    assert!(disk.corrupt(path, end, &[0; 72 + 140]));
    let mut log = open(&disk).unwrap();
    assert_eq!(log.summary().terms.last(), Some(entry(1, 1)));
    log.append(&[torn]).unwrap();
    log.sync().unwrap();
    drop(log);
    disk.kill();
    assert_eq!(open(&disk).unwrap().summary().terms.last(), Some(entry(1, 2)));
}

#[test]
fn what_a_truncation_keeps_is_durable_though_nobody_had_synced_it() {
    let disk = MemoryVfs::new();
    let mut log = open(&disk).unwrap();
    append(&mut log, 1, 6, 100);
    log.truncate_after(Some(vlsn(4))).unwrap();
    assert_eq!(log.summary().durable, Some(vlsn(4)));
    disk.lose_power(Retain::Nothing);
    let log = open(&disk).unwrap();
    assert_eq!((log.summary().durable, log.verify()), (Some(vlsn(4)), Ok(vec![])));
}

#[test]
fn a_truncation_leaves_no_index_of_what_it_dropped_or_shortened() {
    let disk = MemoryVfs::new();
    let mut log = open(&disk).unwrap();
    for _ in 0..4 {
        append(&mut log, 1, 4, 700);
    }
    prepare(&mut log).unwrap();
    assert_eq!(files(&disk, ".index").len(), 3);
    log.truncate_after(Some(vlsn(6))).unwrap();
    assert_eq!(files(&disk, ".index"), [Path::new("log/segment-0000000000000001.index")]);
    prepare(&mut log).unwrap();
    assert_eq!(files(&disk, ".index").len(), 2, "the shortened one gets a new index");
}

#[test]
fn a_truncation_keeps_what_it_drops_in_a_rollback_file_and_nothing_of_it_reappears() {
    for keep in 0..12 {
        let disk = MemoryVfs::new();
        let mut log = open(&disk).unwrap();
        let batches = [append(&mut log, 1, 4, 700), append(&mut log, 2, 4, 800), append(&mut log, 3, 4, 600)];
        let frames: Vec<Vec<u8>> = batches.iter().flat_map(frames_of).collect();
        log.sync().unwrap();
        let truncated = log.truncate_after(Vlsn::new(keep)).unwrap();
        assert_eq!(truncated.count, 12 - keep);
        for seed in 0..8 {
            let disk = disk.snapshot();
            disk.lose_power(Retain::Random(seed));
            let mut log = open(&disk).unwrap();
            assert_eq!(Vlsn::number(log.summary().terms.last_vlsn()), keep);
            append(&mut log, 4, 9, 700);
            log.sync().unwrap();
            let saved = RollbackFile::list(&disk, Path::new("log")).unwrap();
            let [file] = saved.as_slice() else { panic!("one rollback file, not {saved:?}") };
            assert_eq!((file.first, file.last), (vlsn(keep + 1), vlsn(12)));
            assert_eq!(
                truncated.rollback_file.as_deref(),
                file.path.file_name().and_then(|name| name.to_str())
            );
            let dropped = file.read(&disk).unwrap();
            let dropped: Vec<Vec<u8>> = dropped.iter().flat_map(frames_of).collect();
            assert!(dropped == frames[keep as usize..], "the frames are kept as they stood");
        }
    }
}

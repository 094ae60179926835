//! Bits flip, writes are lost or go astray.

use crate::support::{append, entry, files, frames_of, next_batch, open, prepare, read_all, vlsn};
use quorate_codec::{decode, prefix, suffix};
use quorate_core::{Batch, DamagedRange, LogError, LogStore, Term, Vlsn};
use quorate_log::Log;
use quorate_log::vfs::{MemoryVfs, Vfs};
use std::path::Path;

/// A log of three segments and a bit, all of it durable, and stated to be.
struct Healthy {
    disk: MemoryVfs,
    batch: Batch,
}

fn healthy() -> Healthy {
    let disk = MemoryVfs::new();
    let mut log = open(&disk).unwrap();
    let mut frames = Vec::new();
    for (round, count) in [(1, 3), (1, 1), (2, 4), (3, 2), (3, 3), (4, 1), (4, 2)] {
        frames.extend_from_slice(append(&mut log, round, count, 500).frames());
        log.sync().unwrap();
    }
    prepare(&mut log).unwrap();
    assert!(files(&disk, ".log").len() >= 3, "several segments");
    let batch = decode(frames.into(), Vlsn::FIRST, 0, Term::ZERO).unwrap();
    Healthy { disk, batch }
}

impl Healthy {
    /// A copy of the disk, after a clean stop.
    fn copy(&self) -> MemoryVfs {
        let disk = self.disk.snapshot();
        disk.kill();
        disk
    }

    fn part(&self, range: &DamagedRange) -> Batch {
        suffix(&prefix(&self.batch, range.last).unwrap(), range.first).unwrap()
    }

    /// All entries outside the damage are read as they were written; those inside are refused.
    fn check_reads(&self, log: &Log, context: &str) {
        let damaged = log.summary().damaged;
        let reader = log.reader();
        for number in 1..=Vlsn::number(log.summary().terms.last_vlsn()) {
            let inside = damaged.iter().any(|range| range.contains(vlsn(number)));
            match reader.read(vlsn(number), vlsn(number), 0) {
                Ok(read) => {
                    assert!(!inside, "{context}: {number} is damaged");
                    assert_eq!(
                        Some(read.frames().clone()),
                        self.batch.frame(vlsn(number)),
                        "{context}: {number}"
                    );
                }
                Err(error) => {
                    assert!(inside, "{context}: {number}: {error}");
                    assert_eq!(error, LogError::Damaged { vlsn: vlsn(number) });
                }
            }
        }
    }

    /// Heals all damage and checks that nothing of it is left, now and after reopening.
    fn heal(&self, disk: &MemoryVfs, mut log: Log, context: &str) {
        let count = log.summary().damaged.len();
        for left in (0..count).rev() {
            let range = log.summary().damaged[0];
            assert_eq!(range.chain_before, self.part(&range).chain_before(), "{context}");
            assert_eq!(range.chain_after, Some(self.part(&range).chain_after()), "{context}");
            log.repair(&self.part(&range)).unwrap_or_else(|error| panic!("{context}: {range:?}: {error}"));
            assert_eq!(log.verify().map(|damaged| damaged.len()), Ok(left), "{context}: one range less");
        }
        let last = log.summary().terms.last();
        assert_eq!(last, Some(self.batch.last()), "{context}: nothing was cut off");
        append(&mut log, 9, 1, 100);
        log.sync().unwrap();
        drop(log);
        disk.kill();
        let log = open(disk).unwrap();
        assert_eq!(log.verify(), Ok(vec![]), "{context}");
        let frames = read_all(&*log.reader(), 1, self.batch.last().vlsn.as_u64());
        assert!(frames == self.batch.frames().to_vec(), "{context}");
        let terms: Vec<_> = self.batch.runs().iter().map(|run| (run.term, run.first)).collect();
        assert_eq!(
            log.summary().terms.starts()[..terms.len()],
            terms,
            "{context}: the terms are known again"
        );
    }
}

/// Flips one bit of every byte of every segment, with index files and without.
#[test]
fn a_flipped_bit_is_detected_and_never_cut_off_and_heals_by_repair() {
    let healthy = healthy();
    let (mut found, mut lost) = (0, 0);
    for path in files(&healthy.disk, ".log") {
        let bytes = healthy.disk.contents(&path).unwrap();
        let used = bytes.iter().rposition(|byte| *byte != 0).unwrap();
        for offset in 0..=used {
            let disk = healthy.copy();
            disk.flip_bit(&path, offset as u64, (offset % 8) as u8);
            if offset % 2 == 0 {
                files(&disk, ".index").iter().for_each(|index| disk.remove(index).unwrap());
            }
            let context = format!("bit flipped at {offset} of {}", path.display());
            let log = open(&disk).unwrap_or_else(|error| panic!("{context}: {error}"));
            if log.summary().lost_durable_end {
                lost += 1;
                assert!(log.summary().terms.last() < Some(healthy.batch.last()), "{context}");
                continue;
            }
            assert_eq!(log.summary().terms.last(), Some(healthy.batch.last()), "{context}: the end is known");
            found += log.verify().unwrap().len();
            healthy.check_reads(&log, &context);
            healthy.heal(&disk, log, &context);
        }
    }
    assert!(found > 7000, "most flips hit a frame: {found}");
    assert!(lost > 0 && lost < 200, "headers of the last group are few: {lost}");
}

#[test]
fn damage_at_the_end_is_told_and_cut_off_only_by_the_next_write() {
    let healthy = healthy();
    let disk = healthy.copy();
    let path = files(&disk, ".log").pop().unwrap();
    let bytes = disk.contents(&path).unwrap();
    let last = healthy.batch.frame(healthy.batch.last().vlsn).unwrap();
    let at = bytes.windows(last.len()).position(|window| window == last).unwrap();
    disk.flip_bit(&path, at as u64 + 8, 0);
    let before = disk.contents(&path);
    for _ in 0..3 {
        let log = open(&disk).unwrap();
        assert!(log.summary().lost_durable_end, "every open says so until the log is written to");
        assert_eq!(log.summary().terms.last_vlsn(), healthy.batch.last().vlsn.previous());
        assert_eq!(disk.contents(&path), before, "the evidence is still there");
        drop(log);
        disk.kill();
    }
    let mut log = open(&disk).unwrap();
    append(&mut log, 7, 1, 10);
    log.sync().unwrap();
    drop(log);
    disk.kill();
    let log = open(&disk).unwrap();
    assert!(!log.summary().lost_durable_end);
    assert_eq!(
        log.summary().terms.last(),
        Some(crate::support::entry(7, healthy.batch.last().vlsn.as_u64()))
    );
}

#[test]
fn a_damaged_payload_at_the_end_still_names_itself_and_is_kept() {
    let healthy = healthy();
    let disk = healthy.copy();
    let path = files(&disk, ".log").pop().unwrap();
    let bytes = disk.contents(&path).unwrap();
    let last = healthy.batch.frame(healthy.batch.last().vlsn).unwrap();
    let at = bytes.windows(last.len()).position(|window| window == last).unwrap();
    disk.flip_bit(&path, (at + last.len() - 1) as u64, 0);
    let log = open(&disk).unwrap();
    assert!(!log.summary().lost_durable_end);
    assert_eq!(log.summary().terms.last(), Some(healthy.batch.last()), "the rank is known");
    assert_eq!(log.summary().damaged.len(), 1);
    healthy.heal(&disk, log, "the last payload");
}

/// Each group is lost in turn: the disk says it has been written, and it has not.
#[test]
fn a_lost_write_is_detected() {
    let mut detected = 0;
    for lost in 0..8 {
        let disk = MemoryVfs::new();
        let mut log = open(&disk).unwrap();
        let mut frames = Vec::new();
        for group in 0..8 {
            let batch = next_batch(&log, 1, 2, 60);
            if group == lost {
                disk.lose_next_write();
            }
            log.append(std::slice::from_ref(&batch)).unwrap();
            frames.extend_from_slice(batch.frames());
            log.sync().unwrap();
        }
        prepare(&mut log).unwrap();
        let batch = decode(frames.into(), Vlsn::FIRST, 0, Term::ZERO).unwrap();
        let healthy = Healthy { disk: disk.clone(), batch };
        let read = log.reader().read(vlsn(lost * 2 + 1), vlsn(16), 9999);
        assert_eq!(read.unwrap_err(), LogError::Damaged { vlsn: vlsn(lost * 2 + 1) }, "a read shows it");
        drop(log);
        disk.kill();
        let log = open(&disk).unwrap();
        log.verify().unwrap();
        let summary = log.summary();
        if summary.lost_durable_end {
            assert_eq!(lost, 7, "only the last group leaves nothing behind it that names it");
        } else {
            let damaged: Vec<_> = summary.damaged.iter().map(|range| (range.first, range.last)).collect();
            assert_eq!(damaged, [(vlsn(lost * 2 + 1), vlsn(lost * 2 + 2))], "exactly the lost entries");
            healthy.check_reads(&log, "a lost write");
            healthy.heal(&disk, log, "a lost write");
            detected += 1;
        }
    }
    assert_eq!(detected, 7);
}

#[test]
fn a_lost_segment_header_is_refused_and_never_taken_for_the_end() {
    let disk = MemoryVfs::new();
    let mut log = open(&disk).unwrap();
    append(&mut log, 1, 4, 700);
    prepare(&mut log).unwrap();
    let batch = next_batch(&log, 1, 4, 700);
    disk.lose_next_write();
    log.append(&[batch]).unwrap();
    log.sync().unwrap();
    drop(log);
    assert!(
        matches!(open(&disk), Err(LogError::Unusable { reason }) if reason.contains("no readable header"))
    );
}

/// The bytes of one group are found in the place of another.
#[test]
fn a_misplaced_write_is_detected() {
    let healthy = healthy();
    let path = files(&healthy.disk, ".log").remove(0);
    let bytes = healthy.disk.contents(&path).unwrap();
    let groups: Vec<usize> =
        (1024..bytes.len() - 4).step_by(8).filter(|at| &bytes[*at..*at + 4] == b"QGR\x01").collect();
    let [first, second, ..] = groups[..] else { panic!("two groups at least in {}", path.display()) };
    let disk = healthy.copy();
    disk.corrupt(&path, second as u64, &bytes[first..first + 620]);
    files(&disk, ".index").iter().for_each(|index| disk.remove(index).unwrap());
    let log = open(&disk).unwrap();
    assert_eq!(log.summary().terms.last(), Some(healthy.batch.last()));
    assert!(!log.summary().damaged.is_empty());
    healthy.check_reads(&log, "a misplaced write");
    healthy.heal(&disk, log, "a misplaced write");
}

#[test]
fn several_holes_are_healed_one_by_one_through_restarts() {
    let healthy = healthy();
    let disk = healthy.copy();
    for path in files(&disk, ".log") {
        for offset in [1200, 2100, 3100] {
            disk.corrupt(&path, offset, &[0; 40]);
        }
    }
    files(&disk, ".index").iter().for_each(|index| disk.remove(index).unwrap());
    let mut healed = 0;
    loop {
        let mut log = open(&disk).unwrap();
        assert_eq!(log.summary().terms.last(), Some(healthy.batch.last()));
        healthy.check_reads(&log, "several holes");
        let Some(range) = log.summary().damaged.last().copied() else { break };
        log.repair(&healthy.part(&range)).unwrap();
        healed += 1;
    }
    assert!(healed >= 4, "{healed} holes");
    healthy.heal(
        &disk,
        {
            disk.kill();
            open(&disk).unwrap()
        },
        "several holes",
    );
}

#[test]
fn a_repair_that_is_neither_the_damaged_range_nor_its_beginning_is_refused() {
    let healthy = healthy();
    let disk = healthy.copy();
    let path = files(&disk, ".log").remove(0);
    disk.corrupt(&path, 1200, &[0; 600]);
    let mut log = open(&disk).unwrap();
    log.verify().unwrap();
    let range = log.summary().damaged[0];
    assert!(range.first < range.last, "two entries are damaged");
    let part = healthy.part(&range);
    let other = crate::support::batch(
        quorate_core::EntryId { vlsn: range.first, ..crate::support::entry(1, 1) },
        part.count() as u64,
        range.chain_before,
        77,
    );
    let refused = [suffix(&part, range.last).unwrap(), healthy.batch.clone(), other];
    for batch in refused {
        assert_eq!(log.repair(&batch).unwrap_err(), LogError::NotTheDamaged, "{batch:?}");
        assert_eq!(log.summary().damaged, [range], "nothing was changed");
    }
    log.repair(&part).unwrap();
}

#[test]
fn an_index_is_rebuilt_when_missing_or_damaged_and_agrees_entry_by_entry() {
    let healthy = healthy();
    let expected = open(&healthy.copy()).unwrap().summary();
    let indexes = files(&healthy.disk, ".index");
    assert!(!indexes.is_empty());
    for path in &indexes {
        let bytes = healthy.disk.contents(path).unwrap().len();
        for offset in 0..=bytes {
            let disk = healthy.copy();
            if offset < bytes {
                disk.flip_bit(path, offset as u64, (offset % 8) as u8);
            } else {
                disk.remove(path).unwrap();
            }
            let mut log = open(&disk).unwrap();
            assert_eq!(log.summary(), expected, "bit flipped at {offset} of {}", path.display());
            healthy.check_reads(&log, "an index is damaged");
            prepare(&mut log).unwrap();
            assert_eq!(disk.contents(path), healthy.disk.contents(path), "the same index is written again");
        }
    }
}

#[test]
fn damage_that_a_read_has_found_is_known_after_a_restart() {
    let healthy = healthy();
    let disk = healthy.copy();
    disk.flip_bit(&files(&disk, ".log")[0], 1200, 0);
    let mut log = open(&disk).unwrap();
    assert_eq!(log.summary().damaged, [], "a sealed segment is opened by its index");
    assert_eq!(log.reader().read(vlsn(1), vlsn(1), 0).unwrap_err(), LogError::Damaged { vlsn: vlsn(1) });
    let damaged = log.summary().damaged;
    assert_eq!(damaged.len(), 1);
    prepare(&mut log).unwrap();
    drop(log);
    let log = open(&disk).unwrap();
    assert_eq!(log.summary().damaged, damaged);
    healthy.heal(&disk, log, "the first entry");
}

#[test]
fn a_truncation_around_damage_keeps_what_can_be_kept() {
    let healthy = healthy();
    let disk = healthy.copy();
    disk.corrupt(&files(&disk, ".log")[0], 1200, &[0; 600]);
    let mut log = open(&disk).unwrap();
    let range = log.verify().unwrap()[0];
    let frames = frames_of(&healthy.batch);
    log.truncate_after(Some(range.last)).unwrap();
    assert_eq!(log.summary().damaged, [range], "what is damaged and kept stays known");
    let more = append(&mut log, 9, 2, 10);
    assert_eq!(more.chain_before(), healthy.part(&range).chain_after());
    log.truncate_after(range.first.previous()).unwrap();
    assert_eq!(log.summary().damaged, [], "what was damaged is gone");
    let kept = Vlsn::number(range.first.previous()) as usize;
    assert_eq!(read_all(&*log.reader(), 1, kept as u64), frames[..kept].concat());
}

/// A log whose entries from the second to the fifth are damaged, the last of which begins a segment.
fn damaged_across_segments(healthy: &Healthy) -> (MemoryVfs, Log, DamagedRange) {
    let disk = healthy.copy();
    for vlsn in 2..=5 {
        let frame = healthy.batch.frame(crate::support::vlsn(vlsn)).unwrap();
        let holds = |path: &&std::path::PathBuf| position(&disk, path, &frame).is_some();
        let path = files(&disk, ".log").iter().find(holds).unwrap().clone();
        disk.flip_bit(&path, position(&disk, &path, &frame).unwrap() as u64 + 100, 0);
    }
    let log = open(&disk).unwrap();
    let range = log.verify().unwrap()[0];
    assert_eq!((range.first, range.last), (vlsn(2), vlsn(5)));
    (disk, log, range)
}

fn position(disk: &MemoryVfs, path: &Path, frame: &[u8]) -> Option<usize> {
    disk.contents(path).unwrap().windows(frame.len()).position(|window| window == frame)
}

#[test]
fn the_beginning_of_a_damaged_range_is_healed_alone_and_the_rest_later() {
    let healthy = healthy();
    for through in 2..=4 {
        let (disk, mut log, range) = damaged_across_segments(&healthy);
        let first = prefix(&healthy.part(&range), vlsn(through)).unwrap();
        log.repair(&first).unwrap();
        let rest = DamagedRange { first: vlsn(through + 1), chain_before: first.chain_after(), ..range };
        assert_eq!(log.summary().damaged, [rest]);
        healthy.check_reads(&log, "the rest is damaged still");
        drop(log);
        disk.kill();
        let log = open(&disk).unwrap();
        assert_eq!(log.verify().unwrap(), [rest], "as another process finds it");
        healthy.heal(&disk, log, "the rest");
    }
}

#[test]
fn a_log_is_cut_within_damage_once_the_entry_to_keep_last_is_healed() {
    let healthy = healthy();
    for keep in 2..=3 {
        let (disk, mut log, range) = damaged_across_segments(&healthy);
        let before = log.summary();
        assert_eq!(log.truncate_after(Some(vlsn(keep))), Err(LogError::Damaged { vlsn: vlsn(keep) }));
        assert_eq!(log.summary(), before, "nothing was dropped");
        let part = healthy.part(&range);
        log.repair(&prefix(&part, vlsn(keep)).unwrap()).unwrap();
        let truncated = log.truncate_after(Some(vlsn(keep))).unwrap();
        assert_eq!(truncated.count, healthy.batch.last().vlsn.as_u64() - keep);
        let more = append(&mut log, 9, 2, 10);
        assert_eq!(more.chain_before(), prefix(&part, vlsn(keep)).unwrap().chain_after());
        log.sync().unwrap();
        drop(log);
        disk.kill();
        let log = open(&disk).unwrap();
        assert_eq!(log.verify(), Ok(vec![]), "the damage is gone");
        let kept = prefix(&healthy.batch, vlsn(keep)).unwrap();
        assert_eq!(read_all(&*log.reader(), 1, keep + 2), [&kept.frames()[..], more.frames()].concat());
    }
}

#[test]
fn damage_in_the_last_segment_goes_with_its_entries_once_nobody_needs_them() {
    let disk = MemoryVfs::new();
    let mut log = open(&disk).unwrap();
    append(&mut log, 1, 3, 100);
    log.sync().unwrap();
    let file = files(&disk, ".log")[0].clone();
    let used = disk.contents(&file).unwrap().iter().rposition(|byte| *byte != 0).unwrap();
    assert!(disk.flip_bit(&file, used as u64 - 10, 0));
    assert_eq!(log.verify().unwrap().len(), 1);
    let last = log.summary().terms.last().unwrap();
    log.trim_through(last.vlsn.previous().unwrap()).unwrap();
    assert_eq!(log.summary().damaged.len(), 1, "the last entry is still needed");
    log.trim_through(last.vlsn).unwrap();
    assert_eq!(log.summary().damaged, []);
    assert_eq!(log.summary().terms.base(), Some(last));
    append(&mut log, 2, 1, 100);
    log.sync().unwrap();
    let expected = log.summary();
    drop(log);
    disk.kill();
    assert_eq!(open(&disk).unwrap().summary(), expected);
}

/// Where the groups of a segment begin, in bytes.
fn groups(disk: &MemoryVfs, segment: &Path) -> Vec<u64> {
    let bytes = disk.contents(segment).expect("the segment");
    let starts = (0..bytes.len()).step_by(8);
    starts.filter(|start| bytes[*start..].starts_with(b"QGR")).map(|start| start as u64).collect()
}

#[test]
fn a_durable_entry_that_lost_its_group_header_survives_a_torn_write_behind_it() {
    let disk = MemoryVfs::new();
    let mut log = open(&disk).expect("an empty log");
    append(&mut log, 1, 2, 30);
    log.sync().expect("a sync");
    append(&mut log, 1, 1, 30);
    log.sync().expect("a sync");
    append(&mut log, 1, 2, 30);
    drop(log);
    disk.kill();
    let segment = files(&disk, ".log")[0].clone();
    let starts = groups(&disk, &segment);
    disk.flip_bit(&segment, starts[1] + 24, 3);
    disk.flip_bit(&segment, starts[2] + 72 + 40, 3);
    for _ in 0..2 {
        let summary = open(&disk).expect("the log").summary();
        assert_eq!((summary.terms.last_vlsn(), summary.lost_durable_end), (Some(vlsn(3)), false));
    }
    let mut log = open(&disk).expect("the log");
    let before = read_all(&*log.reader(), 1, 3);
    append(&mut log, 2, 2, 30);
    log.sync().expect("a sync");
    drop(log);
    let log = open(&disk).expect("the log");
    assert_eq!(log.summary().terms.last(), Some(entry(2, 5)));
    assert_eq!(read_all(&*log.reader(), 1, 3), before);
    assert_eq!(log.verify().expect("a disk that is read"), []);
}

#[test]
fn a_damaged_durable_entry_is_not_forgotten_with_the_torn_write_that_says_it_was_durable() {
    let disk = MemoryVfs::new();
    let mut log = open(&disk).expect("an empty log");
    append(&mut log, 1, 2, 30);
    log.sync().expect("a sync");
    let durable = append(&mut log, 1, 1, 30);
    log.sync().expect("a sync");
    append(&mut log, 1, 2, 30);
    drop(log);
    disk.kill();
    let segment = files(&disk, ".log")[0].clone();
    let starts = groups(&disk, &segment);
    disk.flip_bit(&segment, starts[1] + 72 + 40, 3);
    disk.flip_bit(&segment, starts[2] + 72 + 40, 3);
    for _ in 0..2 {
        let summary = open(&disk).expect("the log").summary();
        assert_eq!(summary.terms.last_vlsn(), Some(vlsn(3)));
        assert_eq!(summary.damaged.iter().map(|range| range.first).collect::<Vec<_>>(), [vlsn(3)]);
    }
    let mut log = open(&disk).expect("the log");
    log.repair(&durable).expect("the entry as it was");
    append(&mut log, 2, 1, 30);
    drop(log);
    let log = open(&disk).expect("the log");
    assert_eq!((log.summary().terms.last_vlsn(), log.summary().damaged), (Some(vlsn(4)), Vec::new()));
}

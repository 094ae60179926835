//! What a disk has garbled is found when the node opens its log, kept in its place, and healed from a peer.

use crate::cluster::{Cluster, Settings, eventually, patient};
use crate::load::{fill, key, value};
use crate::log_image::open_log;
use quorate::{CommitToken, RepConfigBuilder};
use quorate_core::LogStore;
use std::fs;
use std::path::{Path, PathBuf};

const VALUE_BYTES: usize = 200;
const ENTRIES: u64 = 2000;
/// Entries of one group; it is durable before the next one is written.
const GROUP: u64 = 40;
/// An entry that many groups follow.
const EARLY: u64 = 300;

/// Entries stand in a row of sealed segments, and in the one that is being written.
fn short_segments(config: RepConfigBuilder) -> RepConfigBuilder {
    patient(config).segment_bytes(64 << 10)
}

/// As [`short_segments`], and no two nodes begin their segments with the same entries.
fn uneven_segments(config: RepConfigBuilder) -> RepConfigBuilder {
    let bytes = match config.clone().build().node.as_str() {
        "node1" => 64 << 10,
        "node2" => 44 << 10,
        _ => 52 << 10,
    };
    patient(config).segment_bytes(bytes)
}

/// A group of which one node has stopped, so that its disk can be tampered with.
struct Patient {
    cluster: Cluster,
    master: usize,
    stopped: usize,
    newest: CommitToken,
}

fn stopped_replica(settings: Settings) -> Patient {
    let mut cluster = Cluster::running(3, settings);
    let (master, replicas) = cluster.roles();
    let database = cluster.database(master);
    let mut newest = None;
    for group in 0..ENTRIES / GROUP {
        newest =
            Some(fill(&database, group * GROUP..(group + 1) * GROUP, |number| value(number, VALUE_BYTES)));
    }
    let (stopped, newest) = (replicas[0], newest.unwrap());
    cluster.await_applied(stopped, newest);
    cluster.stop(stopped);
    Patient { cluster, master, stopped, newest }
}

impl Patient {
    fn files(&self, extension: &str) -> Vec<PathBuf> {
        let listed = fs::read_dir(self.cluster.log_directory(self.stopped)).unwrap();
        let paths = listed.map(|file| file.unwrap().path());
        let is_segment = |path: &Path| path.file_name().unwrap().to_str().unwrap().starts_with("segment-");
        let mut files: Vec<_> = paths
            .filter(|path| is_segment(path) && path.extension().is_some_and(|found| found == extension))
            .collect();
        files.sort();
        files
    }

    /// The file with an entry's value, what is in it, and where the value stands.
    fn find(&self, number: u64) -> (PathBuf, Vec<u8>, usize) {
        let wanted = value(number, VALUE_BYTES);
        let found = self.files("log").into_iter().find_map(|path| {
            let bytes = fs::read(&path).unwrap();
            let place = bytes.windows(wanted.len()).position(|window| window == wanted)?;
            Some((path, bytes, place))
        });
        found.unwrap_or_else(|| panic!("entry {number} is in no segment"))
    }

    /// An entry near the beginning of a segment.
    fn first_of_a_segment(&self) -> u64 {
        (EARLY..ENTRIES).find(|number| self.find(*number).2 < 4 << 10).unwrap()
    }

    /// Changes the stopped node's log from the middle of an entry's value on.
    fn damage(&self, number: u64, change: impl Fn(&mut [u8])) {
        let (path, mut bytes, place) = self.find(number);
        change(&mut bytes[place + VALUE_BYTES / 2..]);
        fs::write(path, bytes).unwrap();
    }

    /// Starts the node alone: it knows that it is damaged, and has cut nothing off. Then it hears the others.
    ///
    /// It finds no index files, which an idle log writes: a segment that has one is not scanned when the log is
    /// opened.
    fn start_and_heal(mut self) {
        let stopped = self.stopped;
        self.files("index").iter().for_each(|path| fs::remove_file(path).unwrap());
        self.cluster.isolate(stopped);
        self.cluster.start(stopped);
        let status = self.cluster.status(stopped);
        assert!(status.is_damaged, "the damage is found when the log is opened");
        assert_eq!(status.watermarks.written, Some(self.newest.vlsn), "nothing is cut off");
        assert!(!status.is_recovering, "its end is known");
        self.cluster.heal();
        self.assert_serves();
    }

    /// The node holds what the others hold, bit for bit, and serves it.
    fn assert_serves(mut self) {
        let stopped = self.stopped;
        let database = self.cluster.database(self.master);
        let newest = fill(&database, [ENTRIES], |number| value(number, VALUE_BYTES));
        drop(database);
        eventually("the damage is healed", || !self.cluster.status(stopped).is_damaged);
        self.cluster.await_applied(stopped, newest);
        let database = self.cluster.database(stopped);
        for number in 0..=ENTRIES {
            let found = database.get(&key(number), None).unwrap();
            assert_eq!(found.as_deref(), Some(&value(number, VALUE_BYTES)[..]));
        }
        drop(database);
        self.cluster.stop_and_compare_logs();
        let log = open_log(&self.cluster.log_directory(stopped));
        assert_eq!(log.verify(), Ok(vec![]), "nothing is left of the damage");
    }

    /// Leaves index files for all sealed segments behind, as an earlier version of the log or a longer life
    /// of the node does.
    fn write_index_files(&self) {
        let mut log = open_log(&self.cluster.log_directory(self.stopped));
        while log.prepare().unwrap() {}
        drop(log);
        assert!(self.files("index").len() > 2);
    }
}

#[test]
fn a_flipped_bit_in_the_segment_being_written_is_found_kept_and_healed_from_a_peer() {
    let patient = stopped_replica(patient);
    assert_eq!(patient.files("log").len(), 1);
    patient.damage(EARLY, |bytes| bytes[0] ^= 1);
    patient.start_and_heal();
}

#[test]
fn a_flipped_bit_in_a_sealed_segment_is_found_kept_and_healed_from_a_peer() {
    let patient = stopped_replica(short_segments);
    assert!(patient.files("log").len() > 3);
    patient.damage(EARLY, |bytes| bytes[0] ^= 1);
    patient.start_and_heal();
}

#[test]
fn several_damaged_segments_are_healed_from_peers() {
    let patient = stopped_replica(short_segments);
    for number in [EARLY, EARLY + 1, EARLY + 300, EARLY + 800] {
        patient.damage(number, |bytes| bytes[0] ^= 0x80);
    }
    patient.start_and_heal();
}

#[test]
fn a_zeroed_range_is_found_kept_and_healed_from_a_peer() {
    let patient = stopped_replica(short_segments);
    patient.damage(EARLY, |bytes| bytes[..4096].fill(0));
    patient.start_and_heal();
}

#[test]
fn a_zeroed_range_that_peers_hold_in_several_segments_is_healed_all_the_same() {
    let patient = stopped_replica(uneven_segments);
    patient.damage(patient.first_of_a_segment(), |bytes| {
        let length = bytes.len().min(40 << 10);
        bytes[..length].fill(0);
    });
    patient.start_and_heal();
}

#[test]
fn damage_behind_a_good_index_file_is_found_when_it_is_read_and_healed_from_a_peer() {
    let mut patient = stopped_replica(short_segments);
    patient.write_index_files();
    patient.damage(EARLY, |bytes| bytes[0] ^= 1);
    patient.cluster.start(patient.stopped);
    patient.assert_serves();
}

#[test]
fn damaged_index_files_are_of_no_account() {
    let mut patient = stopped_replica(short_segments);
    patient.write_index_files();
    for (path, at) in patient.files("index").iter().zip([0, 20, 40].into_iter().cycle()) {
        let mut bytes = fs::read(path).unwrap();
        let place = at % bytes.len();
        bytes[place] ^= 0x10;
        fs::write(path, bytes).unwrap();
    }
    patient.cluster.start(patient.stopped);
    patient.assert_serves();
}

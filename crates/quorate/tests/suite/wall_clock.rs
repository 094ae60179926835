//! Nodes whose time of day is wrong.

use crate::group::LONG;
use quorate::{
    BytesDatabase, CommitToken, ConsistencyPolicy, InMemoryNetwork, NodeState, Parts, RepConfig,
    ReplicatedEnvironment, WallClock, system_wall_clock,
};
use quorate_engine::MemoryStore;
use quorate_log::LogInspection;
use quorate_log::vfs::OsVfs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tempfile::TempDir;

const HOUR_MICROS: u64 = 3_600_000_000;
const WRITES: u64 = 100;

/// Three nodes: one's clock is an hour ahead, one's jumps by days with every look at it, and one's stands
/// still.
struct Group {
    nodes: [Option<ReplicatedEnvironment>; 3],
    clocks: [WallClock; 3],
    network: InMemoryNetwork,
    directory: TempDir,
}

impl Group {
    fn start() -> Self {
        let (now, looks) = (system_wall_clock(), AtomicU64::new(0));
        let later = Arc::clone(&now);
        let mut group = Self {
            directory: TempDir::new().unwrap(),
            network: InMemoryNetwork::new().unwrap(),
            clocks: [
                Arc::new(move || later() + HOUR_MICROS),
                Arc::new(move || {
                    let days = looks.fetch_add(1, Ordering::SeqCst) % 7 + 1;
                    let jump = days * 24 * HOUR_MICROS;
                    if days % 2 == 0 { now() + jump } else { now() - jump }
                }),
                Arc::new(|| 0),
            ],
            nodes: [None, None, None],
        };
        (0..3).for_each(|index| group.open(index));
        group
    }

    fn path(&self, index: usize) -> PathBuf {
        self.directory.path().join(format!("node{index}"))
    }

    fn open(&mut self, index: usize) {
        let config = (0..3)
            .fold(RepConfig::builder("group", format!("node{index}"), "localhost"), |config, other| {
                config.member(format!("node{other}"), format!("node{other}:{}", 14_001 + other))
            });
        let config = config.data_dir(self.path(index)).segment_bytes(1 << 20).build();
        let network = &self.network;
        let parts = Parts {
            store: Box::new(|_| Ok(Arc::new(MemoryStore::new()))),
            transport: Box::new(|plan, inbox| Ok(Arc::new(network.start(plan.me, plan.members, inbox)?))),
            vfs: Arc::new(OsVfs),
            wall_clock: Arc::clone(&self.clocks[index]),
        };
        self.nodes[index] = Some(ReplicatedEnvironment::with_parts(config, parts).unwrap());
    }

    fn close(&mut self, index: usize) {
        self.nodes[index].take().expect("the node runs").close().unwrap();
    }

    fn node(&self, index: usize) -> &ReplicatedEnvironment {
        self.nodes[index].as_ref().expect("the node runs")
    }

    fn running(&self) -> impl Iterator<Item = &ReplicatedEnvironment> {
        self.nodes.iter().flatten()
    }

    /// The place of a node that leads all that run.
    fn master(&self) -> usize {
        loop {
            for (index, node) in self.nodes.iter().enumerate() {
                let Some(node) = node else { continue };
                let named = node.wait_for_master(LONG).unwrap().node;
                let policy = ConsistencyPolicy::Linearizable { timeout: Duration::from_millis(200) };
                if named == format!("node{index}")
                    && node.state() == NodeState::Master
                    && node.read(policy).wait().is_ok()
                {
                    return index;
                }
            }
        }
    }
}

fn database(node: &ReplicatedEnvironment) -> BytesDatabase {
    node.bytes("default").unwrap()
}

/// Every node serves reads of each kind that sees the commit.
fn assert_read_everywhere(group: &Group, key: u64, token: CommitToken) {
    for node in group.running() {
        for policy in [
            ConsistencyPolicy::CommitPointConsistency { token, timeout: LONG },
            ConsistencyPolicy::Linearizable { timeout: LONG },
            ConsistencyPolicy::TimeConsistency { lag: Duration::ZERO, timeout: LONG },
        ] {
            let found = database(node).get(&key.to_be_bytes(), policy).unwrap();
            assert_eq!(found.as_deref(), Some(&key.to_be_bytes()[..]), "{policy:?}");
        }
        let recent = ConsistencyPolicy::TimeConsistency { lag: Duration::from_secs(5), timeout: LONG };
        assert!(node.read(recent).wait().is_ok());
    }
}

#[test]
fn clocks_that_are_off_or_jump_or_stand_still_change_nothing_but_timestamps() {
    let mut group = Group::start();
    let mut keys = 0..;
    for _ in 0..3 {
        let master = group.master();
        let term = group.node(master).status().unwrap().term;
        let mut last = None;
        for key in keys.by_ref().take(WRITES as usize) {
            let key: u64 = key;
            let committed = database(group.node(master)).put(&key.to_be_bytes(), &key.to_be_bytes());
            last = Some((key, committed.wait().unwrap().token));
        }
        let (key, token) = last.unwrap();
        assert_read_everywhere(&group, key, token);
        assert_eq!(group.node(master).status().unwrap().term, term, "nobody stood for election meanwhile");
        group.close(master);
        group.master();
        group.open(master);
    }
    (0..3).for_each(|index| group.close(index));
    let now = system_wall_clock()();
    let log = LogInspection::open(&group.path(0)).unwrap();
    let mut count = 0;
    for segment in log.segments() {
        for entry in segment.read().unwrap().entries() {
            let stamp = entry.header.expect("the log is whole").timestamp_micros;
            assert!(stamp.abs_diff(now) > HOUR_MICROS * 9 / 10, "{stamp} is right, at {now}");
            count += 1;
        }
    }
    assert!(count >= 3 * WRITES, "{count} entries");
}

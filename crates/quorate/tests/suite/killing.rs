//! An environment that is killed leaves its directory as a crash of its process would, and nobody waiting.

use crate::group::{Group, LONG, default_database};
use quorate::{
    CommitDurability, ConsistencyPolicy, EngineKind, NodeState, Outcome, ReadError, RepConfig,
    RepTransportKind, ReplicaAckPolicy, ReplicatedEnvironment, SyncPolicy,
};
use quorate_core::StateStore;
use quorate_log::HardStateFile;
use quorate_log::vfs::OsVfs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

const UNSYNCED: CommitDurability = CommitDurability {
    local: SyncPolicy::NoSync,
    replica: SyncPolicy::NoSync,
    acks: ReplicaAckPolicy::SimpleMajority,
};

fn open(directory: &Path) -> ReplicatedEnvironment {
    let config = RepConfig::builder("group", "node1", "localhost")
        .transport(RepTransportKind::InMemory)
        .engine(EngineKind::Memory)
        .segment_bytes(1 << 20)
        .relaxed_sync_interval(Duration::from_secs(3600))
        .durability(UNSYNCED)
        .data_dir(directory)
        .build();
    let node = ReplicatedEnvironment::new(config).unwrap();
    node.wait_for_state(NodeState::Master, LONG).unwrap();
    node
}

fn is_marked(directory: &Path) -> bool {
    let state = HardStateFile::new(Arc::new(OsVfs), directory).load().unwrap();
    state.expect("the node has been opened").unsynced_mark.is_some()
}

#[test]
fn a_killed_node_leaves_its_mark_and_an_orderly_end_clears_it() {
    let directory = TempDir::new().unwrap();
    let node = open(directory.path());
    default_database(&node).put(b"key", b"value").wait().unwrap();
    node.kill();
    assert!(is_marked(directory.path()), "nothing was synced, and the mark says so");
    node.kill();
    node.close().unwrap();
    let again = open(directory.path());
    again.read(ConsistencyPolicy::Linearizable { timeout: LONG }).wait().unwrap();
    let value = default_database(&again).get(b"key", None).unwrap();
    assert_eq!(value.as_deref(), Some(&b"value"[..]), "what was written survives the process");
    again.close().unwrap();
    assert!(!is_marked(directory.path()));
}

#[test]
fn whoever_waits_on_a_node_that_is_killed_is_told() {
    let group = Group::start(3);
    let master = group.master();
    let node = group.node(master);
    (0..3).filter(|other| *other != master).for_each(|other| group.partition(master, other));
    let write = default_database(node).put(b"key", b"value");
    let read = node.read(ConsistencyPolicy::Linearizable { timeout: LONG });
    while node.stats().proposals == 0 {
        std::thread::yield_now();
    }
    node.kill();
    assert!(matches!(write.wait().unwrap_err().outcome(), Outcome::Unknown { token: Some(_) }));
    assert_eq!(read.wait().err(), Some(ReadError::Closed));
    assert_eq!(node.state(), NodeState::Detached);
}

#[test]
fn a_group_survives_the_killing_of_its_master() {
    let mut group = Group::start(3);
    let master = group.master();
    default_database(group.node(master)).put(b"key", b"value").wait().unwrap();
    group.node(master).kill();
    group.stop(master);
    let next = group.master();
    assert_ne!(next, master);
    let policy = ConsistencyPolicy::Linearizable { timeout: LONG };
    let value = default_database(group.node(next)).get(b"key", policy).unwrap();
    assert_eq!(value.as_deref(), Some(&b"value"[..]));
}

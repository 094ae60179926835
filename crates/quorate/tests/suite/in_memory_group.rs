//! The group that applications use in their own tests does what it says.

use crate::group::{LONG, default_database};
use quorate::testing::{InMemoryGroup, InMemoryGroupError, TestNode};
use quorate::{CommitToken, ConsistencyPolicy, EngineKind, NodeState, Outcome, WriteError};
use std::time::Duration;

fn write(node: &TestNode, key: &[u8], value: &[u8]) -> CommitToken {
    default_database(node).put(key, value).wait().unwrap().token
}

/// The value at a node that has applied the commit.
fn read_at(node: &TestNode, key: &[u8], token: CommitToken) -> Option<Vec<u8>> {
    let policy = ConsistencyPolicy::CommitPointConsistency { token, timeout: LONG };
    default_database(node).get(key, policy).unwrap().map(|value| value.to_vec())
}

fn names_but<'a>(group: &'a InMemoryGroup, one: &str) -> Vec<&'a str> {
    group.names().filter(|name| *name != one).collect()
}

#[test]
fn a_write_survives_the_death_of_the_master_that_took_it() {
    let group = InMemoryGroup::start(3).unwrap();
    let master = group.wait_for_master().unwrap();
    let token = write(&master, b"k", b"v");
    group.kill(master.name()).unwrap();
    assert_eq!(master.state(), NodeState::Detached);
    assert!(group.node(master.name()).is_err() && group.nodes().len() == 2);

    let successor = group.wait_for_master().unwrap();
    assert_ne!(successor.name(), master.name());
    let later = write(&successor, b"k2", b"v2");
    let back = group.restart(master.name()).unwrap();
    assert_eq!(read_at(&back, b"k", token).as_deref(), Some(&b"v"[..]));
    assert_eq!(read_at(&back, b"k2", later).as_deref(), Some(&b"v2"[..]));
}

#[test]
fn a_master_in_a_minority_steps_down_takes_no_writes_and_agrees_again_once_healed() {
    let group = InMemoryGroup::builder(3)
        .configure(|config| config.ack_timeout(Duration::from_millis(500)))
        .start()
        .unwrap();
    let old = group.wait_for_master().unwrap();
    write(&old, b"k", b"before");
    group.partition(&[old.name()], &names_but(&group, old.name())).unwrap();
    let new = group.wait_for_master().unwrap();
    assert_ne!(new.name(), old.name());
    old.wait_for_state(NodeState::Unknown, LONG).unwrap();
    let refused = default_database(&old).put(b"k", b"in the minority").wait().unwrap_err();
    assert!(matches!(refused, WriteError::NotMaster { .. }), "{refused}");
    assert_eq!(refused.outcome(), Outcome::NotDone);

    let token = write(&new, b"k", b"in the majority");
    group.heal();
    assert_eq!(group.nodes().len(), 3);
    for node in group.nodes() {
        assert_eq!(read_at(&node, b"k", token).as_deref(), Some(&b"in the majority"[..]), "{}", node.name());
    }
}

#[test]
fn a_node_keeps_its_log_over_its_death_whatever_its_engine() {
    for engine in [EngineKind::Memory, EngineKind::Redb] {
        let group = InMemoryGroup::builder(1).engine(engine).start().unwrap();
        let token = write(&group.wait_for_master().unwrap(), b"k", b"v");
        group.kill("node1").unwrap();
        group.restart("node1").unwrap();
        let node = group.wait_for_master().unwrap();
        assert_eq!(read_at(&node, b"k", token).as_deref(), Some(&b"v"[..]), "{engine:?}");
        group.stop("node1").unwrap();
    }
}

#[test]
fn a_node_whose_name_sorts_oddly_is_the_one_cut_off() {
    let group = InMemoryGroup::start(10).unwrap();
    // A group that was cut before every member had heard every other would never be founded.
    group.wait_for_master().unwrap();
    let others = names_but(&group, "node2");
    group.partition(&["node2"], &others).unwrap();
    let master = group.wait_for_master().unwrap();
    assert_ne!(master.name(), "node2");
    let cut_off = group.node("node2").unwrap();
    let followers = group.nodes().into_iter().filter(|node| !["node2", master.name()].contains(&node.name()));
    for follower in followers {
        follower.wait_for_state(NodeState::Replica, LONG).unwrap();
    }
    cut_off.wait_for_state(NodeState::Unknown, LONG).unwrap();
}

#[test]
fn mistakes_are_named() {
    assert!(matches!(InMemoryGroup::start(0), Err(InMemoryGroupError::NoNodes)));
    let group = InMemoryGroup::start(2).unwrap();
    assert!(
        matches!(group.kill("nobody"), Err(InMemoryGroupError::UnknownNode { name }) if name == "nobody")
    );
    assert!(matches!(group.restart("node1"), Err(InMemoryGroupError::Running { name }) if name == "node1"));
    for name in ["node1", "node2"] {
        group.kill(name).unwrap();
    }
    assert!(matches!(group.node("node1"), Err(InMemoryGroupError::NotRunning { .. })));
    assert!(matches!(group.kill("node1"), Err(InMemoryGroupError::NotRunning { .. })));
    let nobody = group.wait_for_master();
    assert!(matches!(nobody, Err(InMemoryGroupError::NoMaster { running: 0, count: 2, .. })));
}

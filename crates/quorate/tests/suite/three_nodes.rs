use crate::group::{Group, LONG, default_database};
use quorate::{
    CommitDurability, ConsistencyPolicy, MasterAddress, NodeState, Outcome, ReplicaAckPolicy,
    ReplicatedEnvironment, StateChangeEvent, WriteError,
};
use std::collections::HashSet;
use std::sync::mpsc;
use std::time::Duration;

#[test]
fn three_nodes_elect_one_master_and_agree_on_it() {
    let group = Group::start(3);
    let masters: HashSet<_> = group.running().map(|node| node.wait_for_master(LONG).unwrap().node).collect();
    assert_eq!(masters.len(), 1, "{masters:?}");
    let leaders = group.running().filter(|node| node.state() == NodeState::Master).count();
    assert_eq!(leaders, 1);
}

#[test]
fn writes_survive_the_masters_death() {
    let mut group = Group::start(3);
    let first = group.master();
    let database = default_database(group.node(first));
    let writes: Vec<_> = (0..100_u8).map(|key| database.put(&[key], b"before")).collect();
    let mut token = None;
    for write in writes {
        token = Some(write.wait().unwrap().token);
    }
    drop(database);
    group.kill(first);
    let second = group.master();
    assert_ne!(first, second);
    let database = default_database(group.node(second));
    database.put(b"after", b"the change").wait().unwrap();
    let policy = ConsistencyPolicy::CommitPointConsistency { token: token.unwrap(), timeout: LONG };
    for node in group.running() {
        let rows = default_database(node).scan(.., policy).unwrap();
        let before = rows.filter(|row| row.as_ref().unwrap().1 == b"before"[..]).count();
        assert_eq!(before, 100);
    }
}

#[test]
fn a_stopped_node_catches_up_when_it_comes_back() {
    let mut group = Group::start(3);
    let master = group.master();
    let absent = (master + 1) % 3;
    wait_for_replicas(group.node(master), 2);
    group.stop(absent);
    let database = default_database(group.node(master));
    let token = database.put(b"k", b"v").wait().unwrap().token;
    group.open(absent);
    let policy = ConsistencyPolicy::CommitPointConsistency { token, timeout: LONG };
    let value = default_database(group.node(absent)).get(b"k", policy).unwrap();
    assert_eq!(value.as_deref(), Some(&b"v"[..]));
}

#[test]
fn a_replica_that_passes_nothing_on_refuses_writes_and_names_the_master() {
    let group = Group::start_with(3, |config| config.forward_writes(false));
    let master = group.master();
    let replica = group.node((master + 1) % 3);
    replica.wait_for_state(NodeState::Replica, LONG).unwrap();
    let error = default_database(replica).put(b"k", b"v").wait().unwrap_err();
    let WriteError::NotMaster { master: Some(MasterAddress { node, address }) } = error else {
        panic!("{error}");
    };
    assert_eq!(node, format!("node{}", master + 1));
    assert_eq!(address, format!("node{}:{}", master + 1, 14_001 + master));
}

#[test]
fn a_linearizable_read_on_a_replica_sees_what_was_acknowledged() {
    let group = Group::start(3);
    let master = group.master();
    let database = default_database(group.node(master));
    let policy = ConsistencyPolicy::Linearizable { timeout: LONG };
    for round in 0..20_u8 {
        database.put(b"k", &[round]).wait().unwrap();
        for node in group.running() {
            let value = default_database(node).get(b"k", policy).unwrap();
            assert_eq!(value.as_deref(), Some(&[round][..]));
        }
    }
}

#[test]
fn listeners_hear_the_state_at_hand_and_every_change_until_the_end() {
    let mut group = Group::start(3);
    let master = group.master();
    let (sender, heard) = mpsc::channel();
    group.node(master).add_listener(move |event: &StateChangeEvent| sender.send(event.state).unwrap());
    group.stop(master);
    let states: Vec<_> = heard.iter().collect();
    assert_eq!((states.first(), states.last()), (Some(&NodeState::Master), Some(&NodeState::Detached)));
    assert!(states.windows(2).all(|pair| pair[0] != pair[1]), "{states:?}");
}

const ALL: CommitDurability = CommitDurability {
    local: quorate::SyncPolicy::Sync,
    replica: quorate::SyncPolicy::Sync,
    acks: ReplicaAckPolicy::All,
};

fn wait_for_replicas(master: &ReplicatedEnvironment, count: usize) {
    let connected = || {
        let status = master.status().unwrap();
        status
            .members
            .iter()
            .filter(|member| member.replica.is_some_and(|replica| replica.is_connected))
            .count()
    };
    while connected() != count {
        std::thread::yield_now();
    }
}

#[test]
fn a_write_that_cannot_have_its_acknowledgements_is_refused_before_anything_is_written() {
    let mut group = Group::start(3);
    let master = group.master();
    let database = default_database(group.node(master));
    wait_for_replicas(group.node(master), 2);
    database.put_with(b"k", b"v", ALL).wait().unwrap();
    let before = group.node(master).status().unwrap().watermarks.written;
    group.stop((master + 1) % 3);
    wait_for_replicas(group.node(master), 1);
    let error = database.put_with(b"k", b"w", ALL).wait().unwrap_err();
    assert_eq!(error, WriteError::InsufficientReplicas { needed: 3, available: 2 });
    assert_eq!(error.outcome(), Outcome::NotDone);
    assert_eq!(group.node(master).status().unwrap().watermarks.written, before);
    assert_eq!(database.get(b"k", None).unwrap().as_deref(), Some(&b"v"[..]));
}

#[test]
fn acknowledgements_that_do_not_come_leave_a_token_that_tells_later() {
    let group = Group::start_with(3, |config| config.ack_timeout(Duration::from_secs(2)));
    let master = group.master();
    let database = default_database(group.node(master));
    wait_for_replicas(group.node(master), 2);
    group.partition(master, (master + 1) % 3);
    let error = database.put_with(b"k", b"v", ALL).wait().unwrap_err();
    let WriteError::InsufficientAcks { needed: 3, received: 2, token } = error else { panic!("{error}") };
    assert_eq!(error.outcome(), Outcome::Unknown { token: Some(token) });
    let policy = ConsistencyPolicy::CommitPointConsistency { token, timeout: LONG };
    assert_eq!(database.get(b"k", policy).unwrap().as_deref(), Some(&b"v"[..]));
    assert_eq!(group.node(master).stats().commits_timed_out, 1);
}

//! Several groups in one process at one port.

use crate::group::{LONG, default_database};
use quorate::{
    ConsistencyPolicy, EngineKind, Listener, ListenerConfig, NodeState, OpenError, RepConfig,
    ReplicatedEnvironment,
};
use tempfile::TempDir;

/// Three processes, as it were, each with a port of its own that all of its groups share.
struct Processes {
    directory: TempDir,
    listeners: [Listener; 3],
}

const NAMES: [&str; 3] = ["a", "b", "c"];

impl Processes {
    fn start() -> Self {
        let listeners = NAMES.map(|_| Listener::bind(&ListenerConfig::new("127.0.0.1:0")).unwrap());
        Self { directory: TempDir::new().unwrap(), listeners }
    }

    fn open(&self, group: &str, index: usize) -> Result<ReplicatedEnvironment, OpenError> {
        let base = RepConfig::builder(group, NAMES[index], "127.0.0.1")
            .data_dir(self.directory.path().join(group).join(NAMES[index]))
            .engine(EngineKind::Memory)
            .segment_bytes(1 << 20);
        let members = NAMES.iter().zip(&self.listeners);
        let config = members.fold(base, |config, (name, listener)| {
            config.member(*name, listener.local_address().to_string())
        });
        ReplicatedEnvironment::on(config.build(), &self.listeners[index])
    }

    fn open_all(&self, group: &str) -> [ReplicatedEnvironment; 3] {
        [0, 1, 2].map(|index| self.open(group, index).unwrap())
    }
}

/// Writes through whichever node leads, and reads it at every node.
fn write_and_read_everywhere(nodes: &[ReplicatedEnvironment], value: &[u8]) {
    let leader = nodes.iter().cycle().find(|node| node.wait_for_state(NodeState::Master, LONG / 60).is_ok());
    let token = default_database(leader.unwrap()).put(b"k", value).wait().unwrap().token;
    for node in nodes {
        let policy = ConsistencyPolicy::CommitPointConsistency { token, timeout: LONG };
        assert_eq!(default_database(node).get(b"k", policy).unwrap().as_deref(), Some(value));
    }
}

#[test]
fn two_groups_of_three_nodes_share_three_ports_and_one_is_closed_and_reopened() {
    let processes = Processes::start();
    let red = processes.open_all("red");
    let blue = processes.open_all("blue");
    write_and_read_everywhere(&red, b"of red");
    write_and_read_everywhere(&blue, b"of blue");

    for node in blue {
        node.close().unwrap();
    }
    write_and_read_everywhere(&red, b"while blue is closed");

    let blue = processes.open_all("blue");
    let policy = ConsistencyPolicy::Linearizable { timeout: LONG };
    blue[0].wait_for_master(LONG).unwrap();
    let found = default_database(&blue[0]).get(b"k", policy).unwrap();
    assert_eq!(found.as_deref(), Some(&b"of blue"[..]), "each group has kept its own");
    write_and_read_everywhere(&blue, b"again");
}

#[test]
fn a_group_that_is_open_on_a_listener_is_not_opened_there_twice() {
    let processes = Processes::start();
    let _first = processes.open("red", 0).unwrap();
    let elsewhere = TempDir::new().unwrap();
    let again = RepConfig::builder("red", "a", "127.0.0.1").data_dir(elsewhere.path()).build();
    let error = ReplicatedEnvironment::on(again, &processes.listeners[0]).err().unwrap();
    assert!(matches!(&error, OpenError::Transport(_)), "{error}");
    assert!(error.to_string().contains("open on this listener already"), "{error}");
}

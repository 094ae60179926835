use crate::group::LONG;
use quorate::{ConsistencyPolicy, EngineKind, NodeState, OpenError, RepConfig, ReplicatedEnvironment};
use std::net::TcpListener;
use tempfile::TempDir;

/// Ports that nobody had a moment ago.
fn free_ports<const COUNT: usize>() -> [u16; COUNT] {
    let listeners = [(); COUNT].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}

#[test]
fn three_nodes_over_loopback_replicate_what_is_written() {
    let directory = TempDir::new().unwrap();
    let ports = free_ports::<3>();
    let open = |name: &str| {
        let config = RepConfig::builder("group", name, "127.0.0.1")
            .member("a", format!("127.0.0.1:{}", ports[0]))
            .member("b", format!("127.0.0.1:{}", ports[1]))
            .member("c", format!("127.0.0.1:{}", ports[2]))
            .data_dir(directory.path().join(name))
            .engine(EngineKind::Memory)
            .segment_bytes(1 << 20);
        ReplicatedEnvironment::new(config.build()).unwrap()
    };
    let nodes = ["a", "b", "c"].map(open);
    let master = nodes[0].wait_for_master(LONG).unwrap().node;
    let leader = nodes.iter().find(|node| node.status().unwrap().node == master).unwrap();
    leader.wait_for_state(NodeState::Master, LONG).unwrap();
    let token = leader.bytes("default").unwrap().put(b"k", b"v").wait().unwrap().token;
    for node in &nodes {
        let policy = ConsistencyPolicy::CommitPointConsistency { token, timeout: LONG };
        let value = node.bytes("default").unwrap().get(b"k", policy).unwrap();
        assert_eq!(value.as_deref(), Some(&b"v"[..]));
    }
}

#[test]
fn a_node_that_anybody_could_reach_does_not_start_unless_told_so() {
    let directory = TempDir::new().unwrap();
    let config = RepConfig::builder("group", "a", "127.0.0.1").listen("0.0.0.0:0").data_dir(directory.path());
    let error = ReplicatedEnvironment::new(config.clone().engine(EngineKind::Memory).build()).err().unwrap();
    assert!(matches!(error, OpenError::Transport(_)), "{error}");
    assert!(error.to_string().contains("insecure_no_auth"), "{error}");
    let trusted = config.engine(EngineKind::Memory).insecure_no_auth(true).build();
    ReplicatedEnvironment::new(trusted).expect("the failed attempt has left nothing behind");
}

use crate::group::LONG;
use quorate::{
    CommitToken, Compression, ConsistencyPolicy, EngineKind, NodeState, OpenError, RepConfig, RepStats,
    ReplicatedEnvironment,
};
use std::net::TcpListener;
use tempfile::TempDir;

/// Ports that nobody had a moment ago.
fn free_ports<const COUNT: usize>() -> [u16; COUNT] {
    let listeners = [(); COUNT].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}

/// Three nodes at free ports, each with its own directory and kind of compression.
struct Group {
    directory: TempDir,
    ports: [u16; 3],
    compressions: [Compression; 3],
}

impl Group {
    fn new(compressions: [Compression; 3]) -> Self {
        Self { directory: TempDir::new().unwrap(), ports: free_ports(), compressions }
    }

    fn open(&self, index: usize) -> ReplicatedEnvironment {
        let name = NAMES[index];
        let base = RepConfig::builder("group", name, "127.0.0.1")
            .data_dir(self.directory.path().join(name))
            .engine(EngineKind::Memory)
            .compression(self.compressions[index])
            .segment_bytes(1 << 20);
        let members = NAMES.iter().zip(self.ports);
        let config =
            members.fold(base, |config, (name, port)| config.member(*name, format!("127.0.0.1:{port}")));
        ReplicatedEnvironment::new(config.build()).unwrap()
    }

    fn open_all(&self) -> Vec<ReplicatedEnvironment> {
        (0..NAMES.len()).map(|index| self.open(index)).collect()
    }
}

const NAMES: [&str; 3] = ["a", "b", "c"];

/// The index of the node that leads.
fn leader(nodes: &[ReplicatedEnvironment]) -> usize {
    let master = nodes[0].wait_for_master(LONG).unwrap().node;
    let leader = nodes.iter().position(|node| node.status().unwrap().node == master).unwrap();
    nodes[leader].wait_for_state(NodeState::Master, LONG).unwrap();
    leader
}

fn read_once_there(node: &ReplicatedEnvironment, token: CommitToken, key: &[u8]) -> Option<Vec<u8>> {
    let policy = ConsistencyPolicy::CommitPointConsistency { token, timeout: LONG };
    node.bytes("default").unwrap().get(key, policy).unwrap().map(|value| value.to_vec())
}

#[test]
fn three_nodes_over_loopback_replicate_what_is_written() {
    let group = Group::new([Compression::None; 3]);
    let nodes = group.open_all();
    let leader = &nodes[leader(&nodes)];
    let token = leader.bytes("default").unwrap().put(b"k", b"v").wait().unwrap().token;
    for node in &nodes {
        assert_eq!(read_once_there(node, token, b"k").as_deref(), Some(&b"v"[..]));
    }
}

/// Writes values that get shorter, and returns the last one's token.
fn write_text(node: &ReplicatedEnvironment, keys: std::ops::Range<u32>) -> CommitToken {
    let database = node.bytes("default").unwrap();
    let text = b"so many apples, so many pears; ".repeat(100);
    let commits: Vec<_> = keys.map(|key| database.put(&key.to_be_bytes(), &text)).collect();
    commits.into_iter().map(|commit| commit.wait().unwrap().token).last().unwrap()
}

/// A follower is stopped and catches up with what it has missed; all have everything in the end.
fn replicate_and_catch_up(compressions: [Compression; 3]) -> (Compression, RepStats) {
    let group = Group::new(compressions);
    let mut nodes = group.open_all();
    let leader = leader(&nodes);
    write_text(&nodes[leader], 0..50);
    let away = (leader + 1) % NAMES.len();
    nodes.remove(away).close().unwrap();
    let leading = if away < leader { leader - 1 } else { leader };
    let token = write_text(&nodes[leading], 50..200);
    nodes.insert(away, group.open(away));
    let last = 199_u32.to_be_bytes();
    for node in &nodes {
        let value = read_once_there(node, token, &last);
        assert_eq!(value.map(|value| value.len()), Some(3100));
    }
    (compressions[leader], nodes[leader].stats())
}

#[test]
fn a_group_that_compresses_replicates_and_catches_up_with_fewer_bytes_on_the_wire() {
    for compression in [Compression::Lz4, Compression::Zstd] {
        let (_, stats) = replicate_and_catch_up([compression; 3]);
        assert!(stats.stream_bytes_sent > 300 * 3100, "{stats:?}");
        assert!(stats.stream_bytes_on_wire < stats.stream_bytes_sent / 4, "{compression:?}: {stats:?}");
    }
}

#[test]
fn nodes_that_compress_differently_replicate_and_catch_up() {
    let (of_leader, stats) = replicate_and_catch_up([Compression::None, Compression::Lz4, Compression::Zstd]);
    let is_shorter = stats.stream_bytes_on_wire < stats.stream_bytes_sent;
    assert_eq!(is_shorter, of_leader != Compression::None, "{of_leader:?}: {stats:?}");
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

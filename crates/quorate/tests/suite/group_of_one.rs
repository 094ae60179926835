use crate::group::LONG;
use quorate::{
    CommitDurability, CommitExtent, ConsistencyPolicy, DatabaseError, EngineKind, NodeState, OpenError,
    Outcome, ReadError, RepConfig, RepConfigBuilder, RepTransportKind, ReplicaAckPolicy,
    ReplicatedEnvironment, WriteBatch, WriteError,
};
use std::path::Path;
use tempfile::TempDir;

fn config(directory: &Path) -> RepConfigBuilder {
    RepConfig::builder("group", "node1", "localhost")
        .transport(RepTransportKind::InMemory)
        .data_dir(directory)
        .segment_bytes(1 << 20)
}

fn open(directory: &Path, engine: EngineKind) -> ReplicatedEnvironment {
    let node = ReplicatedEnvironment::new(config(directory).engine(engine).build()).unwrap();
    node.wait_for_state(NodeState::Master, LONG).unwrap();
    node
}

#[test]
fn a_single_node_leads_itself_and_reads_its_own_writes() {
    let directory = TempDir::new().unwrap();
    let node = open(directory.path(), EngineKind::Memory);
    let orders = node.create_database("orders").wait().unwrap();
    let committed = orders.put(b"42", b"three apples").wait().unwrap();
    assert_eq!(committed.extent, CommitExtent::Committed);
    assert_eq!(orders.get(b"42", None).unwrap().as_deref(), Some(&b"three apples"[..]));
    orders.delete(b"42").wait().unwrap();
    assert_eq!(orders.get(b"42", ConsistencyPolicy::Linearizable { timeout: LONG }).unwrap(), None);
    node.close().unwrap();
    assert_eq!(node.state(), NodeState::Detached);
}

#[test]
fn what_was_committed_is_there_after_a_restart_with_every_engine() {
    for engine in [EngineKind::Memory, EngineKind::Redb, EngineKind::Fjall] {
        let directory = TempDir::new().unwrap();
        let node = open(directory.path(), engine);
        let orders = node.create_database("orders").wait().unwrap();
        let writes: Vec<_> = (0..500_u32).map(|key| orders.put(&key.to_be_bytes(), b"value")).collect();
        writes.into_iter().for_each(|write| drop(write.wait().unwrap()));
        node.close().unwrap();
        drop((orders, node));

        let node = open(directory.path(), engine);
        node.read(ConsistencyPolicy::Linearizable { timeout: LONG }).wait().unwrap();
        let orders = node.bytes("orders").unwrap();
        let keys: Vec<_> = orders.scan(.., None).unwrap().map(|row| row.unwrap().0).collect();
        let expected: Vec<_> = (0..500_u32).map(|key| key.to_be_bytes().to_vec()).collect();
        assert_eq!(keys, expected, "{engine:?}");
    }
}

#[test]
fn writes_may_be_awaited_within_a_runtime_and_the_environment_closed_there() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let directory = TempDir::new().unwrap();
        let node = open(directory.path(), EngineKind::Memory);
        let orders = node.create_database("orders").await.unwrap();
        let token = orders.put(b"k", b"v").await.unwrap().token;
        let policy = ConsistencyPolicy::CommitPointConsistency { token, timeout: LONG };
        let snapshot = node.read(policy).await.unwrap();
        assert_eq!(snapshot.position().map(|entry| entry.vlsn), Some(token.vlsn));
        assert_eq!(snapshot.get_bytes(&orders, b"k").unwrap().as_deref(), Some(&b"v"[..]));
        drop(node);
    });
}

#[test]
fn several_operations_take_effect_together_or_not_at_all() {
    let directory = TempDir::new().unwrap();
    let node = open(directory.path(), EngineKind::Memory);
    let orders = node.bytes("default").unwrap();
    let mut batch = WriteBatch::new();
    batch.put(orders.id(), b"a", b"1");
    batch.put(orders.id(), b"b", b"2");
    node.write(&batch, None).wait().unwrap();
    batch.put(quorate::DatabaseId::new(99), b"c", b"3");
    batch.delete(orders.id(), b"a");
    let error = node.write(&batch, None).wait().unwrap_err();
    assert_eq!(error, WriteError::UnknownDatabase { database: quorate::DatabaseId::new(99) });
    assert_eq!(error.outcome(), Outcome::NotDone);
    let keys: Vec<_> = orders.scan(.., None).unwrap().map(|row| row.unwrap().0).collect();
    assert_eq!(keys, [&b"a"[..], b"b"]);
}

#[test]
fn a_write_that_asks_for_no_acknowledgement_is_released_as_written() {
    let directory = TempDir::new().unwrap();
    let node = open(directory.path(), EngineKind::Memory);
    let orders = node.bytes("default").unwrap();
    let durability = CommitDurability { acks: ReplicaAckPolicy::None, ..CommitDurability::default() };
    let written = orders.put_with(b"k", b"v", durability).wait().unwrap();
    assert_eq!(written.extent, CommitExtent::Written);
    let policy = ConsistencyPolicy::CommitPointConsistency { token: written.token, timeout: LONG };
    assert_eq!(orders.get(b"k", policy).unwrap().as_deref(), Some(&b"v"[..]));
    let stats = node.stats();
    assert_eq!((stats.writes_released, stats.reads_commit_point), (1, 1));
}

#[test]
fn limits_are_checked_before_anything_is_written() {
    let directory = TempDir::new().unwrap();
    let node = ReplicatedEnvironment::new(
        config(directory.path()).engine(EngineKind::Memory).value_bytes_max(10).build(),
    );
    let node = node.unwrap();
    node.wait_for_state(NodeState::Master, LONG).unwrap();
    let orders = node.bytes("default").unwrap();
    assert_eq!(orders.put(b"", b"").wait(), Err(WriteError::EmptyKey));
    assert_eq!(orders.put(b"k", &[0; 11]).wait(), Err(WriteError::ValueTooLong { bytes: 11, limit: 10 }));
    assert_eq!(node.write(&WriteBatch::new(), None).wait(), Err(WriteError::EmptyBatch));
    assert!(node.find_database("nothing").unwrap().is_none());
    let error = WriteError::DatabaseName { bytes: 0, limit: quorate_codec::DATABASE_NAME_BYTES_MAX };
    assert_eq!(node.bytes("").err(), Some(DatabaseError::Create { name: String::new(), error }));
}

#[test]
fn a_directory_has_one_owner_at_a_time_and_one_node_for_good() {
    let directory = TempDir::new().unwrap();
    let node = open(directory.path(), EngineKind::Memory);
    let second = ReplicatedEnvironment::new(config(directory.path()).build());
    assert!(matches!(second.err(), Some(OpenError::InUse { .. })));
    node.close().unwrap();
    let other = RepConfig::builder("group", "node2", "localhost").data_dir(directory.path()).build();
    let error = ReplicatedEnvironment::new(other).err().unwrap();
    let text = error.to_string();
    assert!(matches!(error, OpenError::ForeignDirectory { .. }), "{text}");
    assert!(text.contains("node1") && text.contains("node2"), "{text}");
}

#[test]
fn a_closed_environment_refuses_everything_and_still_tells_its_state() {
    let directory = TempDir::new().unwrap();
    let node = open(directory.path(), EngineKind::Memory);
    let orders = node.bytes("default").unwrap();
    let token = orders.put(b"k", b"v").wait().unwrap().token;
    node.close().unwrap();
    node.close().unwrap();
    assert_eq!(orders.put(b"k", b"v").wait(), Err(WriteError::Closed));
    assert_eq!(orders.get(b"k", None), Err(ReadError::Closed));
    let policy = ConsistencyPolicy::CommitPointConsistency { token, timeout: LONG };
    assert_eq!(orders.get(b"k", policy), Err(ReadError::Closed));
    assert_eq!(node.status().unwrap().state, NodeState::Detached);
    assert_eq!(node.stats().commits, 1);
}

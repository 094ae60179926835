//! An application's own engine, replicated: it sees what the application has proposed and nothing else.

use crate::group::LONG;
use bytes::Bytes;
use quorate::{CommitExtent, ConsistencyPolicy, EntryId, InMemoryNetwork, NodeState, RepConfig, WriteError};
use quorate_core::{Committed, Engine, EngineError, EntryKind};
use quorate_env::{EngineParts, ReplicatedEngine};
use quorate_log::vfs::OsVfs;
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

/// A list of all that was ever proposed. Its word on an entry is how many came before.
#[derive(Default)]
struct List {
    applied: Option<EntryId>,
    entries: Vec<Bytes>,
    flushes: usize,
}

struct Shared(Arc<Mutex<List>>);

impl Engine for Shared {
    fn applied(&self) -> Option<EntryId> {
        self.0.lock().unwrap().applied
    }

    fn apply(&mut self, entries: &[Committed], results: &mut Vec<Bytes>) -> Result<(), EngineError> {
        let mut list = self.0.lock().unwrap();
        for entry in entries {
            results.push(Bytes::from(list.entries.len().to_string()));
            if entry.kind == EntryKind::Data {
                list.entries.push(entry.payload.clone());
            } else {
                assert!(entry.payload.is_empty(), "what is not the application's is not shown");
            }
            list.applied = Some(entry.id);
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<Option<EntryId>, EngineError> {
        self.0.lock().unwrap().flushes += 1;
        Ok(None)
    }
}

struct Lists {
    nodes: Vec<ReplicatedEngine>,
    lists: Vec<Arc<Mutex<List>>>,
    _network: InMemoryNetwork,
    _directory: TempDir,
}

fn start(count: usize) -> Lists {
    let (directory, network) = (TempDir::new().unwrap(), InMemoryNetwork::new().unwrap());
    let (mut nodes, mut lists) = (Vec::new(), Vec::new());
    for index in 0..count {
        let name = format!("node{index}");
        let config = (0..count).fold(RepConfig::builder("group", &name, "localhost"), |config, other| {
            config.member(format!("node{other}"), format!("node{other}:{}", 14_001 + other))
        });
        let config = config.data_dir(directory.path().join(&name)).segment_bytes(1 << 20).build();
        let list = Arc::<Mutex<List>>::default();
        lists.push(Arc::clone(&list));
        let parts = EngineParts {
            engine: Box::new(|_| Ok(Box::new(Shared(list)))),
            transport: Box::new(|plan, inbox| Ok(Arc::new(network.start(plan.me, plan.members, inbox)?))),
            vfs: Arc::new(OsVfs),
            wall_clock: quorate::system_wall_clock(),
        };
        nodes.push(ReplicatedEngine::open(config, parts).unwrap());
    }
    nodes.iter().for_each(|node| drop(node.wait_for_master(LONG).unwrap()));
    Lists { nodes, lists, _network: network, _directory: directory }
}

#[test]
fn what_any_node_proposes_every_engine_is_given_in_one_order() {
    let group = start(3);
    let mut proposed = Vec::new();
    for (number, node) in group.nodes.iter().cycle().take(30).enumerate() {
        let committed = node.propose(format!("entry {number}")).wait().unwrap();
        assert_eq!(committed.extent, CommitExtent::Committed);
        assert_eq!(committed.result, number.to_string(), "the engine's word comes back");
        proposed.push(Bytes::from(format!("entry {number}")));
    }
    for (node, list) in group.nodes.iter().zip(&group.lists) {
        node.barrier(ConsistencyPolicy::Linearizable { timeout: LONG }).wait().unwrap();
        assert_eq!(list.lock().unwrap().entries, proposed);
    }
    group.nodes.iter().for_each(|node| node.close().unwrap());
    assert!(group.lists.iter().all(|list| list.lock().unwrap().flushes > 0));
}

#[test]
fn an_entry_may_be_empty_and_no_longer_than_a_write() {
    let group = start(1);
    let node = &group.nodes[0];
    node.wait_for_state(NodeState::Master, LONG).unwrap();
    node.propose("").wait().unwrap();
    assert_eq!(group.lists[0].lock().unwrap().entries, [Bytes::new()]);
    let refused = node.propose(vec![0; 17 << 20]).wait();
    assert!(matches!(refused, Err(WriteError::BatchTooLong { bytes, .. }) if bytes == 17 << 20));
}

#[test]
fn a_node_that_is_killed_lets_go_of_its_engine_and_refuses_everything() {
    let group = start(1);
    let node = &group.nodes[0];
    node.wait_for_state(NodeState::Master, LONG).unwrap();
    node.propose("entry").wait().unwrap();
    let list = Arc::clone(&group.lists[0]);
    drop(group.lists);
    node.kill();
    assert_eq!(node.state(), NodeState::Detached);
    assert_eq!(Arc::strong_count(&list), 1, "the engine is gone");
    assert_eq!(node.propose("entry").wait(), Err(WriteError::Closed));
}

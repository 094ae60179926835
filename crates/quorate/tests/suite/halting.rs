use crate::group::LONG;
use quorate::{
    CloseError, EngineKind, KvOperation, KvSnapshot, KvStore, NodeState, Parts, ReadError, RepConfig,
    ReplicatedEnvironment, WaitError, WriteError,
};
use quorate_core::EngineError;
use quorate_engine::MemoryStore;
use quorate_log::vfs::OsVfs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tempfile::TempDir;

/// A store that fails when told to.
struct Failing {
    store: MemoryStore,
    fails: Arc<AtomicBool>,
}

impl KvStore for Failing {
    fn write(&self, operations: &[KvOperation<'_>]) -> Result<(), EngineError> {
        if self.fails.load(Ordering::SeqCst) {
            return Err(EngineError::Storage { engine: "failing", detail: "the disk is on fire".into() });
        }
        self.store.write(operations)
    }

    fn flush(&self) -> Result<bool, EngineError> {
        self.store.flush()
    }

    fn snapshot(&self) -> Result<Arc<dyn KvSnapshot>, EngineError> {
        self.store.snapshot()
    }
}

fn open(directory: &TempDir, fails: &Arc<AtomicBool>) -> ReplicatedEnvironment {
    let config = RepConfig::builder("group", "node1", "localhost")
        .data_dir(directory.path())
        .engine(EngineKind::Memory)
        .segment_bytes(1 << 20)
        .build();
    let fails = Arc::clone(fails);
    let network = Arc::new(quorate::InMemoryNetwork::new().unwrap());
    let parts = Parts {
        store: Box::new(move |_| Ok(Arc::new(Failing { store: MemoryStore::new(), fails }))),
        transport: Box::new(move |plan, inbox| Ok(Arc::new(network.start(plan.me, plan.members, inbox)?))),
        vfs: Arc::new(OsVfs),
        wall_clock: quorate::system_wall_clock(),
    };
    let node = ReplicatedEnvironment::with_parts(config, parts).unwrap();
    node.wait_for_state(NodeState::Master, LONG).unwrap();
    node
}

#[test]
fn a_node_whose_engine_fails_stops_serving_and_says_why() {
    let (directory, fails) = (TempDir::new().unwrap(), Arc::new(AtomicBool::new(false)));
    let node = open(&directory, &fails);
    let database = node.bytes("default").unwrap();
    database.put(b"k", b"v").wait().unwrap();

    fails.store(true, Ordering::SeqCst);
    let error = database.put(b"k", b"w").wait().unwrap_err();
    assert!(matches!(error, WriteError::Interrupted { token: Some(_) }), "{error}");
    assert_eq!(node.wait_for_state(NodeState::Master, LONG), Err(WaitError::Detached));
    assert_eq!(node.state(), NodeState::Detached);
    let told = |text: &str| assert!(text.contains("the disk is on fire"), "{text}");
    let WriteError::Halted { reason } = database.put(b"k", b"w").wait().unwrap_err() else { panic!() };
    told(&reason);
    let ReadError::Halted { reason } = database.get(b"k", None).unwrap_err() else { panic!() };
    told(&reason);
    told(&node.status().unwrap().halted.unwrap());
    assert!(matches!(node.close(), Err(CloseError::Engine(_))));
}

#[test]
fn a_node_that_halted_can_be_opened_again_and_has_what_was_committed() {
    let (directory, fails) = (TempDir::new().unwrap(), Arc::new(AtomicBool::new(false)));
    let node = open(&directory, &fails);
    let database = node.bytes("default").unwrap();
    fails.store(true, Ordering::SeqCst);
    database.put(b"k", b"v").wait().unwrap_err();
    drop((database, node));

    fails.store(false, Ordering::SeqCst);
    let node = open(&directory, &fails);
    let policy = quorate::ConsistencyPolicy::Linearizable { timeout: LONG };
    let value = node.bytes("default").unwrap().get(b"k", policy).unwrap();
    assert_eq!(value.as_deref(), Some(&b"v"[..]), "the entry was committed before the engine failed");
}

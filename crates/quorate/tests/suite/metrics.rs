use crate::group::LONG;
use metrics::Key;
use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
use quorate::{ConsistencyPolicy, NodeState, RepConfig, RepTransportKind, ReplicatedEnvironment};
use std::time::Instant;
use tempfile::TempDir;

/// What the recorder holds; reading it takes counters and histograms away.
struct Found(Vec<(Key, DebugValue)>);

impl Found {
    fn read(snapshotter: &Snapshotter) -> Self {
        let all = snapshotter.snapshot().into_vec();
        Self(all.into_iter().map(|(key, _, _, value)| (key.key().clone(), value)).collect())
    }

    fn value(&self, name: &str, label: (&str, &str)) -> Option<&DebugValue> {
        let is_it = |key: &Key| {
            let labels: Vec<_> = key.labels().map(|label| (label.key(), label.value())).collect();
            key.name() == name && labels.contains(&label) && labels.contains(&("group", "shop"))
        };
        self.0.iter().find(|(key, _)| is_it(key)).map(|(_, value)| value)
    }
}

#[test]
fn a_recorder_is_told_what_the_node_counts_and_how_far_it_has_come() {
    let directory = TempDir::new().unwrap();
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    let config = RepConfig::builder("shop", "node1", "localhost")
        .transport(RepTransportKind::InMemory)
        .data_dir(directory.path())
        .segment_bytes(1 << 20)
        .build();
    let node = metrics::with_local_recorder(&recorder, || ReplicatedEnvironment::new(config)).unwrap();
    node.wait_for_state(NodeState::Master, LONG).unwrap();
    let orders = node.create_database("orders").wait().unwrap();
    let committed = orders.put(b"42", b"three apples").wait().unwrap();

    let applied = DebugValue::Gauge((committed.token.vlsn.as_u64() as f64).into());
    let mut syncs = 0;
    let begun = Instant::now();
    loop {
        assert!(begun.elapsed() < LONG, "the figures are published");
        let found = Found::read(&snapshotter);
        if let Some(DebugValue::Histogram(seconds)) =
            found.value("quorate_log_sync_seconds", ("node", "node1"))
        {
            syncs += seconds.len();
        }
        let commits = found.value("quorate_commits_total", ("node", "node1"));
        if commits == Some(&DebugValue::Counter(2))
            && found.value("quorate_watermark_vlsn", ("mark", "applied")) == Some(&applied)
        {
            break;
        }
        // A turn of the node's loop, at the least.
        node.read(ConsistencyPolicy::Linearizable { timeout: LONG }).wait().unwrap();
    }
    assert!(syncs > 0, "every sync was timed");
    node.close().unwrap();
}

//! What a node traces of a commit's way.

use crate::group::{Group, LONG, default_database};
use quorate::NodeState;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::FmtSpan;

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[test]
fn each_step_of_a_commit_is_traced_with_its_position() {
    let lines = Lines::default();
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_span_events(FmtSpan::CLOSE)
        .with_ansi(false)
        .with_writer(lines.clone())
        .init();
    let group = Group::start(1);
    group.node(0).wait_for_state(NodeState::Master, LONG).unwrap();
    let committed = default_database(group.node(0)).put(b"key", b"value").wait().unwrap();
    drop(group);
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    let vlsn = committed.token.vlsn;
    let position = |step: &str| {
        let found = text.lines().position(|line| line.contains(step));
        found.unwrap_or_else(|| panic!("no {step:?} in {text}"))
    };
    let proposed = position(&format!("propose{{count=1 first={vlsn}}}"));
    let appended = position(&format!("append{{last={vlsn} "));
    let durable = position(&format!("sync{{last={vlsn}}}"));
    let committed = position(&format!("committed last={vlsn}"));
    let applied =
        text.lines().position(|line| line.contains("apply{") && line.contains(&format!("last={vlsn}")));
    assert!(proposed < durable && appended < durable && durable < committed, "{text}");
    assert!(applied.is_some_and(|applied| committed < applied), "{text}");
}

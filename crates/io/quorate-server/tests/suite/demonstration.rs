use crate::common::{PATIENCE, PROGRAM, complaint, run, until};
use quorate::KvOperation;
use quorate_server::EngineChoice;
use quorate_server::demo::{
    NodeProcess, Records, Rehearsal, Report, Setting, Story, VALUE_BYTES_MAX, open_store,
};
use rustix::process::{Pid, Signal, kill_process};
use std::fs::{self, File};
use std::net::TcpStream;
use std::ops::Bound;
use std::path::Path;
use tokio::process::Command;
use tokio::time::timeout;

async fn rehearse(directory: &Path, engine: EngineChoice) -> Rehearsal {
    let setting = Setting {
        program: PROGRAM.into(),
        records: Records::generated(2_000),
        engine,
        writers: 64,
        directory: directory.to_owned(),
    };
    Rehearsal::run(setting, &Story::untold()).await.unwrap()
}

fn assert_passed(report: &Report) {
    assert_eq!(report.reasons(), [""; 0], "{report:?}");
    assert!(report.passed);
    assert_eq!((report.records, report.acked, report.compared, report.lost), (2_000, 2_000, 6_000, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_with_either_engine_that_keeps_data() {
    for engine in [EngineChoice::Redb, EngineChoice::Fjall] {
        let directory = tempfile::tempdir().unwrap();
        let rehearsal = rehearse(directory.path(), engine).await;
        assert_passed(&rehearsal.conclude(&Story::untold()).await.unwrap());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_record_taken_from_one_node_before_the_comparison_is_found_missing() {
    let directory = tempfile::tempdir().unwrap();
    let rehearsal = rehearse(directory.path(), EngineChoice::Fjall).await;
    delete(&NodeProcess::data_directory(&rehearsal.homes()[1]), &Records::generated(2_000).key(77));
    let report = rehearsal.conclude(&Story::untold()).await.unwrap();
    assert!(!report.passed);
    assert_eq!((report.lost, report.compared), (1, 6_000));
    assert!(report.reasons()[0].contains("node2 lacks"), "{report:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_value_changed_on_one_node_before_the_comparison_is_found_to_differ() {
    let directory = tempfile::tempdir().unwrap();
    let rehearsal = rehearse(directory.path(), EngineChoice::Redb).await;
    let data = NodeProcess::data_directory(&rehearsal.homes()[0]);
    change(&data, EngineChoice::Redb, &Records::generated(2_000).key(3), |key| KvOperation::Put {
        key,
        value: b"x",
    });
    let report = rehearsal.conclude(&Story::untold()).await.unwrap();
    assert_eq!(report.lost, 1);
    assert!(report.reasons()[0].contains("node1 holds another value"), "{report:?}");
}

fn delete(data: &Path, key: &[u8]) {
    change(data, EngineChoice::Fjall, key, |key| KvOperation::Delete { key });
}

/// Changes a record in a stopped node's store, behind the node's back.
fn change(data: &Path, engine: EngineChoice, key: &[u8], operation: impl Fn(&[u8]) -> KvOperation<'_>) {
    let store = open_store(data, engine).unwrap();
    let snapshot = store.snapshot().unwrap();
    let mut rows = snapshot.scan(Bound::Unbounded, Bound::Unbounded).unwrap();
    let found = rows.find_map(|row| row.ok().filter(|(found, _)| found.ends_with(key)));
    let (stored, _) = found.expect("the record is there");
    drop(rows);
    store.write(&[operation(&stored)]).unwrap();
    store.flush().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_tree_is_written_and_what_cannot_be_is_counted() {
    let input = tempfile::tempdir().unwrap();
    for number in 0..30 {
        let folder = input.path().join(format!("folder{}/inner", number % 5));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(format!("file{number}")), vec![number; usize::from(number) * 1_000]).unwrap();
    }
    fs::write(input.path().join("large"), vec![7; 3 << 20]).unwrap();
    File::create(input.path().join("too-large")).unwrap().set_len(VALUE_BYTES_MAX as u64 + 1).unwrap();
    std::os::unix::fs::symlink(input.path(), input.path().join("link")).unwrap();
    let output = run(&["demo", "--json", "--input", input.path().to_str().unwrap()]).await;
    assert!(output.status.success(), "{output:?}");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&report["records"], &report["acked"], &report["skipped"]),
        (&31.into(), &31.into(), &2.into())
    );
    assert_eq!((&report["compared"], &report["lost"]), (&93.into(), &0.into()));
    assert!(report["in_flight_at_kill"].as_u64().unwrap() > 0, "{report}");
    assert!(report["times_ms"]["elected"].as_f64().unwrap() > 0.0, "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_story_ends_with_what_was_lost_and_leaves_nothing_behind() {
    let temporary = tempfile::tempdir().unwrap();
    let output = Command::new(PROGRAM)
        .args(["demo", "--records", "200"])
        .env("TMPDIR", temporary.path())
        .kill_on_drop(true)
        .output();
    let output = timeout(PATIENCE, output).await.unwrap().unwrap();
    assert!(output.status.success(), "{output:?}");
    let story = String::from_utf8(output.stdout).unwrap();
    assert_eq!(story.lines().last(), Some("lost: 0"));
    for word in
        ["is the master", "kill -9", "noticed", "first write", "caught up", "stopped cleanly", "compared 600"]
    {
        assert!(story.contains(word), "no {word:?} in {story}");
    }
    assert_eq!(fs::read_dir(temporary.path()).unwrap().count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_to_be_kept_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let keep = folder.path().join("keep");
    let arguments = ["demo", "--records", "20", "--keep", keep.to_str().unwrap()];
    assert!(run(&arguments).await.status.success());
    for node in ["node1", "node2", "node3"] {
        assert!(keep.join(node).join("node.toml").exists() && keep.join(node).join("data/log").exists());
    }
    assert!(complaint(&run(&arguments).await).contains("is not empty"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_demonstration_leaves_no_process_and_no_directory() {
    let temporary = tempfile::tempdir().unwrap();
    let demo = Command::new(PROGRAM)
        .args(["demo", "--records", "100000000"])
        .env("TMPDIR", temporary.path())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let ports = until(|| client_ports(temporary.path())).await;
    until(|| ports.iter().all(|port| is_served(*port)).then_some(())).await;
    let pid = Pid::from_raw(demo.id().unwrap().try_into().unwrap()).unwrap();
    kill_process(pid, Signal::INT).unwrap();
    let output = timeout(PATIENCE, demo.wait_with_output()).await.unwrap().unwrap();
    assert!(complaint(&output).contains("stopped by SIGINT"));
    assert!(ports.iter().all(|port| !is_served(*port)));
    assert_eq!(fs::read_dir(temporary.path()).unwrap().count(), 0);
}

fn is_served(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}

/// The ports at which a demonstration's three nodes serve clients, once all are configured.
fn client_ports(temporary: &Path) -> Option<Vec<u16>> {
    let workplace = fs::read_dir(temporary).unwrap().next()?.unwrap().path();
    let port = |node: &str| {
        let config = fs::read_to_string(workplace.join(node).join("node.toml")).ok()?;
        let client = config.lines().find_map(|line| line.strip_prefix("client = \"127.0.0.1:"))?;
        client.trim_end_matches('"').parse().ok()
    };
    ["node1", "node2", "node3"].into_iter().map(port).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_input_is_refused_before_any_node_is_started() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("input.tsv");
    fs::write(&path, "a\t1\nb\t2\nno tab\n").unwrap();
    let refused = run(&["demo", "--input", path.to_str().unwrap()]).await;
    assert!(complaint(&refused).contains("input.tsv:3: there is no tab"));
    assert!(refused.stdout.is_empty());
    assert!(complaint(&run(&["demo", "--engine", "memory"]).await).contains("--engine redb or fjall"));
    assert!(complaint(&run(&["demo", "--input", "/no/such"]).await).contains("/no/such cannot be read"));
}

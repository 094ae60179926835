use crate::common::{Group, PATIENCE, complaint, run};
use quorate_server::demo::NodeProcess;
use std::fs;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// All files below a directory with their contents and times.
fn snapshot(directory: &Path) -> Vec<(PathBuf, Vec<u8>, SystemTime)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(snapshot(&path));
        } else {
            let modified = fs::metadata(&path).unwrap().modified().unwrap();
            found.push((path.clone(), fs::read(&path).unwrap(), modified));
        }
    }
    found.sort();
    found
}

fn segment(data: &Path) -> PathBuf {
    data.join("log/segment-0000000000000001.log")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_nodes_log_is_shown_and_verified_and_stays_as_it_is() {
    let group = Group::start("").await;
    group.printed(&["put", "apples", "a value to be found"], b"").await;
    group.cluster.wait_for_agreement(PATIENCE).await.unwrap();
    let process = &group.cluster.processes()[group.replicas()[0]];
    let data = NodeProcess::data_directory(process.directory());
    let place = data.to_str().unwrap();
    for command in ["dump", "verify"] {
        assert!(complaint(&run(&["log", command, place]).await).contains("is in use"));
    }
    process.killer().kill_and_reap().unwrap();
    let before = snapshot(&data);

    let dump = String::from_utf8(run(&["log", "dump", place]).await.stdout).unwrap();
    let first = dump.lines().next().unwrap();
    assert!(first.contains("TermStart") && !first.contains("\t0 us"), "{dump}");
    assert!(dump.contains("WriteBatch") && dump.lines().all(|line| line.ends_with("ok")), "{dump}");
    let one = run(&["log", "dump", place, "--from", "2", "--limit", "1", "--json"]).await;
    let entry: serde_json::Value = serde_json::from_slice(&one.stdout).unwrap();
    assert_eq!((entry["vlsn"].as_u64(), entry["damaged"].is_null()), (Some(2), true));
    let verified = run(&["log", "verify", place]).await;
    assert_eq!(verified.status.code(), Some(0), "{verified:?}");
    assert!(String::from_utf8_lossy(&verified.stdout).contains("damaged: 0"));
    assert_eq!(snapshot(&data), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_entry_is_reported_and_not_repaired() {
    let group = Group::start("").await;
    for number in 0..5 {
        group.printed(&["put", &format!("k{number}"), "a value to be found"], b"").await;
    }
    group.cluster.wait_for_agreement(PATIENCE).await.unwrap();
    let process = &group.cluster.processes()[group.replicas()[0]];
    let data = NodeProcess::data_directory(process.directory());
    process.killer().kill_and_reap().unwrap();
    let bytes = fs::read(segment(&data)).unwrap();
    let offset = bytes.windows(5).position(|window| window == b"value").unwrap();
    let file = fs::OpenOptions::new().write(true).open(segment(&data)).unwrap();
    file.write_all_at(b"VALUE", offset as u64).unwrap();
    let before = snapshot(&data);

    let place = data.to_str().unwrap();
    let verified = run(&["log", "verify", place]).await;
    assert_eq!(verified.status.code(), Some(8), "{verified:?}");
    let text = String::from_utf8_lossy(&verified.stdout).into_owned();
    assert!(text.contains("segment-0000000000000001.log: entry") && text.contains("damaged: 1"), "{text}");
    let json = run(&["log", "verify", "--json", place]).await;
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json["damages"].as_array().map(Vec::len), Some(1));
    let dump = String::from_utf8(run(&["log", "dump", place]).await.stdout).unwrap();
    assert_eq!(dump.lines().filter(|line| line.contains("DAMAGED")).count(), 1, "{dump}");
    assert_eq!(snapshot(&data), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_without_a_log_is_refused_and_nothing_is_made_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let text = complaint(&run(&["log", "verify", folder.path().to_str().unwrap()]).await);
    assert!(text.contains("holds no log"), "{text}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

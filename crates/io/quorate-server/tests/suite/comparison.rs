//! The benchmark next to etcd, as its user runs it.

use crate::fake_etcd::FakeEtcd;
use serde_json::Value;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

const WRITERS: usize = 65;

fn bench(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_quorate"));
    command.args(["bench", "--seconds", "1", "--warm-up", "0", "--engine", "memory", "--directory"]);
    command.arg(directory).args(["--writers", &WRITERS.to_string()]).args(arguments);
    command
}

/// What a run that fails says on stderr.
fn failure(arguments: &[&str]) -> String {
    let directory = tempfile::tempdir().unwrap();
    let output = bench(directory.path(), arguments).output().unwrap();
    assert!(!output.status.success());
    assert_eq!(std::fs::read_dir(&directory).unwrap().count(), 0);
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn etcd_is_measured_in_turn_with_the_group_at_its_leader_until_all_members_have_applied_everything() {
    let (directory, etcd) = (tempfile::tempdir().unwrap(), FakeEtcd::start(Some(1)));
    let pages = tempfile::tempdir().unwrap();
    let page = pages.path().join("etcd.html");
    let comparison = etcd.comparison();
    let arguments = ["--compare", &comparison, "--json", "--html", page.to_str().unwrap()];
    let output = bench(directory.path(), &arguments).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let [of_etcd, of_group] = report["steps"].as_array().unwrap().as_slice() else { panic!("{report}") };
    assert_eq!((&of_etcd["what"], &of_group["what"]), (&"etcd".into(), &"memory".into()));
    assert_eq!(report["settings"]["etcd_version"], "3.4.99");
    let rate = |step: &Value| step["writes_per_second"].as_f64().unwrap();
    let (times, expected) = (of_group["times_etcd"].as_f64().unwrap(), rate(of_group) / rate(of_etcd));
    // The last digit may be lost on the way through the text.
    assert!((times / expected - 1.0).abs() < 1e-9, "{times} is not {expected}");
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.contains("Rate over etcd\u{2019}s") && page.contains("etcd 3.4.99"), "{page}");
    let state = etcd.state();
    assert!(state.puts.len() >= WRITERS, "{report}");
    assert!(state.puts.iter().all(|(member, _)| *member == 1));
    assert!(state.puts.iter().all(|(_, put)| (put.key.len(), put.value.len()) == (16, 100)));
    assert_eq!(state.writers_addresses.len(), 2, "a connection for every 64 writers");
    assert_eq!(state.answers_behind, 0, "the drain waits for the slowest member");
}

#[test]
fn a_member_that_does_not_answer_is_named_before_anything_is_measured() {
    let etcd = FakeEtcd::start(Some(0));
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let said = failure(&["--compare", &format!("{},{free}", etcd.comparison())]);
    assert!(said.starts_with(&format!("quorate: etcd: no answer from {free}: ")), "{said}");
    assert!(said.contains("--listen-client-urls"), "{said}");
    assert!(etcd.state().puts.is_empty());
}

#[test]
fn a_cluster_without_a_leader_is_not_measured() {
    let etcd = FakeEtcd::start(None);
    let said = failure(&["--compare", &etcd.comparison()]);
    assert!(said.contains("none of the endpoints is the leader's"), "{said}");
    assert!(etcd.state().puts.is_empty());
}

#[test]
fn a_page_without_a_folder_is_refused_before_anything_is_measured() {
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("missing/page.html");
    let said = failure(&["--html", page.to_str().unwrap()]);
    assert!(said.starts_with(&format!("quorate: --html {}: its folder", page.display())), "{said}");
}

#[test]
fn a_comparison_that_names_no_system_is_refused() {
    let said = failure(&["--compare", "127.0.0.1:2379"]);
    assert!(said.contains("write etcd=HOST:PORT"), "{said}");
}

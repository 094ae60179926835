use crate::common::{Group, PATIENCE, PROGRAM, run};
use std::process::{Output, Stdio};
use tokio::io::AsyncReadExt;
use tokio::process::Command;
use tokio::time::timeout;

fn says(output: &Output, code: i32, words: &str) {
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{text}");
    assert!(text.contains(words), "no {words:?} in {text:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_set_read_and_removed_through_any_node() {
    let group = Group::start("").await;
    for endpoint in group.endpoints().await {
        let put = group.command_at(&endpoint, &["put", "apples", &endpoint], b"").await;
        assert_eq!(put.status.code(), Some(0), "{put:?}");
        let token = format!("token:{}", String::from_utf8(put.stdout).unwrap().trim_end());
        for reader in group.endpoints().await {
            let got = group.command_at(&reader, &["get", "apples", "--consistency", &token], b"").await;
            assert_eq!(got.stdout, endpoint.as_bytes(), "{got:?}");
        }
    }
    group.printed(&["del", "apples"], b"").await;
    says(&group.command(&["get", "apples"], b"").await, 3, "there is no such key");
    says(&group.command(&["get", "apples", "-d", "stock"], b"").await, 3, "there is no database \"stock\"");
    group.printed(&["put", "--create", "-d", "stock", "apples", "3"], b"").await;
    assert_eq!(group.printed(&["get", "-d", "stock", "apples"], b"").await, "3");
}

#[tokio::test(flavor = "multi_thread")]
async fn any_byte_can_be_in_a_key_and_a_value() {
    let group = Group::start("").await;
    group.printed(&["put", "--hex", "00ff0a", "fffe00"], b"").await;
    group.printed(&["put", "raw"], b"\xff\x00\n").await;
    assert_eq!(group.printed(&["get", "--base64", "AP8K"], b"").await, "//4A\n");
    assert_eq!(group.command(&["get", "raw"], b"").await.stdout, b"\xff\x00\n");
    let row = group.printed(&["get", "--json", "--hex", "00ff0a"], b"").await;
    let row: serde_json::Value = serde_json::from_str(&row).unwrap();
    assert_eq!((&row["key_base64"], &row["value_base64"]), (&"AP8K".into(), &"//4A".into()));
    assert!(row["seen"].is_string());
    assert_eq!(group.printed(&["scan", "--hex"], b"").await, "00ff0a\tfffe00\n726177\tff000a\n");
    says(&group.command(&["put", "--hex", "0", "00"], b"").await, 2, "is not hexadecimal");
    says(&group.command(&["put", "", "1"], b"").await, 1, "a key is empty");
}

#[tokio::test(flavor = "multi_thread")]
async fn scans_take_ranges_prefixes_limits_and_either_direction() {
    let group = Group::start("").await;
    let rows: String = (0..300).map(|number| format!("k{number:03}\t{number}\n")).collect();
    group.printed(&["import"], rows.as_bytes()).await;
    assert_eq!(group.printed(&["scan"], b"").await, rows);
    assert_eq!(group.printed(&["scan", "--prefix", "k01", "--limit", "1"], b"").await, "k010\t10\n");
    let last = group.printed(&["scan", "--reverse", "--limit", "2"], b"").await;
    assert_eq!(last, "k299\t299\nk298\t298\n");
    let range = group.printed(&["scan", "--start", "k100", "--end", "k102", "--reverse"], b"").await;
    assert_eq!(range, "k101\t101\nk100\t100\n");
    let json = group.printed(&["scan", "--json", "--limit", "1"], b"").await;
    assert_eq!(json, "{\"key\":\"k000\",\"value\":\"0\"}\n");
    let backwards = group.printed(&["scan", "--reverse"], b"").await;
    let mut expected: Vec<&str> = rows.lines().collect();
    expected.reverse();
    assert_eq!(backwards.lines().collect::<Vec<_>>(), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_has_enough_ends_a_huge_scan_cleanly() {
    let group = Group::start("").await;
    let rows: String = (0..400).map(|number| format!("k{number:03}\t{}\n", "v".repeat(20_000))).collect();
    group.printed(&["import"], rows.as_bytes()).await;
    let mut child = Command::new(PROGRAM)
        .args(["scan", "--endpoints", &group.endpoints().await.join(",")])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut beginning = [0; 100];
    child.stdout.take().unwrap().read_exact(&mut beginning).await.unwrap();
    let output = timeout(PATIENCE, child.wait_with_output()).await.unwrap().unwrap();
    assert!(beginning.starts_with(b"k000\tvvv"));
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_is_carried_out_whole_or_not_at_all() {
    let group = Group::start("").await;
    let script = b"absent owner\nput owner alice\nadd changes 5\nget owner\nget nobody\nadd changes -2\n";
    let printed = group.printed(&["txn"], script).await;
    let lines: Vec<&str> = printed.lines().collect();
    assert_eq!(lines[..4], ["changes\t5", "owner\talice", "nobody", "changes\t3"]);
    assert_eq!(lines[4].len(), 32 + 1 + 16 + 1 + 16);
    let refused = group.command(&["txn"], b"add changes 1\nexpect owner bob\nput owner carol\n").await;
    says(&refused, 6, "line 2: the value is \"alice\"; nothing was done");
    let scanned =
        group.printed(&["txn"], b"put changer 1\ndel owner\nscan chang\nscan \"\"\nput owner alice\n").await;
    let lines: Vec<&str> = scanned.lines().collect();
    assert_eq!(lines[..4], ["changer\t1", "changes\t3", "changer\t1", "changes\t3"]);
    group.printed(&["del", "changer"], b"").await;
    let json = group.printed(&["txn", "--json"], b"get owner\nget changes\n").await;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let expected = serde_json::json!([
        { "key": "owner", "value": "alice" },
        { "key": "changes", "value": "3" },
    ]);
    assert_eq!(json["results"], expected);
    says(&group.command(&["txn"], b"put owner\n").await, 2, "line 1: put takes a key and a value");
    says(
        &group.command(&["txn"], b"add owner 1\n").await,
        6,
        "line 1: the value \"alice\" is no whole number",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_goes_on_across_a_failover() {
    let group = Group::start("").await;
    group.cluster.processes()[group.master].killer().kill_and_reap().unwrap();
    group.cluster.wait_until("for the death to be noticed", PATIENCE, |_| Some(())).await.unwrap();
    let replica = group.replicas()[0];
    let status = group.client(replica).status().await.unwrap();
    let endpoints: Vec<String> = status.members.into_iter().map(|member| member.client_address).collect();
    let put = group.command_at(&endpoints.join(","), &["put", "k", "v"], b"").await;
    assert_eq!(put.status.code(), Some(0), "{put:?}");
    let got = group.command_at(&endpoints.join(","), &["get", "k"], b"").await;
    assert_eq!(got.stdout, b"v", "{got:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_any_node_nothing_is_done_and_the_exit_code_says_so() {
    let nobody = ["--endpoints", "127.0.0.1:1", "--timeout", "300ms"];
    for command in [&["put", "k", "v"][..], &["get", "k"], &["scan"]] {
        says(&run(&[command, &nobody].concat()).await, 5, "nothing was done within");
    }
    says(&run(&[&["status"][..], &nobody].concat()).await, 5, "no node has answered");
    says(&run(&["get", "k", "--endpoints", "nowhere"]).await, 2, "is no address");
    says(&run(&["get", "k", "--consistency", "sometimes"]).await, 2, "is no consistency");
    says(&run(&["scan", "--limit", "0"]).await, 2, "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_status_shows_every_node_though_only_one_was_named() {
    let group = Group::start("").await;
    group.printed(&["put", "k", "v"], b"").await;
    group.cluster.wait_for_agreement(PATIENCE).await.unwrap();
    let endpoints = group.endpoints().await;
    let output = group.command_at(&endpoints[group.replicas()[0]], &["status"], b"").await;
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(table.lines().next().unwrap().contains("LAG"), "{table}");
    assert!(!table.contains('\x1b'), "{table}");
    for (line, endpoint) in table.lines().skip(1).zip(&endpoints) {
        assert!(line.contains(endpoint.as_str()), "{table}");
    }
    group.cluster.processes()[group.replicas()[0]].killer().kill_and_reap().unwrap();
    let json = group.command_at(&endpoints[group.master], &["status", "--json"], b"").await;
    let rows: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    let rows = rows.as_array().unwrap();
    assert_eq!(rows.len(), 3);
    let master = rows.iter().find(|row| row["state"] == "master").unwrap();
    assert_eq!((master["lag_entries"].as_u64(), master["node"].is_string()), (Some(0), true));
    assert!(master["written"].as_u64() > Some(1));
    assert_eq!(rows.iter().filter(|row| row["error"].is_string()).count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn help_shows_examples_and_exit_codes_and_completions_name_the_commands() {
    let help = String::from_utf8(run(&["--help"]).await.stdout).unwrap();
    assert!(help.contains("Exit codes:") && help.contains("4  the outcome of a write is unknown"), "{help}");
    for command in ["put", "get", "del", "scan", "txn", "import", "export", "status", "log", "completions"] {
        let help = String::from_utf8(run(&[command, "--help"]).await.stdout).unwrap();
        assert!(help.contains("Examples:"), "{help}");
    }
    for shell in ["bash", "zsh", "fish"] {
        let script = String::from_utf8(run(&["completions", shell]).await.stdout).unwrap();
        assert!(script.contains("export") && script.contains("--endpoints") | script.contains("endpoints"));
    }
    let reference = run(&["node", "--print-configuration-reference"]).await;
    assert_eq!(reference.stdout, quorate_server::configuration_reference().into_bytes());
}

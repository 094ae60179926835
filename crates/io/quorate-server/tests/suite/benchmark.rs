//! The program's benchmark, as its user runs it.

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};

fn bench(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_quorate"));
    command.args(["bench", "--seconds", "1", "--warm-up", "0", "--directory"]).arg(directory).args(arguments);
    command
}

#[test]
fn a_run_measures_the_group_in_both_ways_next_to_the_floor_and_the_engine_and_leaves_nothing_behind() {
    let directory = tempfile::tempdir().unwrap();
    let arguments = ["--writers", "2", "--via", "embedded,grpc", "--floor", "--engine-limit", "--json"];
    let output = bench(directory.path(), &arguments).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let steps = report["steps"].as_array().unwrap();
    let names: Vec<_> = steps.iter().map(|step| step["what"].as_str().unwrap()).collect();
    assert_eq!(names, ["bare loop", "fjall", "fjall (gRPC)"]);
    for step in steps {
        assert!(step["writes_per_second"].as_f64().unwrap() > 0.0, "{report}");
        assert!(step["latency"]["p50"].as_u64() <= step["latency"]["max"].as_u64(), "{report}");
    }
    for group in &steps[1..] {
        assert!(group["times_floors_spread"].as_f64().unwrap() > 0.0, "{report}");
        let [idle, peak] = ["idle_bytes", "peak_bytes"].map(|memory| group[memory].as_u64().unwrap());
        assert!(0 < idle && idle <= peak, "{report}");
        assert!(group["share_of_floor"].as_f64().unwrap() > 0.0, "{report}");
        assert!(group["engine_limit_per_second"].as_f64().unwrap() > 0.0, "{report}");
    }
    assert!(errors.contains("[3/3] fjall (gRPC), 2 writers"), "{errors}");
    assert_eq!(std::fs::read_dir(&directory).unwrap().count(), 0);
}

#[test]
fn sizes_and_durabilities_are_measured_in_one_run_and_the_second_durability_is_related_to_the_first() {
    let directory = tempfile::tempdir().unwrap();
    let relaxed = "write-no-sync,write-no-sync,majority";
    let arguments = ["--nodes", "1,4", "--value-bytes", "1KiB", "--writers", "2", "--engine", "memory"];
    let durabilities = ["--durability", "sync,sync,majority", "--durability", relaxed];
    let report = report_of(directory.path(), &[&arguments[..], &durabilities].concat());
    let steps = report["steps"].as_array().unwrap();
    let [first, second, third, fourth] = steps.as_slice() else { panic!("{report}") };
    for (step, nodes) in [(first, 1), (second, 1), (third, 4), (fourth, 4)] {
        assert_eq!((&step["nodes"], &step["value_bytes"]), (&nodes.into(), &1024.into()));
        assert!(step["writes_per_second"].as_f64().unwrap() > 0.0, "{report}");
    }
    assert_eq!(second["what"], format!("memory, {relaxed}"));
    assert_eq!((&first["times_first"], &third["times_first"]), (&Value::Null, &Value::Null));
    assert!(second["times_first"].as_f64().unwrap() > 0.0, "{report}");
    assert!(fourth["times_first"].as_f64().unwrap() > 0.0, "{report}");
}

#[test]
fn what_compression_leaves_of_the_log_on_the_wire_is_told_for_each_write() {
    let directory = tempfile::tempdir().unwrap();
    let arguments =
        ["--value-bytes", "2KiB", "--values", "text", "--compression", "zstd", "--engine", "memory"];
    let report = report_of(directory.path(), &[&arguments[..], &["--writers", "2"]].concat());
    let traffic = &report["steps"][0]["traffic_per_write"];
    let bytes = |figure: &str| traffic[figure].as_f64().unwrap();
    // Every write goes to two replicas.
    assert!(bytes("bytes_sent") > 2.0 * 2048.0, "{report}");
    assert!(bytes("bytes_on_wire") < bytes("bytes_sent") / 2.0, "{report}");
}

fn report_of(directory: &Path, arguments: &[&str]) -> Value {
    let output = bench(directory, arguments).arg("--json").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(std::fs::read_dir(directory).unwrap().count(), 0);
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_failover_is_measured_from_the_kill_to_the_next_write_and_nothing_acknowledged_is_lost() {
    let directory = tempfile::tempdir().unwrap();
    let page = directory.path().with_extension("html");
    let arguments = ["--failover", "1", "--writers", "4", "--html", page.to_str().unwrap()];
    let report = report_of(directory.path(), &arguments);
    assert!(std::fs::read_to_string(&page).unwrap().contains("<h1>Failover</h1>"));
    std::fs::remove_file(page).unwrap();
    let failover = &report["failovers"][0];
    let round = &failover["rounds"][0];
    assert_eq!((&failover["writers"], &failover["what"]), (&4.into(), &"fjall".into()));
    assert!(round["first_write_ms"].as_f64().unwrap() > 0.0, "{report}");
    assert!(round["gap_ms"].as_f64().unwrap() > 0.0, "{report}");
    assert!((1..=4).contains(&round["under_way"].as_u64().unwrap()), "{report}");
    assert!(failover["acknowledged"].as_u64().unwrap() > 8, "{report}");
}

#[test]
fn a_hung_master_is_replaced_and_accepts_nothing_when_it_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let arguments = ["--failover", "1", "--failover-by", "stop", "--writers", "4", "--engine", "memory"];
    let report = report_of(directory.path(), &arguments);
    assert_eq!(report["settings"]["by"], "stop");
    assert!(report["failovers"][0]["first_write_ms_median"].as_f64().unwrap() > 0.0, "{report}");
}

#[test]
fn a_replica_that_was_away_catches_up_while_writers_go_on() {
    let directory = tempfile::tempdir().unwrap();
    let report = unpaced(directory.path(), &["--warm-up", "0", "--catch-up", "3000"]);
    let (catch_up, round) = (&report["catch_ups"][0], &report["catch_ups"][0]["rounds"][0]);
    assert_eq!((&catch_up["writers"], &round["entries"]), (&16.into(), &3000.into()));
    for figure in ["entries_per_second", "engine_per_second", "share_of_engine", "writes_per_second"] {
        assert!(catch_up[figure].as_f64().unwrap() > 0.0, "{report}");
    }
    assert!(round["open_ms"].as_f64().unwrap() < 1e3 * round["seconds"].as_f64().unwrap(), "{report}");
}

#[test]
fn a_node_that_starts_with_an_empty_engine_applies_its_log_again() {
    let directory = tempfile::tempdir().unwrap();
    let report = unpaced(directory.path(), &["--replay", "2000", "--engine", "memory,fjall"]);
    for (row, engine) in [(0, "memory"), (1, "fjall")] {
        let replay = &report["replays"][row];
        assert_eq!((&replay["entries"], &replay["what"]), (&2000.into(), &engine.into()));
        for figure in ["open_ms", "entries_per_second", "engine_per_second", "share_of_engine"] {
            assert!(replay[figure].as_f64().unwrap() > 0.0, "{report}");
        }
    }
}

#[test]
fn logs_of_several_lengths_are_opened_and_looked_up_in() {
    let directory = tempfile::tempdir().unwrap();
    let report = unpaced(directory.path(), &["--history", "1000,5000", "--repeat", "2"]);
    for (row, entries) in [(0, 1000), (1, 5000)] {
        let history = &report["histories"][row];
        assert_eq!((&history["entries"], history["rounds"].as_array().unwrap().len()), (&entries.into(), 2));
        for figure in ["open_ms", "open_bytes", "lookup_p50_us"] {
            assert!(history[figure].as_f64().unwrap() > 0.0, "{report}");
        }
    }
}

#[test]
fn reads_of_a_replica_are_related_to_the_engines_and_linearizable_ones_to_commits() {
    let directory = tempfile::tempdir().unwrap();
    let arguments = ["--reads", "--lease-ms", "400", "--keys", "300", "--writers", "4", "--engine", "memory"];
    let report = report_of(directory.path(), &arguments);
    let reads = &report["reads"][0];
    assert_eq!(reads["readers"], 4);
    let figure = |name: &str| reads[name].as_f64().unwrap();
    let times = figure("replica_ns") / figure("engine_ns");
    // The last digit may be lost on the way through the text.
    assert!((figure("times_engine") / times - 1.0).abs() < 1e-9, "{report}");
    assert!(figure("linearizable_reads_per_second") > 0.0 && figure("commits_per_second") > 0.0, "{report}");
}

#[test]
fn a_master_is_measured_with_a_replica_that_is_stopped_and_then_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let arguments = ["--stopped-replica", "--writers", "4", "--engine", "memory"];
    let report = report_of(directory.path(), &arguments);
    let stopped = &report["stopped_replicas"][0];
    for figure in ["peak_bytes_before", "peak_bytes_stopped", "peak_bytes_after", "return_seconds"] {
        assert!(stopped[figure].as_f64().unwrap() > 0.0, "{report}");
    }
}

/// What a run reports that has no seconds of load.
fn unpaced(directory: &Path, arguments: &[&str]) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_quorate"));
    let output =
        command.args(["bench", "--json", "--directory"]).arg(directory).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(std::fs::read_dir(directory).unwrap().count(), 0);
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Runs a workload on a small group and returns its steps.
fn workload(name: &str, arguments: &[&str]) -> Vec<Value> {
    let directory = tempfile::tempdir().unwrap();
    let common = ["--workload", name, "--keys", "500", "--writers", "4", "--engine", "memory"];
    let report = report_of(directory.path(), &[&common, arguments].concat());
    let steps = report["steps"].as_array().unwrap().clone();
    for step in &steps {
        assert!(step["operations_per_second"].as_f64().unwrap() > 0.0, "{report}");
        assert_eq!(step["reads_missed"], 0, "{report}");
    }
    steps
}

#[test]
fn reads_alone_are_measured_in_both_ways_and_find_every_row() {
    let steps = workload("read", &["--via", "embedded,grpc"]);
    assert_eq!(steps.len(), 2);
    for step in steps {
        assert!(step["read_latency"]["p50"].as_u64().unwrap() > 0, "{step}");
        assert_eq!((&step["writes_per_second"], &step["write_latency"]), (&0.0.into(), &Value::Null));
    }
}

#[test]
fn reads_and_writes_of_a_workload_have_latencies_of_their_own() {
    for (name, arguments) in [
        ("ycsb-d", ["--via", "embedded", "--read-consistency", "time:500ms"]),
        ("ycsb-e", ["--via", "grpc", "--read-consistency", "linearizable"]),
    ] {
        let steps = workload(name, &arguments);
        for side in ["read_latency", "write_latency"] {
            assert!(steps[0][side]["max"].as_u64().unwrap() > 0, "{name}: {steps:?}");
        }
    }
}

#[test]
fn what_does_not_fit_together_is_refused_by_name() {
    let directory = tempfile::tempdir().unwrap();
    let refused = |arguments: &[&str], named: &[&str]| {
        let output = bench(directory.path(), arguments).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{errors}");
        assert!(named.iter().all(|name| errors.contains(name)), "{errors}");
    };
    refused(&["--failover", "1", "--floor"], &["--failover", "--floor"]);
    refused(&["--failover", "1", "--via", "embedded"], &["--failover", "--via"]);
    refused(&["--catch-up", "1", "--failover", "1"], &["--catch-up", "--failover"]);
    refused(&["--workload", "read", "--endpoints", "127.0.0.1:1"], &["--workload", "--endpoints"]);
    refused(&["--workload", "read", "--read-consistency", "token:1"], &["is no consistency"]);
    refused(&["--failover-by", "stop"], &["--failover <N>"]);
    refused(&["--reads", "--stopped-replica"], &["--reads", "--stopped-replica"]);
    refused(&["--reads", "--workload", "read"], &["--reads", "--workload"]);
    refused(&["--history", "1000", "--engine", "fjall"], &["--history", "--engine"]);
    refused(&["--replay", "1000", "--catch-up", "1"], &["--replay", "--catch-up"]);
    refused(&["--nodes", "3", "--endpoints", "127.0.0.1:1"], &["--nodes", "--endpoints"]);
    refused(&["--value-bytes", "2MiB"], &["--value-bytes", "up to 1 MiB"]);
    let failed = |arguments: &[&str], reason: &str| {
        let output = bench(directory.path(), arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(errors.contains(reason), "{errors}");
    };
    failed(&["--keys", "5"], "--keys is for workloads that read");
    failed(&["--failover", "1", "--value-bytes", "16,1KiB"], "--value-bytes takes one value here");
}

#[test]
fn an_interrupted_run_ends_its_processes_and_removes_their_directories() {
    let directory = tempfile::tempdir().unwrap();
    let arguments = ["--writers", "1,1", "--engine", "memory", "--repeat", "99"];
    let mut child = bench(directory.path(), &arguments).stderr(Stdio::piped()).spawn().unwrap();
    let mut errors = BufReader::new(child.stderr.take().unwrap());
    let mut first = String::new();
    errors.read_line(&mut first).unwrap();
    assert!(first.starts_with("[1/198] memory"), "{first}");
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let mut rest = String::new();
    // The nodes hold the other end too: it is closed only once they have ended.
    errors.read_to_string(&mut rest).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1));
    assert!(rest.contains("stopped by SIGINT"), "{rest}");
    assert_eq!(std::fs::read_dir(&directory).unwrap().count(), 0);
}

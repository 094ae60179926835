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
        assert!(group["share_of_floor"].as_f64().unwrap() > 0.0, "{report}");
        assert!(group["engine_limit_per_second"].as_f64().unwrap() > 0.0, "{report}");
    }
    assert!(errors.contains("[3/3] fjall (gRPC), 2 writers"), "{errors}");
    assert_eq!(std::fs::read_dir(&directory).unwrap().count(), 0);
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

//! `cargo xtask layers` on the metadata of the real workspace, as it is and with an edge that breaks a rule.

use serde_json::{Value, json};
use std::path::Path;
use std::process::{Command, Output};

#[test]
fn the_workspace_as_it_is_keeps_the_layers() {
    let output = judge(&workspace_metadata());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn an_edge_between_siblings_fails_and_is_named() {
    let mut metadata = workspace_metadata();
    add_dependency(&mut metadata, "quorate-vlsn", "quorate-codec");
    let output = judge(&metadata);
    assert!(!output.status.success());
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "quorate-vlsn (L1) depends on quorate-codec (L1): siblings never see each other\n"
    );
    assert!(String::from_utf8_lossy(&output.stderr).contains("layers found 1 violation(s)"));
}

#[test]
fn a_runtime_in_a_pure_crate_fails_and_is_named() {
    let mut metadata = workspace_metadata();
    add_dependency(&mut metadata, "quorate-election", "tokio");
    let output = judge(&metadata);
    assert!(!output.status.success());
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "quorate-election depends on tokio: that occurs under crates/io only\n"
    );
}

#[test]
fn metadata_that_is_none_fails() {
    assert!(!judge(&json!({ "packages": "none" })).status.success());
}

fn workspace_metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps"])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")))
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("cargo prints JSON")
}

fn add_dependency(metadata: &mut Value, from: &str, to: &str) {
    let packages = metadata["packages"].as_array_mut().expect("there are packages");
    let package = packages.iter_mut().find(|package| package["name"] == from).expect("the package is there");
    let dependencies = package["dependencies"].as_array_mut().expect("there is a list of dependencies");
    dependencies.push(json!({ "name": to, "kind": null }));
}

fn judge(metadata: &Value) -> Output {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("metadata.json");
    std::fs::write(&file, metadata.to_string()).expect("the copy is written");
    Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args(["layers", "--metadata"])
        .arg(&file)
        .output()
        .expect("xtask runs")
}

//! The suites of the boundary traits, run against this crate's implementations of them.

use crate::support::Subject;
use quorate_core::conformance::{log_store::check_log_store, state_store::check_state_store};
use quorate_log::vfs::{MemoryVfs, OsVfs, Vfs, check_vfs};
use quorate_log::{HardStateFile, LogConfig};
use std::path::PathBuf;
use std::sync::Arc;

#[test]
fn a_log_keeps_the_rules_of_a_log_store_whatever_the_length_of_its_segments() {
    for segment_bytes in [4 << 10, 16 << 10, 1 << 20] {
        check_log_store(&mut || {
            let config = LogConfig { segment_bytes, ..LogConfig::new(7) };
            Box::new(Subject::new(Arc::new(MemoryVfs::new()), PathBuf::from("log"), config))
        });
    }
}

#[test]
fn a_log_in_real_files_keeps_the_rules_of_a_log_store() {
    let directory = tempfile::tempdir().unwrap();
    let mut number = 0;
    check_log_store(&mut || {
        number += 1;
        let config = LogConfig { segment_bytes: 64 << 10, ..LogConfig::new(7) };
        Box::new(Subject::new(Arc::new(OsVfs), directory.path().join(format!("log-{number}")), config))
    });
}

#[test]
fn hard_state_files_keep_the_rules_of_a_state_store() {
    let directory = tempfile::tempdir().unwrap();
    let memory = MemoryVfs::new();
    memory.create_directory("node".as_ref()).unwrap();
    check_state_store(&mut || Box::new(HardStateFile::new(Arc::new(memory.clone()), "node")));
    check_state_store(&mut || Box::new(HardStateFile::new(Arc::new(OsVfs), directory.path())));
}

#[test]
fn real_files_keep_the_rules_of_a_file_system() {
    let directory = tempfile::tempdir().unwrap();
    check_vfs(&OsVfs, &directory.path().join("a/b"));
}

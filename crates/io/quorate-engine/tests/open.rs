//! What opening a store refuses, and how it says so.
#![cfg(all(feature = "redb", feature = "fjall"))]

use quorate_core::{KvOperation, KvStore};
use quorate_engine::{FjallConfig, FjallStore, OpenError, RedbConfig, RedbStore};
use std::fs;
use std::path::Path;

fn open_redb(path: &Path) -> Result<RedbStore, OpenError> {
    RedbStore::open(path, &RedbConfig::default())
}

fn open_fjall(path: &Path) -> Result<FjallStore, OpenError> {
    FjallStore::open(path, &FjallConfig::default())
}

fn refusal<T>(opened: Result<T, OpenError>) -> OpenError {
    opened.err().expect("opening is refused")
}

#[test]
fn a_store_in_use_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let (redb, fjall) = (directory.path().join("redb"), directory.path().join("fjall"));
    let _held = (open_redb(&redb).unwrap(), open_fjall(&fjall).unwrap());
    for error in [refusal(open_redb(&redb)), refusal(open_fjall(&fjall))] {
        assert!(matches!(error, OpenError::InUse { .. }), "{error:?}");
        assert!(error.to_string().contains("is in use: stop the process"), "{error}");
    }
}

#[test]
fn a_file_that_is_no_redb_file_is_refused_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("notes.txt");
    let text = "somebody's notes\n".repeat(1000);
    fs::write(&path, &text).unwrap();
    let error = refusal(open_redb(&path));
    assert!(matches!(error, OpenError::Foreign { .. }), "{error:?}");
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
}

#[test]
fn a_redb_file_of_another_application_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("theirs.redb");
    let theirs = redb::Database::create(&path).unwrap();
    let transaction = theirs.begin_write().unwrap();
    transaction.open_table(redb::TableDefinition::<u64, u64>::new("orders")).unwrap();
    transaction.commit().unwrap();
    drop(theirs);
    let error = refusal(open_redb(&path));
    assert!(matches!(&error, OpenError::Foreign { detail, .. } if detail.contains("orders")), "{error:?}");
}

#[test]
fn a_directory_of_something_else_is_refused_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("notes.txt"), "somebody's notes").unwrap();
    let error = refusal(open_fjall(directory.path()));
    assert!(matches!(error, OpenError::Foreign { .. }), "{error:?}");
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn a_fjall_database_of_an_application_is_refused_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("theirs");
    let theirs = fjall::Database::builder(&path).open().unwrap();
    theirs.keyspace("orders", fjall::KeyspaceCreateOptions::default).unwrap();
    drop(theirs);
    let error = refusal(open_fjall(&path));
    assert!(matches!(&error, OpenError::Foreign { detail, .. } if detail.contains("import")), "{error:?}");
    assert!(fjall::Database::builder(&path).open().unwrap().keyspace_exists("orders"));
}

#[test]
fn a_place_that_does_not_exist_is_named() {
    let path = Path::new("/nonexistent/engine");
    for error in [refusal(open_redb(path)), refusal(open_fjall(Path::new("/proc/nowhere/engine")))] {
        assert!(matches!(error, OpenError::Io { .. }), "{error:?}");
        assert!(error.to_string().contains("/engine"), "{error}");
    }
}

/// What an interrupted creation leaves has another name.
#[test]
fn a_redb_file_that_was_never_finished_is_made_anew() {
    let directory = tempfile::tempdir().unwrap();
    let (path, unfinished) = (directory.path().join("engine"), directory.path().join("engine.unfinished"));
    fs::write(&unfinished, vec![0; 1 << 16]).unwrap();
    fs::write(&path, b"").unwrap();
    let store = open_redb(&path).unwrap();
    assert!(!unfinished.exists(), "it got its name when it was whole");
    drop(store);
    assert!(open_redb(&path).is_ok());
}

#[test]
fn a_fjall_store_of_another_version_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    drop(open_fjall(directory.path()).unwrap());
    fs::write(directory.path().join("quorate"), "fjall tree 2\n").unwrap();
    let error = refusal(open_fjall(directory.path()));
    assert!(matches!(&error, OpenError::Foreign { detail, .. } if detail.contains("tree 2")), "{error:?}");
}

/// A crash can come before the file that marks the directory is whole, or before there is a tree.
#[test]
fn a_fjall_store_that_was_never_finished_is_made_anew() {
    for written in ["", "fjall", "fjall tree 1\n"] {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("quorate"), written).unwrap();
        drop(open_fjall(directory.path()).unwrap());
        assert_eq!(fs::read_to_string(directory.path().join("quorate")).unwrap(), "fjall tree 1\n");
        assert!(open_fjall(directory.path()).is_ok());
    }
}

#[test]
fn a_fjall_store_whose_tables_are_damaged_says_so_and_not_something_else() {
    let directory = tempfile::tempdir().unwrap();
    let store = open_fjall(directory.path()).unwrap();
    store.write(&[KvOperation::Put { key: b"key", value: b"value" }]).unwrap();
    store.flush().unwrap();
    drop(store);
    for table in fs::read_dir(directory.path().join("tables")).unwrap() {
        fs::remove_file(table.unwrap().path()).unwrap();
    }
    let error = refusal(open_fjall(directory.path()));
    assert!(matches!(error, OpenError::Damaged { .. }), "{error:?}");
}

use super::{OpenMode, Vfs};
use std::io::{ErrorKind, IoSlice};
use std::path::Path;

/// Runs the conformance suite of [`Vfs`] in `directory`, which must not exist yet: everything but what power
/// loss does.
///
/// # Panics
/// If the implementation breaks a rule; the message says which.
pub fn check_vfs(vfs: &dyn Vfs, directory: &Path) {
    vfs.create_directory(directory).expect("a directory is created");
    vfs.create_directory(directory).expect("a directory that exists is no error");
    files_hold_what_was_written(vfs, directory);
    names_are_renamed_and_removed_under_open_handles(vfs, directory);
    a_lock_is_exclusive_until_dropped(vfs, directory);
}

fn files_hold_what_was_written(vfs: &dyn Vfs, directory: &Path) {
    let path = directory.join("written");
    let missing = vfs.open(&path, OpenMode::Existing).expect_err("a missing file is not opened");
    assert_eq!(missing.kind(), ErrorKind::NotFound);
    let file = vfs.open(&path, OpenMode::Create).expect("a file is created");
    assert_eq!(file.bytes().expect("a length"), 0);
    file.write_at(3, &[IoSlice::new(b"ab"), IoSlice::new(b""), IoSlice::new(b"cde")])
        .expect("parts are written");
    file.start_writing(0, 8);
    file.start_writing(u64::MAX, u64::MAX);
    file.sync_data().expect("data is synced");
    file.sync_all().expect("everything is synced");
    let mut buffer = [9; 10];
    assert_eq!(file.read_at(0, &mut buffer).expect("a read"), 8, "a read ends with the file");
    assert_eq!(&buffer[..8], b"\0\0\0abcde", "a gap holds zeros, parts follow each other");
    assert_eq!(file.read_at(8, &mut buffer).expect("a read at the end"), 0);
    assert_eq!((*file.map().expect("a map")).as_ref(), b"\0\0\0abcde");
    let again = vfs.open(&path, OpenMode::Existing).expect("the file exists");
    assert_eq!(again.bytes().expect("a length"), 8, "a second handle sees the same file");
    vfs.open(&path, OpenMode::Create).expect("a file is made anew");
    assert_eq!(again.bytes().expect("a length"), 0, "creating empties the file");
    vfs.remove(&path).expect("a file is removed");
}

fn names_are_renamed_and_removed_under_open_handles(vfs: &dyn Vfs, directory: &Path) {
    let (first, second) = (directory.join("first"), directory.join("second"));
    for (path, word) in [(&first, b"one"), (&second, b"two")] {
        vfs.open(path, OpenMode::Create)
            .and_then(|file| file.write_at(0, &[IoSlice::new(word)]))
            .expect("a file is written");
    }
    let replaced = vfs.open(&second, OpenMode::Existing).expect("a handle");
    assert_eq!(vfs.list(directory).expect("a list"), ["first", "second"]);
    vfs.rename(&first, &second).expect("a file is renamed over another");
    vfs.sync_directory(directory).expect("a directory is synced");
    assert_eq!(vfs.list(directory).expect("a list"), ["second"]);
    let mut word = [0; 3];
    replaced.read_at(0, &mut word).expect("the old file lives as long as its handle");
    assert_eq!(&word, b"two");
    let renamed = vfs.open(&second, OpenMode::Existing).expect("the new name");
    vfs.remove(&second).expect("a file is removed");
    renamed.read_at(0, &mut word).expect("a removed file lives as long as its handle");
    assert_eq!(&word, b"one");
    assert_eq!(vfs.remove(&second).expect_err("it is gone").kind(), ErrorKind::NotFound);
    assert_eq!(vfs.rename(&second, &first).expect_err("it is gone").kind(), ErrorKind::NotFound);
}

fn a_lock_is_exclusive_until_dropped(vfs: &dyn Vfs, directory: &Path) {
    let path = directory.join("lock");
    let lock = vfs.lock(&path).expect("a lock is taken");
    assert_eq!(vfs.lock(&path).expect_err("it is taken").kind(), ErrorKind::WouldBlock);
    drop(lock);
    vfs.lock(&path).expect("a dropped lock is free");
    vfs.remove(&path).expect("the lock's file is removed");
}

//! Failures of the file system, in the words of the log.

use quorate_core::LogError;
use std::io;
use std::path::Path;

/// What the log says when `operation` on `path` failed.
pub(crate) fn failed(operation: &str, path: &Path, error: &io::Error) -> LogError {
    LogError::Io { operation: format!("{operation} {}", path.display()), detail: error.to_string() }
}

/// As [`failed`], but a full disk is told apart: for space that is taken before anything depends on it.
pub(crate) fn failed_or_full(operation: &str, path: &Path, error: &io::Error) -> LogError {
    if error.kind() == io::ErrorKind::StorageFull {
        LogError::DiskFull
    } else {
        failed(operation, path, error)
    }
}

/// A directory that cannot be used, and why.
pub(crate) fn unusable(path: &Path, what: &str) -> LogError {
    LogError::Unusable {
        reason: format!(
            "{} {what}: move the directory aside and let the node be filled anew",
            path.display()
        ),
    }
}

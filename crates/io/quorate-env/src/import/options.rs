use quorate_policy::CommitToken;
use std::time::Duration;

/// How an import goes about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImportOptions {
    /// Rows are put in batches of about so many bytes; a longer row is one of its own. Default 256 KiB.
    pub batch_bytes: usize,
    /// So many batches are under way at a time, at least 1: with `batch_bytes`, the memory that an import
    /// takes. Default 16.
    pub batches_under_way: usize,
    /// How long an import goes on trying without a single batch committed, such as through a change of
    /// master, before it gives up. Default 60 s.
    pub patience: Duration,
}

impl Default for ImportOptions {
    fn default() -> Self {
        Self { batch_bytes: 256 << 10, batches_under_way: 16, patience: Duration::from_secs(60) }
    }
}

/// What an import has done: these rows, the first of its source, are committed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// How many rows.
    pub rows: u64,
    /// Bytes of their keys and values.
    pub bytes: u64,
    /// Names the last of the commits, so that a read at any node can wait for all rows; `None` if there was
    /// none.
    pub token: Option<CommitToken>,
}

/// Who is told of every batch that was committed.
pub(crate) type Progress<'a> = Box<dyn FnMut(&Imported) + 'a>;

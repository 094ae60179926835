//! Rollback files: the entries that a truncation dropped, kept for people to look at.
//!
//! ```text
//!  0        8         12          +-- for each run of entries that could be read --------------------+
//!  +--------+---------+-----------+-------------+---------------+-------------+----------------------+
//!  | magic  |checksum | runs (u32)| first VLSN  | length (u64)  |chain before | ... | frames ...     |
//!  +--------+---------+-----------+-------------+---------------+-------------+----------------------+
//! ```

use crate::error::{failed, failed_or_full, unusable};
use crate::fields::{Fields, PutFields};
use crate::names;
use crate::vfs::{OpenMode, Vfs, VfsFile};
use bytes::Bytes;
use quorate_codec::decode;
use quorate_core::{Batch, EntryId, LogError, LogReader, Term, Vlsn};
use std::io::IoSlice;
use std::path::{Path, PathBuf};

/// Entries that a truncation dropped, in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RollbackFile {
    /// Where it is.
    pub path: PathBuf,
    /// The first entry dropped.
    pub first: Vlsn,
    /// The last entry dropped.
    pub last: Vlsn,
}

impl RollbackFile {
    /// The rollback files of a log's directory, in the order of their names. They are never removed by the
    /// log.
    ///
    /// # Errors
    /// [`LogError::Io`].
    pub fn list(vfs: &dyn Vfs, directory: &Path) -> Result<Vec<Self>, LogError> {
        let listed = vfs.list(directory).map_err(|error| failed("listing", directory, &error))?;
        let files = listed.iter().filter_map(|name| {
            let (first, last, _) = names::rollback_parts(name)?;
            Some(Self { path: directory.join(name), first, last })
        });
        Ok(files.collect())
    }

    /// The entries in the file, every checksum verified. Entries that were damaged when they were dropped
    /// are missing.
    ///
    /// # Errors
    /// [`LogError::Unusable`] if the file is damaged; [`LogError::Io`].
    pub fn read(&self, vfs: &dyn Vfs) -> Result<Vec<Batch>, LogError> {
        let bytes = read_whole(vfs, &self.path).map_err(|error| failed("reading", &self.path, &error))?;
        parse(&Bytes::from(bytes)).ok_or_else(|| unusable(&self.path, "is a damaged rollback file"))
    }
}

/// The name of this format, its version in the last byte.
const MAGIC: &[u8; 8] = b"QUORRBK\x01";
/// Each run holds as many bytes at most, and one entry at least.
const RUN_BYTES_MAX: usize = 1 << 20;
const PRELUDE_BYTES: usize = 16;
const RUN_HEADER_BYTES: usize = 20;

/// Saves the entries from `first` to `last`; durable on return, with its name, which is returned.
pub(crate) fn save(
    vfs: &dyn Vfs,
    directory: &Path,
    reader: &dyn LogReader,
    first: EntryId,
    last: EntryId,
) -> Result<String, LogError> {
    let listed = vfs.list(directory).map_err(|error| failed("listing", directory, &error))?;
    let name = (0..).map(|counter| names::rollback(first, last, counter)).find(|name| !listed.contains(name));
    let name = name.unwrap_or_default();
    let unfinished = directory.join(names::UNFINISHED);
    let error = |error| failed_or_full("saving", &unfinished, &error);
    let file = vfs.open(&unfinished, OpenMode::Create).map_err(error)?;
    write_runs(&*file, &unfinished, reader, first.vlsn, last.vlsn)?;
    file.sync_all().map_err(|error| failed("syncing", &unfinished, &error))?;
    vfs.rename(&unfinished, &directory.join(&name))
        .and_then(|()| vfs.sync_directory(directory))
        .map_err(|error| failed("naming", &unfinished, &error))?;
    Ok(name)
}

fn write_runs(
    file: &dyn VfsFile,
    path: &Path,
    reader: &dyn LogReader,
    first: Vlsn,
    last: Vlsn,
) -> Result<(), LogError> {
    let error = |error| failed_or_full("saving", path, &error);
    let mut headers = Vec::new();
    let mut offset = PRELUDE_BYTES as u64;
    let mut next = first;
    while next <= last {
        match reader.read(next, last, RUN_BYTES_MAX) {
            Ok(batch) => {
                let mut header = Vec::with_capacity(RUN_HEADER_BYTES);
                header.put_u64(next.as_u64());
                header.put_u64(batch.bytes() as u64);
                header.put_u32(batch.chain_before());
                file.write_at(offset, &[IoSlice::new(&header), IoSlice::new(batch.frames())])
                    .map_err(error)?;
                offset += (header.len() + batch.bytes()) as u64;
                headers.put(&header);
                next = batch.last().vlsn.next();
            }
            Err(LogError::Damaged { .. }) => next = next.next(),
            Err(error) => return Err(error),
        }
    }
    let mut prelude = Vec::with_capacity(PRELUDE_BYTES);
    prelude.put(MAGIC);
    prelude.put_u32(crc32c::crc32c(&headers));
    prelude.put_u32((headers.len() / RUN_HEADER_BYTES) as u32);
    file.write_at(0, &[IoSlice::new(&prelude)]).map_err(error)
}

fn parse(bytes: &Bytes) -> Option<Vec<Batch>> {
    let mut fields = Fields::new(bytes);
    if fields.bytes(MAGIC.len())? != MAGIC {
        return None;
    }
    let checksum = fields.u32()?;
    let count = fields.u32()?;
    let mut headers = Vec::new();
    let mut batches = Vec::new();
    for _ in 0..count {
        headers.put(fields.rest().get(..RUN_HEADER_BYTES)?);
        let first = Vlsn::new(fields.u64()?)?;
        let length = usize::try_from(fields.u64()?).ok()?;
        let chain = fields.u32()?;
        let frames = bytes.slice_ref(fields.bytes(length)?);
        batches.push(decode(frames, first, chain, Term::ZERO).ok()?);
    }
    (crc32c::crc32c(&headers) == checksum && fields.rest().is_empty()).then_some(batches)
}

fn read_whole(vfs: &dyn Vfs, path: &Path) -> std::io::Result<Vec<u8>> {
    let file = vfs.open(path, OpenMode::Existing)?;
    let mut bytes = vec![0; usize::try_from(file.bytes()?).unwrap_or(0)];
    let count = file.read_at(0, &mut bytes)?;
    bytes.truncate(count);
    Ok(bytes)
}

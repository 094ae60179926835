use crate::cluster::SEGMENT_BYTES;
use quorate::{EntryId, Vlsn};
use quorate_codec::{Envelope, HEADER_BYTES, Header, Operation, Operations};
use quorate_core::{EntryKind, LogStore};
use quorate_log::vfs::OsVfs;
use quorate_log::{Log, LogConfig};
use std::path::Path;
use std::sync::Arc;

/// All frames of a log as they stand on the disk, every checksum verified.
pub(crate) struct LogImage {
    bytes: Vec<u8>,
    /// Where each frame begins, in bytes.
    starts: Vec<usize>,
}

/// How much is read at once, in bytes.
const READ_BYTES: usize = 1 << 20;

/// Opens the log of a node that does not run.
pub(crate) fn open_log(directory: &Path) -> Log {
    let config = LogConfig { segment_bytes: SEGMENT_BYTES, ..LogConfig::new(0) };
    Log::open(Arc::new(OsVfs), directory, config).unwrap()
}

impl LogImage {
    pub(crate) fn read(directory: &Path) -> Self {
        let log = open_log(directory);
        let (reader, last) = (log.reader(), log.summary().terms.last_vlsn());
        let mut image = Self { bytes: Vec::new(), starts: Vec::new() };
        while let (Some(last), next) = (last, Vlsn::after(image.last()))
            && next <= last
        {
            let batch = reader.read(next, last, READ_BYTES).unwrap();
            image.starts.extend(batch.offsets().iter().map(|offset| image.bytes.len() + *offset as usize));
            image.bytes.extend_from_slice(batch.frames());
        }
        image
    }

    /// The last position; the first one is 1, as nothing is ever trimmed here.
    pub(crate) fn last(&self) -> Option<Vlsn> {
        Vlsn::new(self.starts.len() as u64)
    }

    pub(crate) fn frames(&self) -> impl Iterator<Item = &[u8]> {
        let ends = self.starts.iter().copied().skip(1).chain([self.bytes.len()]);
        self.starts.iter().zip(ends).map(|(start, end)| &self.bytes[*start..end])
    }

    /// Bytes of all frames behind a position.
    pub(crate) fn bytes_behind(&self, vlsn: Option<Vlsn>) -> usize {
        self.frames().skip(Vlsn::number(vlsn) as usize).map(<[u8]>::len).sum()
    }

    pub(crate) fn assert_same(&self, other: &Self, name: &str) {
        for (position, (own, others)) in (1..).zip(self.frames().zip(other.frames())) {
            assert_eq!(own, others, "entry {position} of {name}");
        }
        assert_eq!(self.starts.len(), other.starts.len(), "entries of {name}");
    }

    /// The keys and values put, in the order of the log, with the entries that put them.
    pub(crate) fn puts(&self) -> impl Iterator<Item = (EntryId, Vec<u8>, Vec<u8>)> {
        self.frames().filter_map(|frame| {
            let header = Header::parse(frame).unwrap();
            let is_data = header.kind == EntryKind::Data;
            let (key, value) = is_data.then(|| put_of(&frame[HEADER_BYTES..])).flatten()?;
            Some((header.id, key, value))
        })
    }
}

/// What a payload puts, if that is what it does.
pub(crate) fn put_of(payload: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let operations: Vec<_> = Operations::new(Envelope::decode(payload).unwrap().body).collect();
    match operations[..] {
        [Ok(Operation::Put { key, value, .. })] => Some((key.to_vec(), value.to_vec())),
        _ => None,
    }
}

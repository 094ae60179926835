use crate::error::failed;
use crate::index_file::IndexBytes;
use crate::segment_header::SegmentHeader;
use crate::vfs::{Mapping, VfsFile};
use quorate_core::{LogError, Vlsn};
use quorate_vlsn::{DenseIndex, DenseView};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

/// A segment's file. Whoever reads it holds it; it is used for another segment only when nobody does.
#[derive(Debug)]
pub(crate) struct SegmentFile {
    pub(crate) path: PathBuf,
    pub(crate) file: Arc<dyn VfsFile>,
    /// Length of the file.
    pub(crate) bytes: usize,
    map: OnceMapping,
}

impl SegmentFile {
    pub(crate) fn new(path: PathBuf, file: Arc<dyn VfsFile>, bytes: usize) -> Self {
        Self { path, file, bytes, map: OnceMapping::default() }
    }

    /// Reads a part of the file; what lies behind its end is missing from the result.
    pub(crate) fn read(&self, offset: usize, count: usize) -> Result<Vec<u8>, LogError> {
        let mut bytes = vec![0; count.min(self.bytes.saturating_sub(offset))];
        let found = self
            .file
            .read_at(offset as u64, &mut bytes)
            .map_err(|error| failed("reading", &self.path, &error))?;
        bytes.truncate(found);
        Ok(bytes)
    }

    /// As [`read`](Self::read), through a map. Only for a sealed segment: nobody writes to it any more.
    pub(crate) fn read_sealed(&self, offset: usize, count: usize) -> Result<Vec<u8>, LogError> {
        let map = self.map.of(&*self.file).map_err(|error| failed("mapping", &self.path, &error))?;
        let bytes = (**map).as_ref();
        let start = offset.min(bytes.len());
        Ok(bytes[start..start.saturating_add(count).min(bytes.len())].to_vec())
    }
}

/// A map that is made when it is first needed.
#[derive(Default)]
struct OnceMapping(OnceLock<Mapping>);

impl OnceMapping {
    fn of(&self, file: &dyn VfsFile) -> std::io::Result<&Mapping> {
        if let Some(map) = self.0.get() {
            return Ok(map);
        }
        let map = file.map()?;
        Ok(self.0.get_or_init(|| map))
    }
}

impl std::fmt::Debug for OnceMapping {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.get().is_some() { "mapped" } else { "not mapped" })
    }
}

/// Where the frames of a segment stand.
#[derive(Debug)]
pub(crate) enum SegmentIndex {
    /// In memory: the last segment's, and those whose file is not written yet.
    Built(DenseIndex),
    /// In a mapped file.
    Mapped(DenseView<IndexBytes>),
}

impl SegmentIndex {
    pub(crate) fn offset(&self, vlsn: Vlsn) -> Option<u32> {
        match self {
            Self::Built(index) => index.offset(vlsn),
            Self::Mapped(view) => view.offset(vlsn),
        }
    }

    pub(crate) fn last(&self) -> Option<Vlsn> {
        match self {
            Self::Built(index) => index.last(),
            Self::Mapped(view) => view.last(),
        }
    }

    /// The index, to be changed; in memory from now on.
    pub(crate) fn built(&mut self) -> &mut DenseIndex {
        if let Self::Mapped(view) = self {
            *self = Self::Built(view.to_index());
        }
        match self {
            Self::Built(index) => index,
            Self::Mapped(_) => unreachable!("it was just built"),
        }
    }
}

/// One file of the log, and where its entries stand.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) header: SegmentHeader,
    pub(crate) file: Arc<SegmentFile>,
    pub(crate) index: SegmentIndex,
}

impl Segment {
    /// The last entry, or the one before the first if there is none.
    pub(crate) fn last(&self) -> Option<Vlsn> {
        self.index.last().or(self.header.first.previous())
    }
}

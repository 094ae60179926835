use super::groups::{Groups, Search};
use crate::error::failed;
use crate::group_header::GROUP_HEADER_BYTES;
use crate::segment::SegmentFile;
use crate::segment_header::SegmentHeader;
use quorate_core::LogError;
use std::io;

/// The groups of a segment, and its bytes as far as they reach.
#[derive(Debug)]
pub(crate) struct Contents {
    pub(crate) bytes: Vec<u8>,
    pub(super) groups: Groups,
    /// Length of the segment. What stands behind the groups is zeros or what the file held before.
    pub(super) segment_bytes: usize,
}

/// How much is read at a time while groups are searched: little enough to stay in the processor's cache.
const WINDOW_BYTES: usize = 128 << 10;

impl Contents {
    /// Searches a segment's file and reads what is in it. What is not kept takes no memory.
    pub(crate) fn read(file: &SegmentFile, header: &SegmentHeader) -> Result<Self, LogError> {
        let error = |error| failed("reading", &file.path, &error);
        let mut search = Search::new(header, file.bytes);
        let mut window = vec![0; WINDOW_BYTES.min(file.bytes)];
        loop {
            let found = file.file.read_at(search.offset() as u64, &mut window).map_err(error)?;
            if found < GROUP_HEADER_BYTES {
                break;
            }
            search.look(&window[..found]);
        }
        let groups = search.finish();
        let bytes = file.read(0, groups.end())?;
        if bytes.len() < groups.end().min(file.bytes) {
            return Err(error(io::ErrorKind::UnexpectedEof.into()));
        }
        Ok(Self { bytes, groups, segment_bytes: file.bytes })
    }

    /// Searches the bytes of a whole segment.
    pub(crate) fn of(bytes: Vec<u8>, header: &SegmentHeader) -> Self {
        let mut search = Search::new(header, bytes.len());
        if let Some(window) = bytes.get(search.offset()..) {
            search.look(window);
        }
        Self { segment_bytes: bytes.len(), groups: search.finish(), bytes }
    }
}

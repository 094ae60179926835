//! The index of a sealed segment in a file, so that an open need not read all entries.
//!
//! | offset | bytes | field |
//! |---|---|---|
//! | 0 | 8 | magic, its last byte the version |
//! | 8 | 4 | checksum (CRC-32C) of all that follows up to the dense index |
//! | 12 | 16 | the log's identity |
//! | 28 | 8 | the segment's number |
//! | 36 | 8 | the segment's generation |
//! | 44 | 8 | the segment's first entry |
//! | 52 | 4 | header checksum of the last frame |
//! | 56 | 4 | how many terms |
//! | 60 | 16 each | term, and the first entry of that term in the segment |
//! | then | | the dense index |
//!
//! It is never synced: one that is missing, torn, or of another segment is rebuilt.

use crate::fields::{Fields, PutFields};
use crate::segment_header::SegmentHeader;
use crate::vfs::{Mapping, OpenMode, Vfs};
use quorate_core::{Term, Vlsn};
use quorate_vlsn::{DenseIndex, DenseView};
use std::io::{self, IoSlice};
use std::path::Path;

/// The name of this format, its version in the last byte.
const MAGIC: &[u8; 8] = b"QUORIDX\x01";
const CHECKED_AT: usize = 12;

/// What an index file tells of a segment.
pub(crate) struct IndexFile {
    pub(crate) view: DenseView<IndexBytes>,
    pub(crate) terms: Vec<(Term, Vlsn)>,
    /// Header checksum of the last frame.
    pub(crate) chain: u32,
}

/// The part of a mapped index file that is the dense index.
pub(crate) struct IndexBytes {
    map: Mapping,
    start: usize,
}

impl AsRef<[u8]> for IndexBytes {
    fn as_ref(&self) -> &[u8] {
        (*self.map).as_ref().get(self.start..).unwrap_or_default()
    }
}

impl std::fmt::Debug for IndexBytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes", self.as_ref().len())
    }
}

/// Reads the index file of the segment with this header, if it is whole and tells of this segment.
pub(crate) fn load(vfs: &dyn Vfs, path: &Path, header: &SegmentHeader) -> Option<IndexFile> {
    let file = vfs.open(path, OpenMode::Existing).ok()?;
    let map = file.map().ok()?;
    let Prelude { bytes: start, terms, chain } = parse((*map).as_ref(), header)?;
    let view = DenseView::new(IndexBytes { map, start }).ok()?;
    let in_range = terms.iter().all(|(_, first)| (Some(view.first())..=view.last()).contains(&Some(*first)));
    (view.first() == header.first && in_range).then_some(IndexFile { view, terms, chain })
}

/// What stands before the dense index.
struct Prelude {
    /// Its length.
    bytes: usize,
    terms: Vec<(Term, Vlsn)>,
    chain: u32,
}

fn parse(bytes: &[u8], header: &SegmentHeader) -> Option<Prelude> {
    let mut fields = Fields::new(bytes);
    if fields.bytes(MAGIC.len())? != MAGIC {
        return None;
    }
    let checksum = fields.u32()?;
    let place = (fields.u128()?, fields.u64()?, fields.u64()?, fields.u64()?);
    if place != (header.identity, header.number, header.generation, header.first.as_u64()) {
        return None;
    }
    let chain = fields.u32()?;
    let count = fields.u32()?;
    let terms = (0..count)
        .map(|_| Some((Term::from_u64(fields.u64()?), Vlsn::new(fields.u64()?)?)))
        .collect::<Option<Vec<_>>>()?;
    let start = bytes.len() - fields.rest().len();
    let ascending = terms.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 < pair[1].1);
    let begins =
        terms.first().is_some_and(|(term, first)| *first == header.first && *term >= header.term_before);
    (ascending && begins && crc32c::crc32c(&bytes[CHECKED_AT..start]) == checksum).then_some(Prelude {
        bytes: start,
        terms,
        chain,
    })
}

/// What goes into the index file of a sealed segment.
pub(crate) struct IndexContent {
    pub(crate) header: SegmentHeader,
    pub(crate) terms: Vec<(Term, Vlsn)>,
    /// Header checksum of the last frame.
    pub(crate) chain: u32,
    pub(crate) index: DenseIndex,
}

/// Writes the index file of a sealed segment. It gets its name when it is whole.
pub(crate) fn store(vfs: &dyn Vfs, unfinished: &Path, path: &Path, content: &IndexContent) -> io::Result<()> {
    let header = &content.header;
    let mut checked = Vec::new();
    checked.put_u128(header.identity);
    checked.put_u64(header.number);
    checked.put_u64(header.generation);
    checked.put_u64(header.first.as_u64());
    checked.put_u32(content.chain);
    checked.put_u32(content.terms.len() as u32);
    for (term, first) in &content.terms {
        checked.put_u64(term.as_u64());
        checked.put_u64(first.as_u64());
    }
    let mut prelude = Vec::with_capacity(CHECKED_AT);
    prelude.put(MAGIC);
    prelude.put_u32(crc32c::crc32c(&checked));
    let file = vfs.open(unfinished, OpenMode::Create)?;
    file.write_at(
        0,
        &[IoSlice::new(&prelude), IoSlice::new(&checked), IoSlice::new(&content.index.encode())],
    )?;
    vfs.rename(unfinished, path)
}

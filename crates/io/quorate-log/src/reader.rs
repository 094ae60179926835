use crate::damage;
use crate::segment::SegmentFile;
use crate::state::{Shared, State, inspect};
use bytes::Bytes;
use quorate_codec::{HEADER_BYTES, Header, decode};
use quorate_core::{Batch, LogError, LogReader, Term, Vlsn};
use std::sync::Arc;

/// Reads a log from any thread.
#[derive(Debug)]
pub(crate) struct Reader(pub(crate) Arc<Shared>);

/// How often a read is tried while the entries move, or the disk gives other bytes each time.
const ATTEMPTS: usize = 8;

impl LogReader for Reader {
    /// A batch never reaches from one segment into the next, so it may be shorter than asked for.
    fn read(&self, from: Vlsn, through: Vlsn, bytes_max: usize) -> Result<Batch, LogError> {
        for _ in 0..ATTEMPTS {
            let plan = Plan::make(&self.0.read(), from, through, bytes_max)?;
            if let Some(batch) = plan.fetch()? {
                return Ok(batch);
            }
            // What is damaged is known after this, so that the next plan stops before it; or the entries
            // were moved meanwhile.
            if inspect(&self.0, plan.segment, from)? {
                return Err(LogError::Damaged { vlsn: from });
            }
        }
        Err(LogError::Io {
            operation: format!("reading entry {from}"),
            detail: "the disk gives other bytes each time".to_owned(),
        })
    }
}

/// What to read, as decided under the lock; the reading itself needs none.
struct Plan {
    segment: usize,
    sealed: bool,
    file: Arc<SegmentFile>,
    from: Vlsn,
    term_min: Term,
    seed: Seed,
    /// Where the frames stand, at least one.
    offsets: Vec<u32>,
    bytes_max: usize,
}

/// Where the header checksum of the frame before the first one is found.
#[derive(Clone, Copy)]
enum Seed {
    Known(u32),
    /// In the frame at this offset.
    At(u32),
}

impl Plan {
    fn make(state: &State, from: Vlsn, through: Vlsn, bytes_max: usize) -> Result<Self, LogError> {
        if let Some(base) = state.base().filter(|base| from <= *base) {
            return Err(LogError::Trimmed { base });
        }
        let Some(written) = state.written().filter(|written| from <= *written) else {
            return Err(LogError::NotWritten { last: state.written() });
        };
        let index = state.segment_of(from);
        let segment = &state.segments[index];
        let damaged = damage::next_from(&state.summary.damaged, from);
        let here = damaged.is_none_or(|first| first > from).then(|| segment.index.offset(from)).flatten();
        let (Some(first_offset), Some(seed)) = (here, seed(state, index, from)) else {
            return Err(LogError::Damaged { vlsn: from });
        };
        let readable = damaged.and_then(Vlsn::previous).unwrap_or(written);
        let last = through.min(written).min(readable).max(from);
        let offsets = (0..=last.since(from))
            .map_while(|count| segment.index.offset(from.advance(count)))
            .take_while(|offset| (offset - first_offset) as usize <= bytes_max)
            .collect();
        let term_min =
            from.previous().and_then(|before| state.summary.terms.term_at(before)).unwrap_or(Term::ZERO);
        let sealed = index + 1 < state.segments.len();
        Ok(Self {
            segment: index,
            sealed,
            file: segment.file.clone(),
            from,
            term_min,
            seed,
            offsets,
            bytes_max,
        })
    }

    /// Reads the frames and checks them; `None` if some are not as they should be.
    fn fetch(&self) -> Result<Option<Batch>, LogError> {
        let chain = match self.seed {
            Seed::Known(chain) => chain,
            Seed::At(offset) => match self.header_at(offset)? {
                Some(header) => header.checksum,
                None => return Ok(None),
            },
        };
        let Some((offsets, end)) = self.fitting()? else { return Ok(None) };
        let start = offsets[0] as usize;
        let bytes = self.read(start, end - start)?;
        let frames = gather(bytes, offsets.iter().map(|offset| *offset as usize - start));
        Ok(frames.and_then(|frames| decode(frames, self.from, chain, self.term_min).ok()))
    }

    /// The frames that fit, and where they end. All but the last are known to fit.
    fn fitting(&self) -> Result<Option<(&[u32], usize)>, LogError> {
        let Some((last, others)) = self.offsets.split_last() else { return Ok(None) };
        let Some(header) = self.header_at(*last)? else { return Ok(None) };
        let end = *last as usize + header.frame_bytes();
        if others.is_empty() || end - self.offsets[0] as usize <= self.bytes_max {
            return Ok(Some((&self.offsets, end)));
        }
        Ok(Some((others, *last as usize)))
    }

    fn header_at(&self, offset: u32) -> Result<Option<Header>, LogError> {
        Ok(Header::parse(&self.read(offset as usize, HEADER_BYTES)?).ok())
    }

    fn read(&self, offset: usize, count: usize) -> Result<Vec<u8>, LogError> {
        if self.sealed { self.file.read_sealed(offset, count) } else { self.file.read(offset, count) }
    }
}

fn seed(state: &State, segment: usize, from: Vlsn) -> Option<Seed> {
    let segment = &state.segments[segment];
    if from == segment.header.first {
        return Some(Seed::Known(segment.header.chain_before));
    }
    let before = from.previous()?;
    match damage::at(&state.summary.damaged, before) {
        Some(range) => range.chain_after.map(Seed::Known),
        None => segment.index.offset(before).map(Seed::At),
    }
}

/// The frames that begin at these places, without what stands between them.
fn gather(bytes: Vec<u8>, starts: impl Iterator<Item = usize> + Clone) -> Option<Bytes> {
    let lengths =
        starts.clone().map(|start| Some((start, Header::parse(bytes.get(start..)?).ok()?.frame_bytes())));
    let pieces = lengths.collect::<Option<Vec<_>>>()?;
    let total: usize = pieces.iter().map(|(_, length)| length).sum();
    let touching = pieces.windows(2).all(|pair| pair[0].0 + pair[0].1 == pair[1].0);
    if touching {
        return bytes.get(..total).is_some().then(|| Bytes::from(bytes).slice(..total));
    }
    let mut frames = Vec::with_capacity(total.min(bytes.len()));
    for (start, length) in pieces {
        frames.extend_from_slice(bytes.get(start..start + length)?);
    }
    Some(Bytes::from(frames))
}

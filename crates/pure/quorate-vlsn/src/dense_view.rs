use crate::layout::{PRELUDE_BYTES, check_length, u32_at, u64_at};
use crate::{DenseIndex, IndexError, layout};
use quorate_core::Vlsn;

pub(crate) const MAGIC: [u8; 4] = *b"QVLD";
const COUNT_AT: usize = size_of::<u64>();
/// Bytes of a body that stand before its first offset.
pub(crate) const BODY_BYTES_BEFORE_OFFSETS: usize = COUNT_AT + size_of::<u32>();
const OFFSETS_AT: usize = PRELUDE_BYTES + BODY_BYTES_BEFORE_OFFSETS;

/// An encoded [`DenseIndex`], read where it lies: in a slice, in shared bytes, in a mapped file.
///
/// ```text
///  12           20      24
///  +------------+-------+-------+-------+--
///  | first VLSN | count |offset |offset | ..    behind magic, version and checksum; little endian
///  +------------+-------+-------+-------+--
/// ```
///
/// All bytes are checked once, by [`new`](Self::new). Should they change later, as a mapped file can, results
/// may be wrong, but nothing fails.
#[derive(Clone, Debug)]
pub struct DenseView<B> {
    bytes: B,
    first: Vlsn,
    count: u32,
}

impl<B: AsRef<[u8]>> DenseView<B> {
    /// Checks `bytes`, in time linear in their length.
    ///
    /// # Errors
    /// [`IndexError`] if they are not what [`DenseIndex::encode`] makes.
    pub fn new(bytes: B) -> Result<Self, IndexError> {
        let (first, count) = check(bytes.as_ref())?;
        Ok(Self { bytes, first, count })
    }

    /// Position of the first entry.
    #[must_use]
    pub const fn first(&self) -> Vlsn {
        self.first
    }

    /// Position of the last entry, if there is any.
    #[must_use]
    pub fn last(&self) -> Option<Vlsn> {
        self.count.checked_sub(1).map(|index| self.first.advance(index.into()))
    }

    /// How many entries there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.count as usize
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Where the entry at `vlsn` begins, in bytes, if it is in this segment.
    #[must_use]
    pub fn offset(&self, vlsn: Vlsn) -> Option<u32> {
        let index = vlsn.as_u64().wrapping_sub(self.first.as_u64());
        if index >= u64::from(self.count) {
            return None;
        }
        u32_at(self.bytes.as_ref(), OFFSETS_AT + index as usize * size_of::<u32>())
    }

    /// The same index, to be built further.
    #[must_use]
    pub fn to_index(&self) -> DenseIndex {
        let offsets =
            self.bytes.as_ref().get(OFFSETS_AT..).unwrap_or_default().chunks_exact(size_of::<u32>());
        DenseIndex::with_offsets(self.first, offsets.filter_map(|offset| u32_at(offset, 0)).collect())
    }
}

fn check(bytes: &[u8]) -> Result<(Vlsn, u32), IndexError> {
    let body = layout::open(bytes, MAGIC)?;
    let too_short = IndexError::Length { needed: BODY_BYTES_BEFORE_OFFSETS as u64, found: body.len() as u64 };
    let first = u64_at(body, 0).ok_or(too_short)?;
    let count = u32_at(body, COUNT_AT).ok_or(too_short)?;
    check_length(body, BODY_BYTES_BEFORE_OFFSETS as u64 + u64::from(count) * size_of::<u32>() as u64)?;
    let ends_in_range = first.checked_add(count.into()).is_some();
    let first = Vlsn::new(first).filter(|_| ends_in_range).ok_or(IndexError::OutOfOrder { index: 0 })?;
    check_offsets(&body[BODY_BYTES_BEFORE_OFFSETS..])?;
    Ok((first, count))
}

fn check_offsets(offsets: &[u8]) -> Result<(), IndexError> {
    let mut last = None;
    for (offset, index) in offsets.chunks_exact(size_of::<u32>()).zip(0..) {
        let offset = u32_at(offset, 0);
        if offset <= last {
            return Err(IndexError::OutOfOrder { index });
        }
        last = offset;
    }
    Ok(())
}

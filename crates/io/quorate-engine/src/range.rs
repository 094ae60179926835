use std::ops::Bound;

/// Whether no key can lie between the two bounds. Some stores panic or misbehave when asked for such a range.
pub(crate) fn is_empty_range(start: Bound<&[u8]>, end: Bound<&[u8]>) -> bool {
    match (start, end) {
        (Bound::Unbounded, Bound::Unbounded | Bound::Included(_)) | (_, Bound::Unbounded) => false,
        (Bound::Unbounded, Bound::Excluded(end)) => end.is_empty(),
        (Bound::Included(start), Bound::Included(end)) => start > end,
        (Bound::Included(start) | Bound::Excluded(start), Bound::Included(end) | Bound::Excluded(end)) => {
            start >= end
        }
    }
}

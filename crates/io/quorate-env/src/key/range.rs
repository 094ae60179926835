use super::{KeyForm, whole};
use std::ops::{Bound, Range, RangeBounds, RangeFrom, RangeFull, RangeInclusive, RangeTo, RangeToInclusive};

/// A range of keys of type `K`: `..`, `1..9`, `"a"..="b"`, `(Bound<_>, Bound<_>)` and so on.
pub trait KeyRange<K> {
    /// The bounds of the encoded keys.
    fn key_bounds(&self) -> (Bound<Vec<u8>>, Bound<Vec<u8>>);
}

impl<K> KeyRange<K> for RangeFull {
    fn key_bounds(&self) -> (Bound<Vec<u8>>, Bound<Vec<u8>>) {
        (Bound::Unbounded, Bound::Unbounded)
    }
}

macro_rules! key_range {
    ($($range:ty),*) => {$(
        impl<K, Q: KeyForm<K>> KeyRange<K> for $range {
            fn key_bounds(&self) -> (Bound<Vec<u8>>, Bound<Vec<u8>>) {
                (RangeBounds::<Q>::start_bound(self).map(whole), RangeBounds::<Q>::end_bound(self).map(whole))
            }
        }
    )*};
}

key_range!(Range<Q>, RangeFrom<Q>, RangeInclusive<Q>, RangeTo<Q>, RangeToInclusive<Q>, (Bound<Q>, Bound<Q>));

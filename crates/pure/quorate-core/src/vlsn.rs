use core::fmt;
use core::num::NonZeroU64;

/// A position in the replicated order: dense, from 1.
///
/// There is no null VLSN; "no entry" is `Option::<Vlsn>::None`, which costs nothing and sorts before every position.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Vlsn(NonZeroU64);

impl Vlsn {
    /// The first position of every log.
    pub const FIRST: Self = Self(NonZeroU64::MIN);

    /// The position `number`, or `None` for 0.
    #[must_use]
    pub const fn new(number: u64) -> Option<Self> {
        match NonZeroU64::new(number) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }

    /// The position as a number, at least 1.
    #[must_use]
    pub const fn as_u64(self) -> u64 {
        self.0.get()
    }

    /// The number behind an optional position: 0 for none.
    #[must_use]
    pub fn number(position: Option<Self>) -> u64 {
        position.map_or(0, Self::as_u64)
    }

    /// The position that follows.
    #[must_use]
    pub const fn next(self) -> Self {
        self.advance(1)
    }

    /// The position `count` further on. It saturates at the last one, which no log reaches.
    #[must_use]
    pub const fn advance(self, count: u64) -> Self {
        Self(self.0.saturating_add(count))
    }

    /// The position before, or `None` before the first.
    #[must_use]
    pub const fn previous(self) -> Option<Self> {
        Self::new(self.0.get() - 1)
    }

    /// The position that follows `position`; the first one where there is none yet.
    #[must_use]
    pub fn after(position: Option<Self>) -> Self {
        position.map_or(Self::FIRST, Self::next)
    }

    /// How many positions lie from `earlier` (inclusive) to `self` (exclusive); 0 if `earlier` is not earlier.
    #[must_use]
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.get().saturating_sub(earlier.0.get())
    }
}

impl fmt::Debug for Vlsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{}", self.0)
    }
}

impl fmt::Display for Vlsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// A position in one node's files: the segment's number and the byte offset within it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lsn {
    /// Number of the segment, counted up from 0 in the order in which segments were filled.
    pub segment: u64,
    /// Offset in the segment in bytes.
    pub offset: u32,
}

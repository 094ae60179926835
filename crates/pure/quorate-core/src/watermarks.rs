use crate::Vlsn;
use core::fmt;

/// How far one node has come, always in this order:
///
/// ```text
///   trimmed <= engine_durable <= applied <= committed <= written      and      engine_durable <= durable <= written
/// ```
///
/// A relation that does not hold is a bug, found by [`assert_ordered`](Self::assert_ordered). Only of a node that was opened with an engine
/// that lacks what its log has trimmed, and that stops at once, do they tell exactly that: `trimmed` stands above `engine_durable`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Watermarks {
    /// The log no longer holds entries up to here.
    pub trimmed: Option<Vlsn>,
    /// The engine has said that it holds entries up to here durably.
    pub engine_durable: Option<Vlsn>,
    /// In the engine.
    pub applied: Option<Vlsn>,
    /// Known to be held by a write quorum, and held here.
    pub committed: Option<Vlsn>,
    /// Fsynced.
    pub durable: Option<Vlsn>,
    /// In the log file (page cache).
    pub written: Option<Vlsn>,
}

impl Watermarks {
    /// # Panics
    /// If the watermarks are out of order, which is a bug of ours.
    pub fn assert_ordered(&self) {
        assert!(self.trimmed <= self.engine_durable, "trimmed beyond the engine: {self}");
        assert!(self.engine_durable <= self.applied, "engine durable beyond applied: {self}");
        assert!(self.applied <= self.committed, "applied beyond committed: {self}");
        assert!(self.committed <= self.written, "committed beyond written: {self}");
        assert!(self.engine_durable <= self.durable, "engine durable beyond the log: {self}");
        assert!(self.durable <= self.written, "durable beyond written: {self}");
    }
}

impl fmt::Display for Watermarks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = Vlsn::number;
        write!(
            f,
            "trimmed {} engine {} applied {} committed {} durable {} written {}",
            number(self.trimmed),
            number(self.engine_durable),
            number(self.applied),
            number(self.committed),
            number(self.durable),
            number(self.written)
        )
    }
}

//! Rules of the log that may be broken on purpose, so that whoever checks them can be seen to notice.

/// Whether a rule is broken. Without the feature `mutations` none ever is, which the compiler knows.
#[cfg(feature = "mutations")]
macro_rules! breaks {
    ($mutation:expr, $rule:ident) => {
        $mutation == Some($crate::Mutation::$rule)
    };
}
#[cfg(not(feature = "mutations"))]
macro_rules! breaks {
    ($mutation:expr, $rule:ident) => {
        false
    };
}

/// A rule of the log, or of the hard state, that is broken.
#[cfg(feature = "mutations")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutation {
    /// The hard state's copies are written and not synced.
    StateNotSynced,
    /// A sync reports what is written as durable, and syncs nothing.
    SyncSkipped,
    /// The segment that an append leaves is not synced.
    RollNotSynced,
    /// A sync that fails is tried again, and what the second one says is believed.
    SyncTriedAgain,
    /// What an earlier process has left in the log is taken for durable.
    FoundTakenForDurable,
    /// The first bad entry is taken for the end of the log, whatever had been durable.
    DamageTakenForEnd,
    /// The file of a trimmed segment is used again though somebody reads it.
    RecycledWhileRead,
}

#[cfg(feature = "mutations")]
impl crate::Log {
    /// Where that rule is broken, cuts off what stands behind the first damaged entry.
    pub(crate) fn cut_at_damage(&mut self) -> Result<(), quorate_core::LogError> {
        use quorate_core::LogStore;
        match self.summary().damaged.first() {
            Some(range) if breaks!(self.mutation, DamageTakenForEnd) => {
                self.truncate_after(range.first.previous()).map(drop)
            }
            _ => Ok(()),
        }
    }
}

/// One call of one client, as the client saw it.
///
/// Times are of one clock that all clients share and that does not go backwards: nanoseconds, or just the
/// numbers of events. A call takes effect at one moment from `began` through `ended`, both included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call<O, R> {
    /// Who called.
    pub client: u64,
    /// When the call began: not later than the request was sent.
    pub began: u64,
    /// When the answer was there: not earlier than it arrived. `None` if none came.
    pub ended: Option<u64>,
    /// What was asked for.
    pub operation: O,
    /// What was answered. `None` if that is unknown.
    pub outcome: Option<R>,
}

impl<O, R> Call<O, R> {
    /// Whether nobody knows what became of the call: it may have taken effect at any time after it began, or
    /// may do so at any time to come, or never. A call that is known to have had no effect belongs in no
    /// history.
    #[must_use]
    pub const fn is_pending(&self) -> bool {
        self.ended.is_none() || self.outcome.is_none()
    }
}

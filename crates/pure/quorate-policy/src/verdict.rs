/// What is known of a condition that somebody waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Not yet; it may still be met.
    Pending,
    /// It is met, for good.
    Met,
    /// It can never be met.
    Impossible,
}

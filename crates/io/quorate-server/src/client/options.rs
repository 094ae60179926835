use quorate::CommitDurability;
use std::time::Duration;

/// What holds for all calls of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientOptions {
    /// How long one operation may take, with all its attempts. Default: 30 s.
    pub timeout: Duration,
    /// How durable writes are to be; `None` leaves it to the nodes' configuration. Default: `None`.
    pub durability: Option<CommitDurability>,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(30), durability: None }
    }
}

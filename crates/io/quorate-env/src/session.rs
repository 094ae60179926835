use crate::{Commit, WriteError};
use quorate_codec::Session;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A session that is being opened: wait for it with [`wait`](Self::wait), or as a future.
#[must_use = "a session can be used only once it was waited for"]
pub struct OpenSession {
    client: u128,
    commit: Commit,
}

/// A client of the group whose requests are carried out at most once, however often each is sent, by
/// whichever node, over every change of master.
///
/// Its numbers must be used in order, one at a time: a request is settled before the next one is sent.
/// Requests that are under way at the same time need a session each. The group remembers the last number of
/// [`SESSIONS_MAX`](crate::kv::SESSIONS_MAX) sessions, for
/// [`SESSION_IDLE_ENTRIES`](crate::kv::SESSION_IDLE_ENTRIES) entries of the log at most.
#[derive(Debug, PartialEq, Eq)]
pub struct ClientSession {
    client: u128,
    next: u64,
}

impl OpenSession {
    pub(crate) const fn new(client: u128, commit: Commit) -> Self {
        Self { client, commit }
    }

    /// Blocks until the session is open.
    ///
    /// # Errors
    /// [`WriteError`]. Another one can be opened instead, whatever became of this one.
    pub fn wait(self) -> Result<ClientSession, WriteError> {
        self.commit.wait().map(|_| ClientSession { client: self.client, next: 1 })
    }
}

impl Future for OpenSession {
    type Output = Result<ClientSession, WriteError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let opened = Pin::new(&mut self.commit).poll(context);
        opened.map_ok(|_| ClientSession { client: self.client, next: 1 })
    }
}

impl ClientSession {
    /// The number that the group knows this client by.
    #[must_use]
    pub const fn client(&self) -> u128 {
        self.client
    }

    /// What names the next request. To send that request again, use the same once more.
    pub const fn next_request(&mut self) -> Session {
        let request = Session { client: self.client, sequence: self.next };
        self.next += 1;
        request
    }
}

use super::attempt::Setback;
use super::{Client, ClientError};
use crate::client::patience::Patience;
use crate::v1::{OpenSessionRequest, Session};
use bytes::Bytes;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tonic::Status;

/// How long opening a session may take on one node.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(6);

/// Sessions that are open and not in use. A session has one request under way at a time, so a client has as
/// many as it has writes under way at once.
#[derive(Debug, Default)]
pub(super) struct Sessions(Mutex<Vec<ClientSession>>);

/// A session of a client with the group.
#[derive(Clone, Debug)]
pub(super) struct ClientSession {
    client: Bytes,
    sequence: u64,
}

impl ClientSession {
    /// The place of the next request.
    pub(super) fn next(&mut self) -> Session {
        self.sequence += 1;
        self.current()
    }

    /// The place of the last request.
    pub(super) fn current(&self) -> Session {
        Session { client: self.client.clone(), sequence: self.sequence }
    }
}

impl Client {
    /// A session for one request.
    pub(super) async fn take_session(&self, patience: &mut Patience) -> Result<ClientSession, ClientError> {
        let idle = self.sessions.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        match idle {
            Some(session) => Ok(session),
            None => self.open_session(patience).await,
        }
    }

    /// Keeps a session whose last request was answered.
    pub(super) fn keep_session(&self, session: ClientSession) {
        self.sessions.0.lock().unwrap_or_else(PoisonError::into_inner).push(session);
    }

    /// Opens a session. One that was opened and not told of does no harm: it expires.
    pub(super) async fn open_session(&self, patience: &mut Patience) -> Result<ClientSession, ClientError> {
        loop {
            let attempt = self.attempt(patience.attempt(ATTEMPT_TIMEOUT), |mut endpoint| async move {
                let answer = endpoint.calls.open_session(OpenSessionRequest {}).await?.into_inner();
                if answer.client.is_empty() { Err(Status::internal("no session")) } else { Ok(answer.client) }
            });
            let last = match attempt.await {
                Ok((client, _)) => return Ok(ClientSession { client, sequence: 0 }),
                Err(Setback::Final(error)) => return Err(error),
                Err(Setback::NotDone { text } | Setback::Unknown { text, .. }) => text,
                Err(Setback::SessionLost { text }) => text,
                Err(Setback::Conflict { .. }) => "another write came between".to_owned(),
            };
            if !patience.pause().await {
                return Err(ClientError::TimedOut { waited: patience.waited(), last });
            }
        }
    }
}

use super::attempt::Setback;
use super::patience::Patience;
use super::sessions::ClientSession;
use super::{Client, ClientError};
use crate::service::{durability_of, parse_token};
use crate::v1::operation::Change as ProtocolChange;
use crate::v1::{
    CreateDatabaseRequest, Delete, Operation, Put, Session, TransactRequest, WriteOutcome, WriteRequest,
    WriteResponse,
};
use bytes::Bytes;
use quorate::CommitToken;
use std::time::Duration;
use tonic::Status;

/// How long one attempt at a write may take: a little longer than a node gives it by default.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(7);

/// A change of one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The database's name; empty stands for `default`.
    pub database: String,
    /// The key, not empty.
    pub key: Bytes,
    /// Its new value; `None` removes the key.
    pub value: Option<Bytes>,
}

/// A write that is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// Its place in the replicated order.
    pub token: CommitToken,
    /// Whether it is committed, so that no failover undoes it. Always, unless no acknowledgement was asked
    /// for.
    pub is_committed: bool,
}

/// What one request asks for. It is sent as often as it takes, always with the same place in its session.
#[derive(Clone, Debug)]
pub(super) enum Request {
    Write(WriteRequest),
    Transact(TransactRequest),
}

impl Request {
    fn place_in(&mut self, session: Session) {
        match self {
            Self::Write(request) => request.session = Some(session),
            Self::Transact(request) => request.session = Some(session),
        }
    }
}

/// What a write has come to that can come to nothing.
#[derive(Clone, Copy, Debug)]
pub(super) enum Settled {
    Done(Written),
    /// Not done, for this came between, or the snapshot is older than this.
    Conflict {
        by: Option<CommitToken>,
    },
}

impl Client {
    /// Sets a key.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn put(
        &self,
        database: &str,
        key: impl Into<Bytes>,
        value: impl Into<Bytes>,
    ) -> Result<Written, ClientError> {
        let value = Some(value.into());
        self.write([Change { database: database.to_owned(), key: key.into(), value }]).await
    }

    /// Removes a key, if it is there.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn delete(&self, database: &str, key: impl Into<Bytes>) -> Result<Written, ClientError> {
        self.write([Change { database: database.to_owned(), key: key.into(), value: None }]).await
    }

    /// Makes all changes, in order, in one atomic step, or none of them.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn write(&self, changes: impl IntoIterator<Item = Change>) -> Result<Written, ClientError> {
        let operations = changes.into_iter().map(operation).collect();
        let durability = self.options.durability.map(durability_of);
        let request = Request::Write(WriteRequest { operations, durability, session: None });
        let mut patience = Patience::new(self.options.timeout);
        match self.settle(request, &mut patience).await? {
            Settled::Done(written) => Ok(written),
            Settled::Conflict { .. } => Err(ClientError::TimedOut {
                waited: patience.waited(),
                last: "a write that has read nothing was told of a conflict".to_owned(),
            }),
        }
    }

    /// Makes a database, if there is none of this name.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn create_database(&self, name: &str) -> Result<(), ClientError> {
        let mut patience = Patience::new(self.options.timeout);
        loop {
            let request = CreateDatabaseRequest { name: name.to_owned() };
            let attempt = self.attempt(patience.attempt(ATTEMPT_TIMEOUT), |mut endpoint| async move {
                endpoint.calls.create_database(request).await
            });
            let last = match attempt.await {
                Ok(_) => return Ok(()),
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

    /// Sends a request until it is known what became of it.
    pub(super) async fn settle(
        &self,
        mut request: Request,
        patience: &mut Patience,
    ) -> Result<Settled, ClientError> {
        let mut session = self.take_session(patience).await?;
        request.place_in(session.next());
        let mut doubt: Option<Doubt> = None;
        loop {
            let last = match self.send(&request, patience).await {
                Ok(written) => {
                    self.keep_session(session);
                    return Ok(Settled::Done(written));
                }
                Err(Setback::Conflict { by }) if doubt.is_none() => {
                    self.keep_session(session);
                    return Ok(Settled::Conflict { by });
                }
                Err(Setback::Conflict { by }) => return self.fence(session, by, doubt, patience).await,
                Err(Setback::SessionLost { .. }) if doubt.is_none() => {
                    session = self.open_session(patience).await?;
                    request.place_in(session.next());
                    continue;
                }
                Err(Setback::Final(error)) if doubt.is_none() => return Err(error),
                Err(Setback::SessionLost { text }) => return Err(unknown(doubt, patience, text)),
                Err(Setback::Final(error)) => return Err(unknown(doubt, patience, error.to_string())),
                Err(Setback::NotDone { text }) => text,
                Err(Setback::Unknown { token, text }) => {
                    doubt = Some(Doubt { token: token.or(doubt.and_then(|doubt| doubt.token)) });
                    text
                }
            };
            if !patience.pause().await {
                return Err(ended(doubt, patience, last));
            }
        }
    }

    /// Finds out whether an attempt whose outcome is unknown was what a later one conflicts with: an empty
    /// write with the same place in the session takes that place, unless the attempt has.
    async fn fence(
        &self,
        session: ClientSession,
        by: Option<CommitToken>,
        doubt: Option<Doubt>,
        patience: &mut Patience,
    ) -> Result<Settled, ClientError> {
        let mut request = Request::Write(WriteRequest::default());
        request.place_in(session.current());
        loop {
            let last = match self.send_for_answer(&request, patience).await {
                Ok(answer) => {
                    self.keep_session(session);
                    let is_done = !answer.fenced;
                    let written = written(answer)?;
                    return Ok(if is_done { Settled::Done(written) } else { Settled::Conflict { by } });
                }
                Err(Setback::SessionLost { text }) => return Err(unknown(doubt, patience, text)),
                Err(Setback::Final(error)) => return Err(unknown(doubt, patience, error.to_string())),
                Err(Setback::NotDone { text } | Setback::Unknown { text, .. }) => text,
                Err(Setback::Conflict { .. }) => "a write without reads was told of a conflict".to_owned(),
            };
            if !patience.pause().await {
                return Err(unknown(doubt, patience, last));
            }
        }
    }

    async fn send(&self, request: &Request, patience: &Patience) -> Result<Written, Setback> {
        written(self.send_for_answer(request, patience).await?).map_err(Setback::Final)
    }

    async fn send_for_answer(
        &self,
        request: &Request,
        patience: &Patience,
    ) -> Result<WriteResponse, Setback> {
        let request = request.clone();
        let attempt = self.attempt(patience.attempt(ATTEMPT_TIMEOUT), |mut endpoint| async move {
            let answer = match request {
                Request::Write(request) => endpoint.calls.write(request).await?,
                Request::Transact(request) => endpoint.calls.transact(request).await?,
            };
            let answer = answer.into_inner();
            if answer.token.is_some() {
                Ok(answer)
            } else {
                Err(Status::internal("an answer without a token"))
            }
        });
        Ok(attempt.await?.0)
    }
}

/// An attempt may have been carried out, at this place where it is known.
#[derive(Clone, Copy, Debug)]
struct Doubt {
    token: Option<CommitToken>,
}

fn unknown(doubt: Option<Doubt>, patience: &Patience, last: String) -> ClientError {
    let token = doubt.and_then(|doubt| doubt.token);
    ClientError::OutcomeUnknown { token, waited: patience.waited(), last }
}

fn ended(doubt: Option<Doubt>, patience: &Patience, last: String) -> ClientError {
    match doubt {
        Some(_) => unknown(doubt, patience, last),
        None => ClientError::TimedOut { waited: patience.waited(), last },
    }
}

pub(super) fn operation(change: Change) -> Operation {
    let Change { database, key, value } = change;
    let change = match value {
        Some(value) => ProtocolChange::Put(Put { key, value }),
        None => ProtocolChange::Delete(Delete { key }),
    };
    Operation { database, change: Some(change) }
}

fn written(answer: WriteResponse) -> Result<Written, ClientError> {
    let is_committed = answer.outcome() == WriteOutcome::Committed;
    match answer.token.and_then(parse_token) {
        Some(token) => Ok(Written { token, is_committed }),
        None => Err(ClientError::OutcomeUnknown {
            token: None,
            waited: Duration::ZERO,
            last: "the node's answer names no commit".to_owned(),
        }),
    }
}

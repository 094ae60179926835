use super::attempt::Setback;
use super::patience::Patience;
use super::{Client, ClientError, ReadConsistency};
use crate::service::parse_token;
use crate::v1::{GetRequest, GetResponse};
use bytes::Bytes;
use quorate::CommitToken;
use std::time::Duration;

/// How long a node may take to satisfy a read before another one is asked.
pub(super) const DEMAND_TIMEOUT: Duration = Duration::from_secs(2);
/// How much longer than that an attempt may take.
pub(super) const ANSWER_TIMEOUT: Duration = Duration::from_secs(3);

/// What a read has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// The key's value; `None` if the key is not there.
    pub value: Option<Bytes>,
    /// The last commit that the read has seen; `None` while the group has none. A later read with it as its
    /// token never goes back in time.
    pub seen: Option<CommitToken>,
}

impl Client {
    /// Reads a key.
    ///
    /// # Errors
    /// [`ClientError`]; never [`ClientError::OutcomeUnknown`].
    pub async fn get(
        &self,
        database: &str,
        key: impl Into<Bytes>,
        consistency: ReadConsistency,
    ) -> Result<Read, ClientError> {
        let key = key.into();
        self.get_patiently(database, &key, consistency, &mut Patience::new(self.options.timeout)).await
    }

    pub(super) async fn get_patiently(
        &self,
        database: &str,
        key: &Bytes,
        consistency: ReadConsistency,
        patience: &mut Patience,
    ) -> Result<Read, ClientError> {
        loop {
            let demand = consistency.demand(patience.attempt(DEMAND_TIMEOUT));
            let (database, key) = (database.to_owned(), key.clone());
            let request = GetRequest { database, key, consistency: Some(demand) };
            let limit = patience.attempt(DEMAND_TIMEOUT + ANSWER_TIMEOUT);
            let attempt =
                self.attempt(limit, |mut endpoint| async move { endpoint.calls.get(request).await });
            let setback = match attempt.await {
                Ok((answer, _)) => return Ok(read(answer.into_inner())),
                Err(setback) => setback,
            };
            patience.read_again(setback).await?;
        }
    }
}

impl Patience {
    /// Pauses before a read is tried again.
    pub(super) async fn read_again(&mut self, setback: Setback) -> Result<(), ClientError> {
        let last = match setback {
            Setback::Final(error) => return Err(error),
            Setback::NotDone { text } | Setback::Unknown { text, .. } | Setback::SessionLost { text } => text,
            Setback::Conflict { .. } => "a read was told of a conflict".to_owned(),
        };
        if self.pause().await {
            return Ok(());
        }
        Err(ClientError::TimedOut { waited: self.waited(), last })
    }
}

fn read(answer: GetResponse) -> Read {
    Read { value: answer.value, seen: answer.seen.and_then(parse_token) }
}

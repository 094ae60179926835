use super::patience::Patience;
use super::reading::{ANSWER_TIMEOUT, DEMAND_TIMEOUT};
use super::{Client, ClientError, ReadConsistency};
use crate::service::parse_token;
use crate::v1::{Row, ScanRequest, ScanResponse};
use bytes::Bytes;
use quorate::CommitToken;
use std::time::Duration;
use tokio::time::timeout;
use tonic::Streaming;

/// Which rows to read, and in which order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScanQuery {
    /// The database's name; empty stands for `default`.
    pub database: String,
    /// The first key, inclusive; empty: from the first one of all.
    pub start: Bytes,
    /// The last key, exclusive; empty: through the last one of all.
    pub end: Bytes,
    /// From the last key to the first one.
    pub reverse: bool,
    /// How many rows to return at most; 0: all.
    pub limit: u64,
    /// What the read must have seen.
    pub consistency: ReadConsistency,
}

impl ScanQuery {
    /// Narrows the query to the keys that begin with `prefix`.
    #[must_use]
    pub fn prefix(mut self, prefix: Bytes) -> Self {
        self.end = prefix_end(&prefix);
        self.start = prefix;
        self
    }
}

/// The first key behind all that begin with `prefix`; empty if there is none.
fn prefix_end(prefix: &[u8]) -> Bytes {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if last < u8::MAX {
            end.push(last + 1);
            break;
        }
    }
    end.into()
}

/// Rows as they come: the node reads only as far ahead as they are taken. All of them show one moment.
#[derive(Debug)]
pub struct Scan {
    stream: Streaming<ScanResponse>,
    rows: std::vec::IntoIter<Row>,
    seen: Option<CommitToken>,
    endpoint: String,
    patience: Duration,
    count: u64,
}

impl Client {
    /// Reads a range of keys.
    ///
    /// # Errors
    /// [`ClientError`]; never [`ClientError::OutcomeUnknown`].
    pub async fn scan(&self, query: ScanQuery) -> Result<Scan, ClientError> {
        let mut patience = Patience::new(self.options.timeout);
        loop {
            let request = query.request(patience.attempt(DEMAND_TIMEOUT));
            let limit = patience.attempt(DEMAND_TIMEOUT + ANSWER_TIMEOUT);
            let attempt = self.attempt(limit, |mut endpoint| async move {
                let mut stream = endpoint.calls.scan(request).await?.into_inner();
                let first = stream.message().await?.unwrap_or_default();
                Ok((stream, first))
            });
            match attempt.await {
                Ok(((stream, first), endpoint)) => {
                    return Ok(Scan {
                        stream,
                        rows: first.rows.into_iter(),
                        seen: first.seen.and_then(parse_token),
                        endpoint: endpoint.address,
                        patience: self.options.timeout,
                        count: 0,
                    });
                }
                Err(setback) => patience.read_again(setback).await?,
            }
        }
    }
}

impl ScanQuery {
    fn request(&self, demand_timeout: Duration) -> ScanRequest {
        ScanRequest {
            database: self.database.clone(),
            start: self.start.clone(),
            end: self.end.clone(),
            limit: self.limit,
            consistency: Some(self.consistency.demand(demand_timeout)),
            reverse: self.reverse,
        }
    }
}

impl Scan {
    /// The last commit that the scan has seen; `None` while the group has none.
    #[must_use]
    pub const fn seen(&self) -> Option<CommitToken> {
        self.seen
    }

    /// The next key and its value; `None` at the end.
    ///
    /// # Errors
    /// [`ClientError::ScanBrokeOff`].
    pub async fn next(&mut self) -> Result<Option<(Bytes, Bytes)>, ClientError> {
        loop {
            if let Some(Row { key, value }) = self.rows.next() {
                self.count += 1;
                return Ok(Some((key, value)));
            }
            let message = match timeout(self.patience, self.stream.message()).await {
                Ok(Ok(message)) => message,
                Ok(Err(status)) => return Err(self.broken(status.message().to_owned())),
                Err(_) => return Err(self.broken(format!("nothing came for {:?}", self.patience))),
            };
            match message {
                Some(message) => self.rows = message.rows.into_iter(),
                None => return Ok(None),
            }
        }
    }

    fn broken(&self, reason: String) -> ClientError {
        let reason = format!("{}: {reason}", self.endpoint);
        ClientError::ScanBrokeOff { rows: self.count, reason }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_ends_before_the_first_key_behind_it() {
        assert_eq!(prefix_end(b"ab"), "ac");
        assert_eq!(prefix_end(b"a\xff\xff"), "b");
        assert_eq!(prefix_end(b"\xff\xff"), "");
        assert_eq!(prefix_end(b""), "");
    }
}

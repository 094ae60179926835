use super::attempt::Setback;
use super::endpoints::Target;
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

/// Rows as they come: the node reads only as far ahead as they are taken.
///
/// All of them show one moment, unless the node that gave them was lost on the way, or had given the scan up:
/// then another one goes on behind the last row, never at an earlier moment, perhaps at a later one.
/// [`moved_behind`](Self::moved_behind) tells.
#[derive(Debug)]
pub struct Scan {
    client: Client,
    /// What is still to be read.
    rest: ScanQuery,
    stream: Stream,
    rows: std::vec::IntoIter<Row>,
    seen: Option<CommitToken>,
    last: Option<Bytes>,
    moved_behind: Option<Bytes>,
    count: u64,
    /// As many rows have come as were asked for.
    is_complete: bool,
}

/// One node's answer to a query.
#[derive(Debug)]
struct Stream {
    messages: Streaming<ScanResponse>,
    from: Target,
}

impl Client {
    /// Reads a range of keys.
    ///
    /// # Errors
    /// [`ClientError`]; never [`ClientError::OutcomeUnknown`].
    pub async fn scan(&self, query: ScanQuery) -> Result<Scan, ClientError> {
        self.scan_patiently(query, &mut Patience::new(self.options.timeout)).await
    }

    pub(super) async fn scan_patiently(
        &self,
        query: ScanQuery,
        patience: &mut Patience,
    ) -> Result<Scan, ClientError> {
        let (stream, first) = self.begin_scan(&query, patience).await?;
        Ok(Scan {
            client: self.clone(),
            rest: query,
            stream,
            seen: first.seen.and_then(parse_token),
            rows: first.rows.into_iter(),
            last: None,
            moved_behind: None,
            count: 0,
            is_complete: false,
        })
    }

    /// The stream of some node, and its first message.
    async fn begin_scan(
        &self,
        query: &ScanQuery,
        patience: &mut Patience,
    ) -> Result<(Stream, ScanResponse), ClientError> {
        loop {
            let request = query.request(patience.attempt(DEMAND_TIMEOUT));
            let limit = patience.attempt(DEMAND_TIMEOUT + ANSWER_TIMEOUT);
            let attempt = self.attempt(limit, |mut endpoint| async move {
                let mut messages = endpoint.calls.scan(request).await?.into_inner();
                let first = messages.message().await?.unwrap_or_default();
                Ok((messages, first))
            });
            match attempt.await {
                Ok(((messages, first), from)) => return Ok((Stream { messages, from }, first)),
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

    pub(super) fn contains(&self, key: &Bytes) -> bool {
        *key >= self.start && (self.end.is_empty() || *key < self.end)
    }

    /// Takes the row of `key`, which comes next, out of the query. False if it was the last one asked for.
    fn take(&mut self, key: &Bytes) -> bool {
        if self.reverse {
            self.end = key.clone();
        } else {
            self.start = [key, &b"\0"[..]].concat().into();
        }
        let is_last = self.limit == 1;
        self.limit = self.limit.saturating_sub(1);
        !is_last
    }
}

impl Scan {
    /// The last commit that the row taken last has seen; `None` while the group has none.
    #[must_use]
    pub const fn seen(&self) -> Option<CommitToken> {
        self.seen
    }

    /// The key up to which the rows show one moment; those behind it show a later one. `None` if all that
    /// were taken so far show one moment.
    #[must_use]
    pub const fn moved_behind(&self) -> Option<&Bytes> {
        self.moved_behind.as_ref()
    }

    /// The next key and its value; `None` at the end. Where a node is lost another one goes on, if one is
    /// found within the client's timeout.
    ///
    /// # Errors
    /// [`ClientError::ScanBrokeOff`].
    pub async fn next(&mut self) -> Result<Option<(Bytes, Bytes)>, ClientError> {
        loop {
            if let Some(Row { key, value }) = self.rows.next() {
                self.count += 1;
                self.is_complete = !self.rest.take(&key);
                self.last = Some(key.clone());
                return Ok(Some((key, value)));
            }
            if self.is_complete {
                return Ok(None);
            }
            let limit = self.client.options.timeout;
            let setback = match timeout(limit, self.stream.messages.message()).await {
                Ok(Ok(Some(message))) => {
                    self.rows = message.rows.into_iter();
                    continue;
                }
                Ok(Ok(None)) => return Ok(None),
                Ok(Err(status)) => self.client.judge(&status, &self.stream.from),
                Err(_) => self.client.silent(limit, &self.stream.from),
            };
            self.go_on(setback).await.map_err(|error| self.broken(&error))?;
        }
    }

    /// Goes on behind the last row, at no earlier moment.
    async fn go_on(&mut self, setback: Setback) -> Result<(), ClientError> {
        let mut patience = Patience::new(self.client.options.timeout);
        patience.read_again(setback).await?;
        if let Some(seen) = self.seen {
            self.rest.consistency = ReadConsistency::Token(seen);
        }
        let (stream, first) = self.client.begin_scan(&self.rest, &mut patience).await?;
        let seen = first.seen.and_then(parse_token);
        if seen != self.seen && self.moved_behind.is_none() {
            self.moved_behind.clone_from(&self.last);
        }
        (self.stream, self.rows, self.seen) = (stream, first.rows.into_iter(), seen);
        Ok(())
    }

    fn broken(&self, error: &ClientError) -> ClientError {
        ClientError::ScanBrokeOff { rows: self.count, reason: error.to_string() }
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

    #[test]
    fn what_is_left_of_a_query_begins_behind_the_last_row_in_either_direction() {
        let query = ScanQuery { start: "a".into(), end: "x".into(), limit: 2, ..ScanQuery::default() };
        let mut forwards = query.clone();
        assert!(forwards.take(&"b".into()));
        assert_eq!(forwards, ScanQuery { start: "b\0".into(), limit: 1, ..query.clone() });
        assert!(!forwards.take(&"c".into()), "as many rows have come as were asked for");
        let mut backwards = ScanQuery { reverse: true, limit: 0, ..query.clone() };
        assert!(backwards.take(&"m".into()) && backwards.take(&"k".into()));
        assert_eq!(backwards, ScanQuery { reverse: true, end: "k".into(), limit: 0, ..query });
    }
}
